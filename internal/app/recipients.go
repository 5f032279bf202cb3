package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

func noRecipient() *fault.Error { return fault.New(fault.NotFound, "Recipient not found") }

// Recipient reads a recipient by id.
func (a *App) Recipient(ctx context.Context, id string) (r *recipient.Recipient, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		r, err = tx.Recipient(id)
		return refine(err, noRecipient())
	})
	return r, err
}

// ListRecipients returns one page of recipients, newest first.
func (a *App) ListRecipients(ctx context.Context, f store.RecipientFilter) (list []*recipient.Recipient, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.ListRecipients(f)
		return err
	})
	return list, err
}

// changeRecipient runs one operation on one recipient and stores what came of it.
func (a *App) changeRecipient(ctx context.Context, id string, do func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error)) (r *recipient.Recipient, err error) {
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if r, err = tx.Recipient(id); err != nil {
			return refine(err, noRecipient())
		}
		changes, err := do(tx, r)
		if err != nil {
			return err
		}
		return a.saveRecipient(tx, r, changes)
	})
	if err != nil {
		return nil, err
	}
	a.tellEvents(id)
	return r, nil
}

// saveRecipient stores a changed recipient with the events of its changes, in
// the transaction that makes them true.
func (a *App) saveRecipient(tx *store.Tx, r *recipient.Recipient, changes []recipient.Change) error {
	list, err := a.numberRecipient(r, changes)
	if err != nil {
		return err
	}
	if err := tx.SetRecipient(r); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	m, err := tx.Merchant(r.Merchant)
	if err != nil {
		return err
	}
	return a.emitRecipient(tx, m, r, changes, list)
}

// numberRecipient makes one numbered event of each change.
func (a *App) numberRecipient(r *recipient.Recipient, changes []recipient.Change) ([]store.Event, error) {
	var out []store.Event
	for _, c := range changes {
		id, err := a.newID()
		if err != nil {
			return nil, err
		}
		r.State.Events++
		n := c.Notice()
		out = append(out, store.Event{
			ID: id, Merchant: r.Merchant, Kind: "recipient", Resource: r.ID, Seq: r.State.Events,
			Code: n.Code, Name: n.Name, Status: string(c.To), Detail: string(c.On), At: a.now(),
		})
	}
	return out, nil
}

// emitRecipient stores events and tells of them: the merchant by the webhook of
// the recipient or of the account, the recipient by mail.
func (a *App) emitRecipient(tx *store.Tx, m *merchant.Merchant, r *recipient.Recipient, changes []recipient.Change, list []store.Event) error {
	url := r.State.NotificationURL
	if url == "" {
		url = m.Settings.RecipientIPN
	}
	for i, e := range list {
		webhook, mail := url, ""
		if e.Code == 0 {
			webhook = ""
		}
		if mailed(changes[i]) {
			mail = r.Email
		}
		if err := a.announce(tx, e, webhook, mail); err != nil {
			return err
		}
	}
	return nil
}

// mailed says which changes the recipient is written to about.
func mailed(c recipient.Change) bool {
	switch c.Kind {
	case recipient.LinkAsked, recipient.AddressChanged:
		return true
	}
	return c.Kind == recipient.Moved && c.To == recipient.Invited && c.On == ""
}
