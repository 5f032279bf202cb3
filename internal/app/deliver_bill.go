package app

import (
	"context"
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/store"
)

// The event of a delivery. Nothing is posted for it, so its code is our own.
const (
	billDelivered     = 6001
	billDeliveredName = "bill_delivered"
)

// DeliverBill mails a bill's link to its payer and the copies.
func (a *App) DeliverBill(ctx context.Context, id string) (b *bill.Bill, err error) {
	now := a.now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if b, err = tx.Bill(id); err != nil {
			return refine(err, noBill())
		}
		if a.NoMail {
			return fault.New(fault.Invalid0, "This server has no mail relay: the operator sets one with --smtp")
		}
		if err := b.Deliver(now); err != nil {
			return err
		}
		b.State.Events++
		if err := tx.SetBill(b); err != nil {
			return err
		}
		return a.mailBill(tx, b, now)
	})
	if err != nil {
		return nil, err
	}
	a.tellEvents(id)
	return b, nil
}

// mailBill puts a delivered bill into the lanes of its readers, each once.
func (a *App) mailBill(tx *store.Tx, b *bill.Bill, now time.Time) error {
	id, err := a.newID()
	if err != nil {
		return err
	}
	e := store.Event{
		ID: id, Merchant: b.Merchant, Kind: "bill", Resource: b.ID, Seq: b.State.Events,
		Code: billDelivered, Name: billDeliveredName, Status: string(b.Status), Detail: string(bill.Delivered), At: now,
	}
	to, seen := []string{}, map[string]bool{}
	for _, m := range append([]string{b.Terms.Email}, b.Terms.CC...) {
		if !seen[m] {
			seen[m] = true
			to = append(to, m)
		}
	}
	return a.announce(tx, e, "", to...)
}
