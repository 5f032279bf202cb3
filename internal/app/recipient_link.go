package app

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// linkKept is how long an expired link is still told apart from an unknown one.
const linkKept = 30 * 24 * time.Hour

// IssueRecipientLink makes the link of one mail, just before the mail is sent:
// only its hash is stored, so it cannot be made again. A mail that is tried again
// gets another one; both work, because the first may have arrived. Links of
// earlier mails are useless from here on.
func (a *App) IssueRecipientLink(ctx context.Context, e store.Event) (string, error) {
	text, err := a.randomText(32, 44)
	if err != nil {
		return "", err
	}
	now := a.now()
	l := recipient.Link{Hash: recipient.HashLink(text), Recipient: e.Resource, Event: e.ID, Created: now, Expires: now.Add(recipient.LinkLife)}
	return text, a.Store.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Recipient(e.Resource)
		if err != nil {
			return refine(err, noRecipient())
		}
		if r.Status == recipient.Removed {
			return fault.New(fault.NotFound, "the recipient was removed")
		}
		return errors.Join(tx.ForgetLinks(r.ID, now.Add(-linkKept)), tx.UseLinks(r.ID, e.ID), tx.AddLink(l))
	})
}

// Onboarding is what the page of a link shows.
type Onboarding struct {
	*recipient.Recipient
	Merchant *merchant.Merchant
	Assets   []*Asset // that the merchant pays in
	Expires  time.Time
}

// RecipientPage reads what a link leads to. Looking changes nothing: mail
// scanners and previews open links too.
func (a *App) RecipientPage(ctx context.Context, link string) (o Onboarding, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		l, r, err := a.followLink(tx, link)
		if err != nil {
			return err
		}
		o = Onboarding{Recipient: r, Expires: l.Expires}
		if o.Merchant, err = tx.Merchant(r.Merchant); err != nil {
			return err
		}
		o.Assets, err = a.payoutAssets(tx, r.Merchant)
		return err
	})
	return o, err
}

// followLink reads the recipient of a link that can be used.
func (a *App) followLink(tx *store.Tx, text string) (recipient.Link, *recipient.Recipient, error) {
	l, err := tx.Link(recipient.HashLink(text))
	if err != nil {
		return l, nil, refine(err, recipient.UnknownLink())
	}
	r, err := tx.Recipient(l.Recipient)
	if err != nil {
		return l, nil, err
	}
	return l, r, l.Check(r, a.now())
}

// payoutAssets is what a merchant has a wallet of and this server can send.
func (a *App) payoutAssets(tx *store.Tx, merchantID string) ([]*Asset, error) {
	wallets, err := tx.Wallets(merchantID)
	var out []*Asset
	for _, w := range wallets {
		if asset, ok := a.Asset(w.Asset); ok && asset.Spending != nil {
			out = append(out, asset)
		}
	}
	return out, err
}

// byLink runs one step of the page and stores what came of it. A refusal that
// counts is stored too, if the step says so.
func (a *App) byLink(ctx context.Context, link string, do func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error)) (r *recipient.Recipient, err error) {
	var refused error
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if _, r, err = a.followLink(tx, link); err != nil {
			return err
		}
		changes, err := do(tx, r)
		var counts *counted
		refused = nil
		if errors.As(err, &counts) {
			refused, err = counts.error, nil
		}
		if err != nil {
			return err
		}
		return a.saveRecipient(tx, r, changes)
	})
	if err != nil {
		return nil, err
	}
	a.tellEvents(r.ID)
	return r, refused
}

// counted is a refusal that left a trace which must be stored.
type counted struct{ error }

// ConfirmRecipient notes that the reader of a recipient's mail asks for payment.
func (a *App) ConfirmRecipient(ctx context.Context, link string) (*recipient.Recipient, error) {
	shopper, err := a.newID()
	if err != nil {
		return nil, err
	}
	return a.byLink(ctx, link, func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		m, err := tx.Merchant(r.Merchant)
		if err != nil {
			return nil, err
		}
		return r.ConfirmEmail(shopper, m.Settings.RecipientCheck)
	})
}
