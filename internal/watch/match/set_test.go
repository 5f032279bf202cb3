package match

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/chain"
)

// script makes a P2WPKH or P2TR output script of a number.
func script(i uint64) []byte {
	size := 20
	if i%2 == 1 {
		size = 32
	}
	s := make([]byte, 2+size)
	s[0], s[1] = byte(i%2*0x51), byte(size)
	rng := rand.NewPCG(i, 1)
	binary.LittleEndian.PutUint64(s[2:], rng.Uint64())
	binary.LittleEndian.PutUint64(s[10:], i)
	return s
}

// block makes a block of 8,000 outputs over 3,000 transactions, every
// ownEvery-th of them to a script below own.
func block(own, ownEvery int) *chain.Block {
	b := &chain.Block{Txs: make([]chain.Tx, 3000)}
	for i := range 8000 {
		tx := &b.Txs[i%len(b.Txs)]
		to := script(1<<40 + uint64(i))
		if ownEvery > 0 && i%ownEvery == 0 {
			to = script(uint64(i * 7919 % own))
		}
		tx.Payments = append(tx.Payments, chain.Payment{Vout: uint32(len(tx.Payments)), To: to})
	}
	return b
}

func TestSetAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := New(rapid.IntRange(0, 200).Draw(t, "hint"))
		want := map[string]bool{}
		destination := rapid.SliceOfN(rapid.Byte(), 0, 3)
		for range rapid.IntRange(0, 400).Draw(t, "steps") {
			to := destination.Draw(t, "to")
			if rapid.Bool().Draw(t, "add") {
				set.Add(to)
				want[string(to)] = true
			}
			if got := set.Contains(to); got != want[string(to)] {
				t.Fatalf("Contains(%x) = %v", to, got)
			}
		}
		if set.Len() != len(want) {
			t.Fatalf("Len = %d, want %d", set.Len(), len(want))
		}
		for to := range want {
			if !set.Contains([]byte(to)) {
				t.Fatalf("lost %x", to)
			}
		}
	})
}

func TestMatchVisitsWhatContainsKnowsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := New(0)
		for range rapid.IntRange(0, 300).Draw(t, "watched") {
			set.Add(script(rapid.Uint64Range(0, 1000).Draw(t, "own")))
		}
		b := &chain.Block{Txs: make([]chain.Tx, rapid.IntRange(0, 20).Draw(t, "txs"))}
		type place struct{ tx, payment int }
		var want, got []place
		at := map[*chain.Payment]place{}
		for i := range b.Txs {
			payments := make([]chain.Payment, rapid.IntRange(0, 60).Draw(t, "payments"))
			b.Txs[i].Payments = payments
			for j := range payments {
				payments[j].To = script(rapid.Uint64Range(0, 1000).Draw(t, "to"))
				at[&payments[j]] = place{i, j}
				if set.Contains(payments[j].To) {
					want = append(want, place{i, j})
				}
			}
		}
		set.Match(b, func(tx *chain.Tx, p *chain.Payment) {
			if tx != &b.Txs[at[p].tx] {
				t.Fatal("visited with a foreign transaction")
			}
			got = append(got, at[p])
		})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("visited %v, want %v", got, want)
		}
	})
}

func TestALargeSetFindsAllItsOwn(t *testing.T) {
	const n = 100_000
	set := New(0)
	for i := range uint64(n) {
		set.Add(script(i))
	}
	b, hits := block(n, 800), 0
	set.Match(b, func(*chain.Tx, *chain.Payment) { hits++ })
	if hits != 10 || set.Len() != n {
		t.Errorf("%d hits of 10 in a set of %d", hits, set.Len())
	}
	if perEntry := 8 * float64(len(set.table)+len(set.filter)) / n; perEntry > 24 {
		t.Errorf("%.1f bytes per destination", perEntry)
	}
}

func TestFilterTurnsAwayMostStrangers(t *testing.T) {
	const n = 20_000
	set := New(n)
	for i := range uint64(n) {
		set.Add(script(i))
	}
	passed := 0
	for i := range uint64(n) {
		if set.maybe(set.hash(script(1<<40 + i))) {
			passed++
		}
	}
	if passed > n/20 {
		t.Errorf("%d of %d strangers passed the filter", passed, n)
	}
}

func TestReadersRunBesideTheWriter(t *testing.T) {
	set, b := New(0), block(5000, 800)
	var group sync.WaitGroup
	group.Go(func() {
		for i := range uint64(5000) {
			set.Add(script(i))
		}
	})
	for range 3 {
		group.Go(func() {
			for range 20 {
				set.Match(b, func(*chain.Tx, *chain.Payment) {})
				set.Contains(script(1))
			}
		})
	}
	group.Wait()
	hits := 0
	set.Match(b, func(*chain.Tx, *chain.Payment) { hits++ })
	if hits != 10 {
		t.Errorf("%d hits, want 10", hits)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000, 1_000_000} {
		set := New(n)
		for i := range uint64(n) {
			set.Add(script(i))
		}
		for _, hits := range []int{0, 10} {
			every := 0
			if hits > 0 {
				every = 8000 / hits
			}
			blk := block(n, every)
			b.Run(fmt.Sprintf("%d/hits=%d", n, hits), func(b *testing.B) {
				for b.Loop() {
					set.Match(blk, func(*chain.Tx, *chain.Payment) {})
				}
				b.ReportMetric(8*float64(len(set.table)+len(set.filter))/float64(n), "B/entry")
			})
		}
	}
}
