package app

import (
	"context"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

func noBill() *fault.Error { return fault.New(fault.NotFound, "Bill not found") }

// Bill reads a bill by id.
func (a *App) Bill(ctx context.Context, id string) (b *bill.Bill, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		b, err = tx.Bill(id)
		return refine(err, noBill())
	})
	return b, err
}

// ListBills returns a merchant's bills, newest first; an empty status is all.
func (a *App) ListBills(ctx context.Context, merchantID, status string) (list []*bill.Bill, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Bills(merchantID, status)
		return err
	})
	return list, err
}

// BillOf reads a bill with its merchant and the invoice that pays it, or last
// tried to; nil where there was none yet.
func (a *App) BillOf(ctx context.Context, id string) (b *bill.Bill, m *merchant.Merchant, inv *Shown, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if b, err = tx.Bill(id); err != nil {
			return refine(err, noBill())
		}
		if m, err = tx.Merchant(b.Merchant); err != nil || b.State.Invoice == "" {
			return err
		}
		inv = &Shown{}
		inv.Invoice, err = tx.Invoice(b.State.Invoice)
		return err
	})
	return b, m, inv, err
}
