package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/store/sqlite"
)

// books measures what the ledger takes, how fast it is proven, and how fast coins
// are chosen.
func (b *bench) books(ctx context.Context) error {
	st, err := store.Open(ctx, "", filepath.Join(b.dir))
	if err != nil {
		return err
	}
	defer st.Close()
	plain, err := sqlite.Open(ctx, filepath.Join(b.dir, "plain.db"))
	if err != nil {
		return err
	}
	defer plain.Close()
	err = plain.Update(ctx, func(c sqldb.Conn) error {
		_, err := c.Exec(ctx, `CREATE TABLE floor (id TEXT PRIMARY KEY, body TEXT NOT NULL)`)
		return err
	})
	if err != nil {
		return err
	}
	var n atomic.Int64
	body := fmt.Sprintf("%0300d", 7)
	for _, callers := range []int{16, 64} {
		ours, floor, err := b.turns(callers,
			func() error { return post(ctx, st, &n, 1) },
			func() error {
				return plain.Update(ctx, func(c sqldb.Conn) error {
					_, err := c.Exec(ctx, `INSERT INTO floor (id, body) VALUES ($1, $2)`, fmt.Sprintf("entry%017d", n.Add(1)), body)
					return err
				})
			})
		if err != nil {
			return err
		}
		ratio := 2 * ours / floor
		b.add(row{what: fmt.Sprintf("postings, one entry per operation, %d callers", callers), ours: fmt.Sprintf("%.0f/s", 2*ours),
			floor: fmt.Sprintf("%.0f rows/s", floor), ratio: ratio, target: "≥ 0.80", ok: ratio >= 0.8})
	}
	bulk, _, err := b.turns(16, func() error { return post(ctx, st, &n, 100) }, nil)
	if err != nil {
		return err
	}
	b.add(row{what: "postings, 100 entries per operation", ours: fmt.Sprintf("%.0f/s", 200*bulk), target: "≥ 20000/s", ok: 200*bulk >= 20_000})
	if err := b.proof(ctx, st); err != nil {
		return err
	}
	return b.choice()
}

// turns alternates between the two, and returns the medians of their rates.
func (b *bench) turns(callers int, ours, floor func() error) (o, f float64, err error) {
	var os, fs []float64
	for range b.rounds {
		r, err := perSecond(callers, b.round, ours)
		if err != nil {
			return 0, 0, err
		}
		os = append(os, r)
		if floor == nil {
			continue
		}
		if r, err = perSecond(callers, b.round, floor); err != nil {
			return 0, 0, err
		}
		fs = append(fs, r)
	}
	if floor != nil {
		f = median(fs)
	}
	return median(os), f, nil
}

// perSecond calls do from many goroutines for a while and returns calls per second.
func perSecond(callers int, d time.Duration, do func() error) (float64, error) {
	var calls atomic.Int64
	var group sync.WaitGroup
	var failed atomic.Value
	begun := time.Now()
	for range callers {
		group.Go(func() {
			for time.Since(begun) < d {
				if err := do(); err != nil {
					failed.Store(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	group.Wait()
	if err, ok := failed.Load().(error); ok {
		return 0, err
	}
	return float64(calls.Load()) / time.Since(begun).Seconds(), nil
}

// post books entries of two postings.
func post(ctx context.Context, st *store.Store, n *atomic.Int64, entries int) error {
	list := make([]*ledger.Entry, entries)
	for i := range list {
		k := n.Add(1)
		e := ledger.New(ledger.Deposit, fmt.Sprintf("deposit/BTC/%064x/0/1", k), "merchant", time.UnixMilli(1_772_366_400_000+k)).
			Debit(ledger.WalletAccount("wallet"), "BTC", money.NewUnits(15_000)).Credit(ledger.Unapplied, "BTC", money.NewUnits(15_000))
		e.ID, e.Refs = fmt.Sprintf("entry%017d", k), ledger.Refs{Txid: fmt.Sprintf("%064x", k)}
		list[i] = e
	}
	return st.Update(ctx, func(tx *store.Tx) error { return tx.Post(list...) })
}

// proof measures the invariants of the books over all that was posted.
func (b *bench) proof(ctx context.Context, st *store.Store) error {
	a := app.New(app.Config{Store: st})
	var entries int64
	begun := time.Now()
	_, err := a.Verify(ctx, app.VerifyOptions{Only: []string{"LedgerZero", "LedgerChain", "BalanceDerived"}, Report: func(f app.Finding) {
		if f.Name == "LedgerZero" {
			entries = f.Checked
		}
	}})
	if err != nil {
		return err
	}
	each := float64(entries) / time.Since(begun).Seconds()
	b.add(row{what: fmt.Sprintf("prove the books, %d entries", entries), ours: fmt.Sprintf("%.0f entries/s", each), target: "≥ 100000/s", ok: each >= 100_000})
	return nil
}

// choice measures a plan over 100,000 coins.
func (b *bench) choice() error {
	s := spending.New(bitcoin.Regtest)
	acc, err := bitcoin.AccountFromSeed(make([]byte, 32), bitcoin.BIP84, bitcoin.Regtest, 0)
	if err != nil {
		return err
	}
	account := chain.Account{XPub: acc.XPub(), Kind: "bip84"}
	_, to, err := s.Own(account, chain.Path{})
	if err != nil {
		return err
	}
	coins := make([]chain.Coin, 100_000)
	for i := range coins {
		coins[i] = chain.Coin{Outpoint: chain.Outpoint{Txid: fmt.Sprintf("%064x", i)}, Amount: money.NewUnits(1000 + uint64(i*7919%90_000)), To: to, Confirmed: true}
	}
	begun := time.Now()
	_, err = s.Plan(chain.Outlay{Account: account, May: coins, Outputs: []chain.Output{{To: to, Amount: money.NewUnits(50_000_000)}}, Change: chain.Path{Change: true}, FeeRate: 2000, MaxFee: money.NewUnits(10_000_000)})
	if err != nil {
		return err
	}
	took := time.Since(begun)
	b.add(row{what: "choose from 100000 coins", ours: fmt.Sprintf("%d ms", took.Milliseconds()), target: "≤ 1 s", ok: took <= time.Second})
	return nil
}
