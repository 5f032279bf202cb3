package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/watch/match"
)

const outputs = 8000

// match measures one block of 8,000 outputs against growing sets of watched
// addresses; the floor is a plain Go map of the same texts.
func (b *bench) match(context.Context) error {
	block := someBlock()
	var took []float64
	sizes := []int{1_000, 10_000, 100_000, 1_000_000}
	for _, n := range sizes {
		set, plain := match.New(n), make(map[string]struct{}, n)
		for i := range n {
			s := script(uint64(i), 0)
			set.Add(s)
			plain[string(s)] = struct{}{}
		}
		hits := 0
		ours := fastest(func() { set.Match(block, func(*chain.Tx, *chain.Payment) { hits++ }) })
		floor := fastest(func() {
			for i := range block.Txs {
				for j := range block.Txs[i].Payments {
					if _, ok := plain[string(block.Txs[i].Payments[j].To)]; ok {
						hits++
					}
				}
			}
		})
		took = append(took, ours)
		r := row{what: fmt.Sprintf("match a block against %d addresses", n), ours: fmt.Sprintf("%.3f ms", ours), floor: fmt.Sprintf("%.3f ms (map)", floor), ratio: ours / floor}
		if n == 100_000 {
			r.target, r.ok = "≤ 5 ms", ours <= 5
		}
		b.add(r)
	}
	growth := took[len(took)-1] / took[0]
	b.add(row{what: "growth from 1,000 to 1,000,000 addresses", ours: fmt.Sprintf("%.2f ×", growth), target: "≤ 4 ×", ok: growth <= 4})
	return nil
}

// fastest is the least of many runs, in milliseconds: what disturbs only adds.
func fastest(f func()) float64 {
	best := time.Hour
	for range 100 {
		at := time.Now()
		f()
		best = min(best, time.Since(at))
	}
	return float64(best.Nanoseconds()) / 1e6
}

func script(n, salt uint64) []byte {
	h := fnv.New128a()
	var seed [16]byte
	binary.LittleEndian.PutUint64(seed[:], n)
	binary.LittleEndian.PutUint64(seed[8:], salt)
	h.Write(seed[:])
	return h.Sum(append([]byte{0, 20}, seed[:4]...))
}

func someBlock() *chain.Block {
	r := rand.New(rand.NewPCG(1, 2))
	b := &chain.Block{Txs: make([]chain.Tx, 3000)}
	for i := range outputs {
		s := script(uint64(i), 1)
		if i%(outputs/10) == 0 {
			s = script(r.Uint64N(1000), 0)
		}
		tx := &b.Txs[r.IntN(len(b.Txs))]
		tx.Payments = append(tx.Payments, chain.Payment{Vout: uint32(len(tx.Payments)), To: s, Asset: "BTC"})
	}
	return b
}
