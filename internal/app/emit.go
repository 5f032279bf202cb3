package app

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// happening is a change with the event it became.
type happening struct {
	invoice.Change
	store.Event
}

// number makes one numbered event of each change.
func (a *App) number(inv *invoice.Invoice, changes []invoice.Change, now time.Time) ([]happening, error) {
	var out []happening
	for _, c := range changes {
		id, err := a.newID()
		if err != nil {
			return nil, err
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
		out = append(out, happening{c, e})
	}
	return out, nil
}

// emit stores an event and, if the merchant asked to be told of it, gives it a
// place in the endpoint's lane.
func (a *App) emit(tx *store.Tx, inv *invoice.Invoice, h happening) error {
	o := &inv.Terms.Order
	switch {
	case !o.Tells(h.Change):
		return a.announce(tx, h.Event, "")
	case h.Change.Kind == invoice.Resent:
		return a.announce(tx, h.Event, o.NotificationURL)
	}
	return a.announce(tx, h.Event, o.NotificationURL, o.NotificationEmail)
}

// announce stores an event of any resource, in the transaction that makes it
// true, and gives it a place in the lanes of who is to be told: a webhook's URL
// and mail addresses. Empty ones are nobody.
func (a *App) announce(tx *store.Tx, e store.Event, webhook string, mails ...string) error {
	if err := tx.AddEvent(e); err != nil {
		return err
	}
	if err := a.enqueue(tx, e, "webhook", webhook); err != nil {
		return err
	}
	for _, m := range mails {
		if err := a.enqueue(tx, e, "mail", m); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) enqueue(tx *store.Tx, e store.Event, kind, endpoint string) error {
	if endpoint == "" {
		return nil
	}
	id, err := a.newID()
	if err != nil {
		return err
	}
	lane := store.Lane{ID: laneID(e.Merchant, kind, endpoint), Kind: kind, Endpoint: endpoint, Merchant: e.Merchant}
	return tx.Enqueue(lane, store.Delivery{ID: id, Event: e.ID, Resource: e.Resource, RunAt: e.At, Created: e.At})
}

// laneID names the queue of one endpoint of one merchant.
func laneID(merchantID, kind, endpoint string) string {
	h := sha256.Sum256([]byte(merchantID + "\x00" + kind + "\x00" + endpoint))
	return fmt.Sprintf("%x", h[:16])
}

// save stores a changed invoice with the events of its changes, in the
// transaction that makes them true. The invoice comes first: who changed it
// meanwhile is noticed there, and the operation starts over. An event's number
// that is taken would look like a fault.
func (a *App) save(tx *store.Tx, inv *invoice.Invoice, changes []invoice.Change, now time.Time) error {
	if err := a.bookInvoice(tx, inv, now); err != nil {
		return err
	}
	list, err := a.number(inv, changes, now)
	if err != nil {
		return err
	}
	if err := tx.SetInvoice(inv); err != nil {
		return err
	}
	if err := followBill(tx, inv); err != nil {
		return err
	}
	for _, h := range list {
		if err := a.emit(tx, inv, h); err != nil {
			return err
		}
	}
	return nil
}
