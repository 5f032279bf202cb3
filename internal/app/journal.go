package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// Journal is kept beside the database, not in it: what addresses were handed out,
// and what was given to a signer. A database that was put back from an older copy
// knows less than its journal, and is found out by that.
type Journal interface {
	// ID is the same as long as the journal exists.
	ID() string
	Records() []Note
	// Append returns once the note is durable.
	Append(Note) error
}

// Note is one line of a journal.
type Note struct {
	At time.Time `json:"at"`
	// Wallet has handed out every index below Index, and below Change for change.
	Wallet string `json:"wallet,omitempty"`
	Index  int64  `json:"index,omitempty"`
	Change int64  `json:"change,omitempty"`
	// Transfer is about to be signed, to pay these orders.
	Transfer *transfer.Transfer `json:"transfer,omitempty"`
	Orders   []*transfer.Order  `json:"orders,omitempty"`
	// GivenUp is a transfer that nobody has signed and nobody will.
	GivenUp string `json:"givenUp,omitempty"`
}

// restored is the reason of the lock on a database that was put back.
const restored = "restored"

// skipped is how many indices are passed over, so that none is handed out twice that
// the database has forgotten (threats, A2).
const skipped = 1000

// noteIndices writes down up to where a wallet's addresses are handed out, before
// any of them is seen.
func (a *App) noteIndices(wallet string, index, change int64) error {
	if a.Journal == nil {
		return nil
	}
	return a.Journal.Append(Note{At: a.now(), Wallet: wallet, Index: index, Change: change})
}

// noteSigning writes down a transfer before anybody can have a signature of its
// latest attempt.
func (a *App) noteSigning(ctx context.Context, t *transfer.Transfer) error {
	if a.Journal == nil || a.journaled(t.ID) >= len(t.Attempts) {
		return nil
	}
	n := Note{At: a.now(), Transfer: t}
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		n.Orders, err = tx.OrdersIn(t.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.Journal.Append(n); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noted[t.ID] = len(t.Attempts)
	return nil
}

// noteGivenUp writes down that a transfer will not be signed.
func (a *App) noteGivenUp(id string) error {
	if a.Journal == nil {
		return nil
	}
	err := a.Journal.Append(Note{At: a.now(), GivenUp: id})
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.noted, id)
	return err
}

// journaled is how many attempts at a transfer the journal knows.
func (a *App) journaled(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.noted == nil {
		a.noted = map[string]int{}
		for _, n := range a.Journal.Records() {
			if n.Transfer != nil {
				a.noted[n.Transfer.ID] = max(a.noted[n.Transfer.ID], len(n.Transfer.Attempts))
			}
			delete(a.noted, n.GivenUp)
		}
	}
	return a.noted[id]
}

// CheckJournal holds the database against its journal, before anything is followed
// or handed out. A database that knows less was put back from an older copy: then no
// money leaves until Reconcile has looked, and the addresses that it may have
// forgotten are watched and not handed out again.
func (a *App) CheckJournal(ctx context.Context) error {
	if a.Journal == nil {
		return nil
	}
	why, known := "", []string(nil)
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if known, err = tx.Journals(); err == nil {
			why, err = a.forgotten(tx, known)
		}
		return err
	})
	if err != nil {
		return err
	}
	// The lock comes first and the journal is known last: whatever ends in between, the
	// next start finds the same and does it again.
	if why != "" {
		if err := errors.Join(a.Lock(ctx, restored, why), a.skipIndices(ctx)); err != nil {
			return err
		}
	}
	if slices.Contains(known, a.Journal.ID()) {
		return nil
	}
	return a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddJournal(a.Journal.ID(), a.now()) })
}

// forgotten says what a database does not know that its journal does; empty: it
// knows all.
func (a *App) forgotten(tx *store.Tx, known []string) (string, error) {
	if len(known) > 0 && !slices.Contains(known, a.Journal.ID()) {
		return "this data folder has never worked on this database: if the database was put back from a backup on a new machine, run `quittance outgoing reconcile`; if this is one more server beside others, `quittance outgoing unlock restored`", nil
	}
	r := a.recollect()
	for wallet, m := range r.marks {
		index, change, err := tx.WalletMarks(wallet)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		if err == nil && (index < m.index || change < m.change) {
			return fmt.Sprintf("the database is older than the journal beside it: wallet %s has handed out %d addresses, the database knows of %d; run `quittance outgoing reconcile`", wallet, m.index, index), nil
		}
	}
	for _, n := range r.transfers {
		t, err := tx.Transfer(n.Transfer.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		if err != nil || len(t.Attempts) < len(n.Transfer.Attempts) {
			return fmt.Sprintf("the database is older than the journal beside it: it does not know transfer %s, which was given to be signed on %s; run `quittance outgoing reconcile`", n.Transfer.ID, n.At.Format(time.RFC3339)), nil
		}
	}
	return "", nil
}

// skipIndices passes over every index that may have been handed out, and watches
// what they stand for.
func (a *App) skipIndices(ctx context.Context) error {
	r := a.recollect()
	wallets, err := a.Wallets(ctx, "")
	if err != nil {
		return err
	}
	for _, w := range wallets {
		asset, ok := a.Asset(w.Asset)
		if !ok || asset.Spending == nil {
			continue
		}
		s := &spender{App: a, wallet: w, asset: asset}
		if err := a.Store.Update(ctx, func(tx *store.Tx) error { return s.skip(tx, r.marks[w.ID]) }); err != nil {
			return fmt.Errorf("wallet %s: %w", w.ID, err)
		}
	}
	return nil
}

// Restored reports whether the database was put back and is not reconciled yet.
func (a *App) Restored(ctx context.Context) (bool, error) {
	locks, err := a.Locks(ctx)
	return slices.ContainsFunc(locks, func(l store.OutgoingLock) bool { return l.Reason == restored }), err
}

// Unlock lifts a lock. One for a database that was put back is lifted once nothing
// in the journal is unknown to it.
func (a *App) Unlock(ctx context.Context, reason string) error {
	if reason == restored && a.Journal != nil {
		why := ""
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			why, err = a.forgotten(tx, []string{a.Journal.ID()})
			return err
		})
		if err != nil {
			return err
		}
		if why != "" {
			return errors.New(strings.TrimSuffix(why, "; run `quittance outgoing reconcile`") + "; run `quittance outgoing reconcile` first")
		}
	}
	err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.UnlockOutgoing(reason) })
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("nothing is locked for the reason %q: `quittance outgoing status` lists why", reason)
	}
	return err
}
