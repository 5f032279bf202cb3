package storetest

import (
	"time"

	"github.com/quittance/quittance/internal/store"
)

// rescans come back whole, move only from where they were, and end once.
func rescans(d *db) {
	r := &store.Rescan{ID: "r1", Chain: "BTC", From: 100, Next: 100, To: 900, State: store.RescanRunning, Created: t0, Updated: t0}
	later := &store.Rescan{ID: "r2", Chain: "BTC", From: 5, Next: 5, To: 900, State: store.RescanRunning, Created: t0.Add(time.Second), Updated: t0}
	other := &store.Rescan{ID: "r3", Chain: "LTC", From: 1, Next: 1, To: 2, State: store.RescanRunning, Created: t0.Add(-time.Second), Updated: t0}
	d.update(func(tx *store.Tx) error {
		for _, x := range []*store.Rescan{later, r, other} {
			if err := tx.AddRescan(x); err != nil {
				return err
			}
		}
		return nil
	})
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddRescan(r) })
	running := func() []*store.Rescan {
		return read(d, func(tx *store.Tx) ([]*store.Rescan, error) { return tx.RunningRescans("BTC") })
	}
	same(d, []*store.Rescan{r, later}, running())
	r.Next, r.Found, r.Updated = 300, 2, t0.Add(time.Minute)
	d.update(func(tx *store.Tx) error { return tx.MoveRescan(r, 100) })
	same(d, r, read(d, func(tx *store.Tx) (*store.Rescan, error) { return tx.Rescan("r1") }))
	// A second process did the same step.
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.MoveRescan(r, 100) })
	r.Next, r.State = 901, store.RescanDone
	d.update(func(tx *store.Tx) error { return tx.MoveRescan(r, 300) })
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.MoveRescan(r, 901) })
	same(d, []*store.Rescan{later}, running())
	same(d, []*store.Rescan{later, r}, read(d, func(tx *store.Tx) ([]*store.Rescan, error) { return tx.Rescans(2) }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Rescan("none"); return err })
}
