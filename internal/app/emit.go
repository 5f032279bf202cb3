package app

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// emit stores what happened to an invoice: one numbered event each, and for
// those the merchant asked to be told of, a place in the endpoint's lane. It
// runs in the transaction that makes the changes true.
func (a *App) emit(tx *store.Tx, inv *invoice.Invoice, changes []invoice.Change, now time.Time) error {
	for _, c := range changes {
		id, err := a.newID()
		if err != nil {
			return err
		}
		inv.State.Events++
		n := c.Notice()
		e := store.Event{
			ID: id, Merchant: inv.Merchant, Kind: "invoice", Resource: inv.ID, Seq: inv.State.Events,
			Code: n.Code, Name: n.Name, Status: string(inv.Status), Detail: string(c.On), At: now,
		}
		if c.Kind == invoice.Moved {
			e.Status = string(c.To)
		}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		if !inv.Terms.Order.Tells(c) {
			continue
		}
		if err := a.enqueue(tx, inv, e, "webhook", inv.Terms.Order.NotificationURL, now); err != nil {
			return err
		}
		if c.Kind == invoice.Resent {
			continue
		}
		if err := a.enqueue(tx, inv, e, "mail", inv.Terms.Order.NotificationEmail, now); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) enqueue(tx *store.Tx, inv *invoice.Invoice, e store.Event, kind, endpoint string, now time.Time) error {
	if endpoint == "" {
		return nil
	}
	id, err := a.newID()
	if err != nil {
		return err
	}
	lane := store.Lane{ID: laneID(inv.Merchant, kind, endpoint), Kind: kind, Endpoint: endpoint, Merchant: inv.Merchant}
	return tx.Enqueue(lane, store.Delivery{ID: id, Event: e.ID, Resource: inv.ID, RunAt: now, Created: now})
}

// laneID names the queue of one endpoint of one merchant.
func laneID(merchantID, kind, endpoint string) string {
	h := sha256.Sum256([]byte(merchantID + "\x00" + kind + "\x00" + endpoint))
	return fmt.Sprintf("%x", h[:16])
}

// save stores a changed invoice with the events of its changes.
func (a *App) save(tx *store.Tx, inv *invoice.Invoice, changes []invoice.Change, now time.Time) error {
	if err := a.emit(tx, inv, changes, now); err != nil {
		return err
	}
	return tx.SetInvoice(inv)
}
