package store

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// ledgerTables begins the name of every table of the ledger.
const ledgerTables = "ledger_"

// ledgerBuffer keeps the entries that operations of one group post until the group's
// end, and writes all of them with a few statements. Where they share a transaction,
// heads and balances are read once. It lives as long as the transaction, so nobody
// else can have changed them.
type ledgerBuffer struct {
	heads    map[string]head     // by merchant
	accounts map[string]*account // by id; never changed in place
	owner    map[string]string   // merchant of each account
	entries  []any
	postings []any
	dirty    bool
	loading  bool
	undo     []func() // of the present operation
}

func newLedgerBuffer() sqldb.Deferred {
	return &ledgerBuffer{heads: map[string]head{}, accounts: map[string]*account{}, owner: map[string]string{}}
}

// buffer is the one of the transaction's group, if it has one.
func (tx *Tx) buffer() (*ledgerBuffer, bool) {
	g, ok := tx.c.(sqldb.Grouper)
	if !ok {
		return nil, false
	}
	d, ok := g.Defer(ledgerTables, newLedgerBuffer)
	if !ok {
		return nil, false
	}
	return d.(*ledgerBuffer), true
}

// Mark begins an operation.
func (b *ledgerBuffer) Mark() func() {
	b.undo = b.undo[:0]
	entries, postings, dirty := b.entries, b.postings, b.dirty
	return func() {
		for _, back := range slices.Backward(b.undo) {
			back()
		}
		// What was written for a reader within the operation is rolled back with it.
		b.entries, b.postings, b.dirty = entries, postings, dirty
		b.undo = b.undo[:0]
	}
}

// post seals entries of one merchant behind those before them and moves the
// balances, in memory.
func (b *ledgerBuffer) post(tx *Tx, merchantID string, entries []*ledger.Entry) error {
	if err := b.load(tx, merchantID, entries); err != nil {
		return err
	}
	last := b.heads[merchantID]
	moved := map[string]*account{}
	for _, e := range entries {
		for _, p := range e.Postings {
			id := accountID(merchantID, p.Account, p.Asset)
			if moved[id] == nil {
				a := *b.accounts[id]
				moved[id] = &a
			}
		}
	}
	first := last
	rows, lines, last, err := seal(last, moved, entries)
	if err != nil {
		return err
	}
	b.undo = append(b.undo, func() { b.heads[merchantID] = first })
	b.heads[merchantID] = last
	for id, a := range moved {
		was := b.accounts[id]
		b.undo = append(b.undo, func() { b.accounts[id] = was })
		b.accounts[id] = a
	}
	// Appending never changes what a mark remembers: it keeps the shorter slice.
	b.entries, b.postings, b.dirty = append(b.entries, rows...), append(b.postings, lines...), true
	return nil
}

// load reads the head and the balances that are not known yet. There is nothing in
// the buffer about them.
func (b *ledgerBuffer) load(tx *Tx, merchantID string, entries []*ledger.Entry) error {
	_, known := b.heads[merchantID]
	for _, e := range entries {
		for _, p := range e.Postings {
			known = known && b.accounts[accountID(merchantID, p.Account, p.Asset)] != nil
		}
	}
	if known {
		return nil
	}
	b.loading = true
	defer func() { b.loading = false }()
	last, accounts, err := tx.accountsOf(merchantID, entries)
	if err != nil {
		return err
	}
	if _, ok := b.heads[merchantID]; !ok {
		b.heads[merchantID] = last
	}
	for id, a := range accounts {
		if b.accounts[id] == nil {
			b.accounts[id], b.owner[id] = a, merchantID
		}
	}
	return nil
}

// Flush writes what the buffer holds.
func (b *ledgerBuffer) Flush(c sqldb.Conn) error {
	if !b.dirty || b.loading {
		return nil
	}
	tx := &Tx{context.Background(), c}
	heads := make([]any, 0, 3*len(b.heads))
	for _, merchantID := range slices.Sorted(maps.Keys(b.heads)) {
		if h := b.heads[merchantID]; h.n > 0 {
			heads = append(heads, merchantID, h.n, h.hash)
		}
	}
	accounts := make([]any, 0, 6*len(b.accounts))
	for _, id := range slices.Sorted(maps.Keys(b.accounts)) {
		if a := b.accounts[id]; a.postings > 0 {
			accounts = append(accounts, id, b.owner[id], a.name, a.asset, a.balance.String(), a.postings)
		}
	}
	err := errors.Join(tx.insert(intoHead, heads), tx.insert(intoEntry, b.entries), tx.insert(intoPosting, b.postings), tx.insert(intoAccount, accounts))
	if err == nil {
		b.entries, b.postings, b.dirty = nil, nil, false
	}
	return err
}
