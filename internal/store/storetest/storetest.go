package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// Run runs the suite. open gives a new, empty database for each test.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range []struct {
		name string
		test func(*db)
	}{
		{"merchants and wallets come back whole", merchants},
		{"a wallet's indices are given out once", reservedIndices},
		{"tokens come back whole with their identities", tokens},
		{"a token moves on from the state it was read in only", tokenStates},
		{"sessions are numbered and forgotten", sessions},
		{"an invoice comes back with every field", invoiceFields},
		{"a guid belongs to one invoice of a token", guids},
		{"an address belongs to one invoice", addresses},
		{"an outpoint is credited to one invoice", outpoints},
		{"invoices are found by what they wait for", waiting},
		{"a page is chosen by date, status and order", pages},
		{"the cursor moves only from where it stands", cursors},
		{"blocks are remembered along the best chain only", blocks},
		{"events are numbered once", eventNumbers},
		{"a lane keeps its order and one worker", lanes},
		{"an entry comes back whole and in its chain", ledgerEntries},
		{"a fact is booked once and taken back once", ledgerOnce},
		{"the books refuse what does not add up and what is not there", ledgerRules},
		{"one balance is spent once", ledgerRace},
		{"many entries are booked at once", ledgerBulk},
		{"a recipient comes back with every field", recipientFields},
		{"an e-mail address belongs to one recipient that is not removed", recipientEmails},
		{"recipients are listed by state, newest first", recipientPages},
		{"a guid is submitted once", submissions},
		{"links are told apart, used up and forgotten", recipientLinks},
		{"bills come back whole and newest first", bills},
		{"subscriptions come back whole and when they are due", subscriptions},
		{"an invoice takes one payment from a wallet at a time", postedPayments},
		{"signing keys come back whole, also retired ones", signingKeys},
		{"rescans come back whole and move only from where they were", rescans},
		{"a coin's label is kept, changed and taken away", coinLabels},
		{"a sweep comes back whole until it is in a block", sweeps},
		{"a failed operation leaves nothing", rollback},
		{"an operation that panics leaves nothing", panics},
		{"an operation whose caller has gone leaves nothing", cancelled},
		{"concurrent changes of one invoice lose nothing", concurrent},
		{"a change that lost a race starts over", startsOver},
		{"a view is one moment", snapshot},
		{"a closed store refuses", closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { s.Close() })
			c.test(&db{t: t, s: s})
		})
	}
}

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// db is one database under test.
type db struct {
	t *testing.T
	s *store.Store
}

// update runs an operation that must succeed.
func (d *db) update(fn func(*store.Tx) error) {
	d.t.Helper()
	if err := d.s.Update(d.t.Context(), fn); err != nil {
		d.t.Fatal(err)
	}
}

// refused runs an operation that must fail with an error.
func (d *db) refused(want error, fn func(*store.Tx) error) {
	d.t.Helper()
	if err := d.s.Update(d.t.Context(), fn); !errors.Is(err, want) {
		d.t.Errorf("got %v, want %v", err, want)
	}
}

func (d *db) view(fn func(*store.Tx) error) {
	d.t.Helper()
	if err := d.s.View(d.t.Context(), fn); err != nil {
		d.t.Fatal(err)
	}
}

// same compares what was stored with what came back.
func same[T any](d *db, want, got T) {
	d.t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(money.Units{}, money.Delta{})); diff != "" {
		d.t.Errorf("stored (-) and read (+) differ:\n%s", diff)
	}
}

// read gets one value out of a view.
func read[T any](d *db, fn func(*store.Tx) (T, error)) (v T) {
	d.t.Helper()
	d.view(func(tx *store.Tx) (err error) {
		v, err = fn(tx)
		return err
	})
	return v
}
