package app

import (
	"context"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// UpdateBill replaces what a bill says. An invoice that waits for the old amount
// is cancelled with it; once money for it was seen, the bill stays as it is.
func (a *App) UpdateBill(ctx context.Context, id string, terms bill.Terms) (b *bill.Bill, err error) {
	if err := a.checkBill(&terms); err != nil {
		return nil, err
	}
	opened := ""
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if b, err = tx.Bill(id); err != nil {
			return refine(err, noBill())
		}
		next := terms
		if next.Number == "" { // some clients leave it out of an update
			next.Number = b.Terms.Number
		}
		if err := b.Change(next); err != nil {
			return err
		}
		if opened = b.State.Invoice; opened != "" {
			if err := a.withdraw(tx, opened); err != nil {
				return err
			}
		}
		return tx.SetBill(b)
	})
	if err != nil {
		return nil, err
	}
	if opened != "" {
		a.tellEvents(opened)
	}
	a.tellEvents(b.ID)
	return b, nil
}

// withdraw cancels an invoice that nobody has paid anything of.
func (a *App) withdraw(tx *store.Tx, id string) error {
	inv, err := tx.Invoice(id)
	if err != nil || inv.Status != invoice.New {
		return err
	}
	if !inv.Received().IsZero() {
		return fault.New(fault.Invalid0, "A payment of this bill is under way; it can no longer be changed")
	}
	now := a.now()
	changes, err := inv.Cancel(false, now)
	if err != nil {
		return err
	}
	return a.save(tx, inv, changes, now)
}
