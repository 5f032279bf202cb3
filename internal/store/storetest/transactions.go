package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/sqldb"
)

var errNo = errors.New("the operation does not want to")

func rollback(d *db) {
	d.refused(errNo, func(tx *store.Tx) error {
		if err := tx.AddMerchant(shop("m1")); err != nil {
			return err
		}
		if _, err := tx.Merchant("m1"); err != nil {
			return err
		}
		return errNo
	})
	d.nobody()
}

// nobody checks that there is no merchant.
func (d *db) nobody() {
	d.t.Helper()
	if list := read(d, (*store.Tx).Merchants); len(list) != 0 {
		d.t.Errorf("%d merchants are left", len(list))
	}
}

func panics(d *db) {
	err := d.s.Update(d.t.Context(), func(tx *store.Tx) error {
		if err := tx.AddMerchant(shop("m1")); err != nil {
			return err
		}
		panic("a mistake of the program")
	})
	if err == nil || !strings.Contains(err.Error(), "a mistake of the program") {
		d.t.Errorf("the panic is reported as %v", err)
	}
	d.nobody()
	d.update(func(tx *store.Tx) error { return tx.AddMerchant(shop("m1")) })
}

func cancelled(d *db) {
	ctx, cancel := context.WithCancel(d.t.Context())
	cancel()
	if err := d.s.Update(ctx, func(tx *store.Tx) error { return tx.AddMerchant(shop("m1")) }); !errors.Is(err, context.Canceled) {
		d.t.Errorf("got %v", err)
	}
	d.nobody()
}

// concurrent adds a credit to the same invoice from many places at once, while
// others fail beside them.
func concurrent(d *db) {
	d.add(small("i1", 0))
	const workers, each = 8, 10
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for n := range each {
				if err := d.s.Update(d.t.Context(), func(tx *store.Tx) error { return addCredit(d, tx, w, n) }); err != nil {
					d.t.Error(err)
				}
			}
		})
		group.Go(func() {
			err := d.s.Update(d.t.Context(), func(tx *store.Tx) error {
				return errors.Join(addCredit(d, tx, w, 999), errNo)
			})
			if !errors.Is(err, errNo) {
				d.t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	got := d.invoice("i1")
	if len(got.Credits) != workers*each || got.State.Events != workers*each || got.Version != workers*each {
		d.t.Errorf("%d credits, %d counted, version %d; want %d", len(got.Credits), got.State.Events, got.Version, workers*each)
	}
}

func addCredit(d *db, tx *store.Tx, worker, n int) error {
	inv, err := tx.Invoice("i1")
	if err != nil {
		return err
	}
	inv.State.Events++
	inv.Credits = append(inv.Credits, invoice.Credit{
		Chain: "BTC", Outpoint: chain.Outpoint{Txid: fmt.Sprintf("%d/%d", worker, n)}, Asset: "BTC", Amount: huge(d), State: invoice.Pending, FirstSeen: t0, Received: t0,
	})
	return tx.SetInvoice(inv)
}

// startsOver has an operation meet an invoice that somebody else has changed.
func startsOver(d *db) {
	d.add(small("i1", 0))
	stale := d.invoice("i1")
	d.change("i1", func(inv *invoice.Invoice) { inv.State.Email = "first@example.com" })
	tries := 0
	d.update(func(tx *store.Tx) error {
		inv, err := stale, error(nil)
		if tries++; tries > 1 {
			inv, err = tx.Invoice("i1")
		}
		if err != nil {
			return err
		}
		inv.State.SMS = "+14155550123"
		return tx.SetInvoice(inv)
	})
	got := d.invoice("i1")
	if tries != 2 || got.State.Email != "first@example.com" || got.State.SMS != "+14155550123" {
		d.t.Errorf("after %d tries: %+v", tries, got.State)
	}
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.SetInvoice(stale) })
}

func snapshot(d *db) {
	d.update(func(tx *store.Tx) error { return tx.AddMerchant(shop("m1")) })
	d.view(func(tx *store.Tx) error {
		before, err := tx.Merchants()
		if err != nil {
			return err
		}
		d.update(func(tx *store.Tx) error { return tx.AddMerchant(shop("m2")) })
		after, err := tx.Merchants()
		same(d, before, after)
		return err
	})
	if all := read(d, (*store.Tx).Merchants); len(all) != 2 {
		d.t.Errorf("%d merchants", len(all))
	}
	err := d.s.View(d.t.Context(), func(tx *store.Tx) error { return tx.AddMerchant(shop("m3")) })
	if err == nil {
		d.t.Error("a view writes")
	}
}

func closed(d *db) {
	d.update(func(tx *store.Tx) error { return tx.AddMerchant(shop("m1")) })
	var group sync.WaitGroup
	for i := range 20 { // some are in progress, some wait
		group.Go(func() {
			m := &merchant.Merchant{ID: fmt.Sprint(i), KeyHash: fmt.Sprint(i), Created: t0}
			_ = d.s.Update(d.t.Context(), func(tx *store.Tx) error { return tx.AddMerchant(m) })
			_ = d.s.View(d.t.Context(), func(tx *store.Tx) error { _, err := tx.Merchants(); return err })
		})
	}
	if err := d.s.Close(); err != nil {
		d.t.Error(err)
	}
	group.Wait()
	if err := d.s.Close(); err != nil {
		d.t.Errorf("closed twice: %v", err)
	}
	if err := d.s.Update(d.t.Context(), func(*store.Tx) error { return nil }); !errors.Is(err, sqldb.ErrClosed) {
		d.t.Errorf("an update of a closed store gives %v", err)
	}
	if err := d.s.View(d.t.Context(), func(*store.Tx) error { return nil }); !errors.Is(err, sqldb.ErrClosed) {
		d.t.Errorf("a view of a closed store gives %v", err)
	}
}
