package app

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// auditChunk is how many entries are read at once.
const auditChunk = 4000

// audit is what reading all ledgers came to.
type audit struct {
	entries   int64
	postings  int64
	reversals []*ledger.Entry
	zero      string // first breach of each kind
	chain     string
	derived   string
}

// chunk is a run of entries of one merchant.
type chunk struct {
	merchant    string
	after, upTo int64
	first, last string // hash that the first follows, hash of the last
	sums        map[string]money.Delta
	counts      map[string]int64
	entries     int64
	reversals   []*ledger.Entry
	zero, chain string
}

// read goes through every entry once, in parallel: entries do not change, so
// what was there when it began can be read in any order.
func (v *verification) read() (*audit, error) {
	if v.books != nil {
		return v.books, nil
	}
	heads, accounts := map[string]int64{}, []store.Account(nil)
	err := v.view(func(tx *store.Tx) (err error) {
		if heads, err = tx.LedgerMerchants(); err != nil {
			return err
		}
		accounts, err = tx.Accounts("")
		return err
	})
	if err != nil {
		return nil, err
	}
	var chunks []*chunk
	for _, m := range slices.Sorted(maps.Keys(heads)) {
		for after := int64(0); after < heads[m]; after += auditChunk {
			chunks = append(chunks, &chunk{merchant: m, after: after, upTo: min(after+auditChunk, heads[m]), sums: map[string]money.Delta{}, counts: map[string]int64{}})
		}
	}
	group, ctx := errgroup.WithContext(v.ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for _, c := range chunks {
		group.Go(func() error { return v.Store.View(ctx, c.read) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	v.books = fold(chunks, accounts)
	return v.books, nil
}

func (c *chunk) read(tx *store.Tx) error {
	n, prev := c.after, ""
	return tx.Entries(c.merchant, c.after, int(c.upTo-c.after), func(e *ledger.Entry) error {
		n++
		if n == c.after+1 {
			c.first, prev = e.Prev, e.Prev
		}
		c.entries++
		if err := e.Verify(n, prev); err != nil && c.chain == "" {
			c.chain = err.Error()
		}
		prev, c.last = e.Hash, e.Hash
		if err := e.Check(); err != nil && c.zero == "" {
			c.zero = err.Error()
		}
		if e.Reverses != "" {
			c.reversals = append(c.reversals, e)
		}
		for _, p := range e.Postings {
			key := c.merchant + "/" + p.Account + "/" + p.Asset
			sum, err := c.sums[key].Add(p.Amount)
			if err != nil {
				return err
			}
			c.sums[key] = sum
			c.counts[key]++
		}
		return nil
	})
}

// fold joins the runs: each begins where the one before ended, and the sums of
// all are the balances that were kept.
func fold(chunks []*chunk, accounts []store.Account) *audit {
	b := &audit{}
	sums, counts := map[string]money.Delta{}, map[string]int64{}
	var before *chunk
	for _, c := range chunks {
		b.entries += c.entries
		b.reversals = append(b.reversals, c.reversals...)
		prev := ""
		if before != nil && before.merchant == c.merchant {
			prev = before.last
		}
		switch {
		case b.chain != "":
		case c.chain != "":
			b.chain = c.chain
		case c.entries != c.upTo-c.after:
			b.chain = fmt.Sprintf("of entries %d to %d of merchant %s, %d are missing", c.after+1, c.upTo, c.merchant, c.upTo-c.after-c.entries)
		case c.first != prev:
			b.chain = fmt.Sprintf("entry %d of merchant %s does not follow the one before it", c.after+1, c.merchant)
		}
		if b.zero == "" {
			b.zero = c.zero
		}
		for key, d := range c.sums {
			sum, err := sums[key].Add(d)
			if err != nil {
				b.derived = err.Error()
			}
			sums[key] = sum
			counts[key] += c.counts[key]
			b.postings += c.counts[key]
		}
		before = c
	}
	for _, acc := range accounts {
		key := acc.Merchant + "/" + acc.Name + "/" + acc.Asset
		if b.derived == "" && (sums[key].Cmp(acc.Balance) != 0 || counts[key] != acc.Postings) {
			b.derived = fmt.Sprintf("account %s stands at %s after %d postings; their sum is %s of %d", key, acc.Balance, acc.Postings, sums[key], counts[key])
		}
		delete(sums, key)
	}
	for key := range sums {
		if b.derived == "" {
			b.derived = "account " + key + " has postings and no balance"
		}
	}
	return b
}

func (v *verification) ledger(f *Finding) error {
	b, err := v.read()
	if err == nil {
		f.Checked, f.Of, f.Breach = b.entries, "entries", b.zero
	}
	return err
}

func (v *verification) ledgerChain(f *Finding) error {
	b, err := v.read()
	if err == nil {
		f.Checked, f.Of, f.Breach = b.entries, "entries", b.chain
	}
	return err
}

func (v *verification) balances(f *Finding) error {
	b, err := v.read()
	if err == nil {
		f.Checked, f.Of, f.Breach = b.postings, "postings", b.derived
	}
	return err
}

// reversed: what takes an entry back is its equal and opposite.
func (v *verification) reversed(f *Finding) error {
	b, err := v.read()
	if err != nil {
		return err
	}
	f.Of = "reversals"
	return v.view(func(tx *store.Tx) error {
		for _, r := range b.reversals {
			f.Checked++
			e, err := tx.Entry(r.Reverses)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if f.Breach == "" && (err != nil || !e.Undone(r)) {
				f.Breach = fmt.Sprintf("entry %s takes entry %s back, and is not its equal and opposite", r.ID, r.Reverses)
			}
		}
		return nil
	})
}

// creditOnce holds the receipts that stand against the payments that say they
// are booked.
func (v *verification) creditOnce(f *Finding) error {
	return v.view(func(tx *store.Tx) error {
		n, bad, err := tx.UnmatchedReceipts()
		f.Checked, f.Of = n, "receipts"
		if bad != "" {
			f.Breach = bad
		}
		return err
	})
}

// solvent holds what the wallets' coins add up to against their accounts.
func (v *verification) solvent(f *Finding) error {
	f.Of = "wallets"
	return v.view(func(tx *store.Tx) error {
		wallets, err := tx.Wallets("")
		if err != nil {
			return err
		}
		for _, w := range wallets {
			f.Checked++
			why, err := v.insolvent(tx, w.Merchant, w.ID, w.Asset)
			if err != nil {
				return err
			}
			if f.Breach == "" {
				f.Breach = why
			}
		}
		return nil
	})
}

// insolvent says how a wallet's coins and its account differ; empty: they do not.
func (a *App) insolvent(tx *store.Tx, merchantID, walletID, asset string) (string, error) {
	coins, err := tx.BookedCoins(walletID)
	if err != nil {
		return "", err
	}
	var sum money.Delta
	for _, c := range coins {
		d := c.Amount.Delta()
		if c.Out {
			d = d.Neg()
		}
		var err error
		if sum, err = sum.Add(d); err != nil {
			return "", err
		}
	}
	have, err := tx.Balance(merchantID, ledger.WalletAccount(walletID), asset)
	if err != nil || sum.Cmp(have) == 0 {
		return "", err
	}
	return fmt.Sprintf("wallet %s holds %s %s in coins, and the books say %s", walletID, sum, asset, have), nil
}
