package app

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// savePayout stores a payout whose state has just changed, with the event.
func (a *App) savePayout(tx *store.Tx, p *payout.Payout, now time.Time) error {
	code, name := p.Status.Notice()
	return a.announcePayout(tx, p, code, name, now)
}

func (a *App) announcePayout(tx *store.Tx, p *payout.Payout, code int64, name string, now time.Time) error {
	id, err := a.newID()
	if err != nil {
		return err
	}
	p.State.Events++
	if err := tx.SetPayout(p); err != nil {
		return err
	}
	e := store.Event{
		ID: id, Merchant: p.Merchant, Kind: "payout", Resource: p.ID, Seq: p.State.Events, Code: code, Name: name, Status: string(p.Status), At: now,
	}
	hook := p.Terms.NotificationURL
	if p.Status == payout.Failed && code != payout.ManuallyNotified {
		m, err := tx.Merchant(p.Merchant)
		if err != nil {
			return err
		}
		if !m.Settings.PayoutFailedWebhook {
			hook = ""
		}
	}
	return a.announce(tx, e, hook, payoutMails(p, code)...)
}

// payoutMails are who gets a letter about a payout: the merchant's address when
// it ended, the recipient when the money is on its way.
func payoutMails(p *payout.Payout, code int64) (to []string) {
	if p.Terms.IgnoreEmails || code == payout.ManuallyNotified {
		return nil
	}
	switch p.Status {
	case payout.Processing:
		return []string{p.Terms.Email}
	case payout.Complete, payout.Failed:
		return []string{p.Terms.NotificationEmail}
	}
	return nil
}

// CancelPayout withdraws a payout that was not funded yet.
func (a *App) CancelPayout(ctx context.Context, id string) (p *payout.Payout, err error) {
	now := a.now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if p, err = tx.Payout(id); err != nil {
			return err
		}
		return a.cancelPayout(tx, p, now)
	})
	if err == nil {
		a.tellEvents(id)
	}
	return p, err
}

func (a *App) cancelPayout(tx *store.Tx, p *payout.Payout, now time.Time) error {
	switch p.Status {
	case payout.New:
	case payout.Cancelled:
		return nil
	default:
		return fault.New(fault.Invalid0, "The payout is %s: only one that is new can be cancelled", p.Status)
	}
	if err := p.Move(payout.Cancel, now); err != nil {
		return err
	}
	return a.savePayout(tx, p, now)
}

// CancelPayoutGroup withdraws every member of a group that was not funded yet, and
// tells which were.
func (a *App) CancelPayoutGroup(ctx context.Context, merchantID, group string) (cancelled, failed []*payout.Payout, err error) {
	now := a.now()
	missing := fault.New(fault.NotFound, "Payout group not found")
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		cancelled, failed = nil, nil
		list, err := tx.PayoutGroup(group)
		if err != nil {
			return err
		}
		if len(list) == 0 || list[0].Merchant != merchantID {
			return missing
		}
		for _, p := range list {
			switch err := a.cancelPayout(tx, p, now); {
			case errors.Is(err, fault.Invalid0):
				failed = append(failed, p)
			case err != nil:
				return err
			default:
				cancelled = append(cancelled, p)
			}
		}
		return nil
	})
	for _, p := range cancelled {
		a.tellEvents(p.ID)
	}
	return cancelled, failed, err
}

// ResendPayout sends the payout's present state to the webhook again.
func (a *App) ResendPayout(ctx context.Context, id string) error {
	now := a.now()
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Payout(id)
		if err != nil {
			return err
		}
		return a.announcePayout(tx, p, payout.ManuallyNotified, "payout_manuallyNotified", now)
	})
	if err == nil {
		a.tellEvents(id)
	}
	return err
}

// payoutMoved follows the transaction that pays a payout.
func (a *App) payoutMoved(tx *store.Tx, o *transfer.Order, t *transfer.Transfer, now time.Time) error {
	p, err := tx.Payout(o.Resource)
	if err != nil {
		return err
	}
	before := p.Status
	switch {
	case t.State == transfer.Sent && p.Status == payout.Funded:
		p.State.Sent, p.State.Rates = o.Amount(), o.Rates
		err = p.Move(payout.Sent, now)
	case t.State == transfer.Sent && p.Status == payout.Complete:
		err = p.Move(payout.Unconfirmed, now)
	case t.State == transfer.Confirmed && p.Status == payout.Processing:
		err = p.Move(payout.Confirmed, now)
	case t.State == transfer.Dropped && p.Status == payout.Funded:
		p.State.Problem = t.Problem
		if err = p.Move(payout.Refused, now); err == nil {
			_, err = a.reverse(tx, p.State.Entry, now)
		}
	}
	if err != nil || p.Status == before {
		return err
	}
	if att := t.Attempt(); att != nil && att.Txid != "" {
		p.State.Txid = att.Txid
	}
	return a.savePayout(tx, p, now)
}
