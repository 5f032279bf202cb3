package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcutil/gcs"
	"github.com/btcsuite/btcd/btcutil/gcs/builder"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/blockfilter"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/watch/match"
)

const (
	scanned      = 10_000 // blocks
	rounds       = 20
	filterKinds  = 300   // different filters, which are taken in turn
	filterSize   = 6_500 // scripts of a block of 2,500 transactions
	manyWatched  = 1_000_000
	mostResident = 150 // MiB
)

// light measures what following the chain without a node costs: filters against many
// scripts beside btcutil's own matching, and memory with a million of them.
func (b *bench) light(ctx context.Context) error {
	hashes, filters, err := someFilters()
	if err != nil {
		return err
	}
	for _, n := range []int{1_000, 100_000} {
		var list match.List
		var flat [][]byte
		for i := range n {
			s := anyScript(uint64(i), 3)
			list.Add(s)
			flat = append(flat, s)
		}
		packed := list.All()
		matchers := make([]blockfilter.Matcher, runtime.GOMAXPROCS(0))
		// In turns, so that whatever else the machine does disturbs both. The floor takes
		// long: a tenth of the blocks tells as much.
		var ours, floor time.Duration
		for range rounds {
			ours += scan(scanned/rounds, func(worker, i int) {
				_, _ = matchers[worker].Match((*[32]byte)(&hashes[i]), filters[i], packed)
			})
			floor += 10 * scan(scanned/rounds/10, func(_, i int) {
				f, err := gcs.FromNBytes(builder.DefaultP, builder.DefaultM, filters[i])
				if err == nil {
					_, _ = f.MatchAny(builder.DeriveKey(&hashes[i]), flat)
				}
			})
		}
		ratio := floor.Seconds() / ours.Seconds()
		b.add(row{
			what: fmt.Sprintf("filters of %d blocks, %d scripts", scanned, n), ours: fmt.Sprintf("%.2f s", ours.Seconds()),
			floor: fmt.Sprintf("%.2f s (btcutil)", floor.Seconds()), ratio: ratio, target: "≥ 0.7 ×", ok: ratio >= 0.7,
		})
	}
	return b.watchMillion(ctx)
}

// scan calls f for so many blocks on all processors.
func scan(blocks int, f func(worker, i int)) time.Duration {
	begun := time.Now()
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < blocks; i += workers {
				f(w, i%filterKinds)
			}
		})
	}
	group.Wait()
	return time.Since(begun)
}

// anyScript is a P2WPKH or P2TR output script of a number.
func anyScript(n, salt uint64) []byte {
	s := script(n, salt)
	if n%2 == 0 {
		return s
	}
	return append([]byte{0x51, 32}, append(s[2:18:18], script(n, salt+1)[2:18]...)...)
}

func someFilters() (hashes []chainhash.Hash, filters [][]byte, err error) {
	for i := range filterKinds {
		var hash chainhash.Hash
		binary.LittleEndian.PutUint64(hash[:], uint64(i)+1)
		b := builder.WithKeyHash(&hash)
		for j := range filterSize {
			b.AddEntry(anyScript(uint64(i*filterSize+j), 7))
		}
		f, err := b.Build()
		if err != nil {
			return nil, nil, err
		}
		raw, err := f.NBytes()
		if err != nil {
			return nil, nil, err
		}
		hashes, filters = append(hashes, hash), append(filters, raw)
	}
	return hashes, filters, nil
}

// watchMillion starts the server on a database with a million addresses.
func (b *bench) watchMillion(ctx context.Context) error {
	dir := filepath.Join(b.dir, "light")
	if err := manyAddresses(ctx, dir); err != nil {
		return err
	}
	p, err := spawn(dir, b.bin, "serve", "--light", "--network", "regtest", "--peer", "127.0.0.1:1", "--json", "--data", dir, "--listen", "127.0.0.1:0", "--log-level", "error")
	if err != nil {
		return err
	}
	defer p.stop()
	var most float64
	for range 30 {
		time.Sleep(200 * time.Millisecond)
		now, err := p.resident()
		if err != nil {
			return err
		}
		most = max(most, now)
	}
	rest, err := p.resident()
	if err != nil {
		return err
	}
	b.add(row{what: "memory, light, 1,000,000 scripts: loading", ours: fmt.Sprintf("%.0f MiB", most), target: fmt.Sprintf("≤ %d MiB", mostResident), ok: most <= mostResident})
	b.add(row{what: "memory, light, 1,000,000 scripts: at rest", ours: fmt.Sprintf("%.0f MiB", rest), target: fmt.Sprintf("≤ %d MiB", mostResident), ok: rest <= mostResident})
	return nil
}

func manyAddresses(ctx context.Context, dir string) error {
	st, err := store.Open(ctx, "", dir)
	if err != nil {
		return err
	}
	defer st.Close()
	now := time.Now()
	err = st.Update(ctx, func(tx *store.Tx) error {
		genesis := chaincfg.RegressionNetParams.GenesisHash.String()
		return tx.StartCursor(store.Cursor{Chain: "BTC", Network: "regtest", Genesis: genesis, Block: chain.Ref{Hash: genesis}, At: now})
	})
	for from := 0; from < manyWatched && err == nil; from += 20_000 {
		err = st.Update(ctx, func(tx *store.Tx) error {
			for i := range 20_000 {
				n := from + i
				if err := tx.AddAddress("BTC", anyScript(uint64(n), 3), store.AddressOwner{Asset: "BTC", Wallet: "w", Index: int64(n)}, now); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}
