package app

import (
	"context"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// beginRefund starts a refund that was checked: the buyer is asked for an
// address, and with an immediate one the money is held from now on. An invoice
// that was not credited yet is withdrawn.
func (a *App) beginRefund(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
	var changes []invoice.Change
	if r.Terms.Full {
		withdrawn, err := inv.Return()
		if err != nil {
			return err
		}
		changes = append(changes, withdrawn)
	}
	r.State.Claims, r.State.ClaimedTo, r.State.Confirmed, r.State.Notified = 1, now.Add(refund.ClaimFor), now, now
	if r.Terms.Immediate && r.Terms.FromCredit {
		if err := a.holdRefund(tx, r, inv, now); err != nil {
			return err
		}
	}
	if err := a.save(tx, inv, changes, now); err != nil {
		return err
	}
	return a.saveRefund(tx, r, now)
}

// saveRefund stores a refund whose state has just changed, with the event.
func (a *App) saveRefund(tx *store.Tx, r *refund.Refund, now time.Time) error {
	code, name := r.Status.Notice()
	return a.announceRefund(tx, r, code, name, now)
}

func (a *App) announceRefund(tx *store.Tx, r *refund.Refund, code int64, name string, now time.Time) error {
	id, err := a.newID()
	if err != nil {
		return err
	}
	r.State.Events++
	if err := tx.SetRefund(r); err != nil {
		return err
	}
	e := store.Event{
		ID: id, Merchant: r.Merchant, Kind: "refund", Resource: r.ID, Seq: r.State.Events, Code: code, Name: name, Status: string(r.Status), At: now,
	}
	if code == refund.ManuallyNotified || !strings.Contains(r.Terms.Contact, "@") {
		return a.announce(tx, e, r.Terms.Notification)
	}
	return a.announce(tx, e, r.Terms.Notification, r.Terms.Contact)
}

// changeRefund runs one operation on a refund with its invoice and stores what
// came of it.
func (a *App) changeRefund(ctx context.Context, id string, do func(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error) (r *refund.Refund, err error) {
	now := a.now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if r, err = tx.Refund(id); err != nil {
			return refine(err, fault.New(fault.RefundNotFound, "Refund not found"))
		}
		inv, err := tx.Invoice(r.Invoice)
		if err != nil {
			return err
		}
		return do(tx, r, inv, now)
	})
	if err == nil {
		a.tellEvents(r.ID, r.Invoice)
	}
	return r, err
}

// ConfirmRefund makes a preview a refund, at the fee that was quoted.
func (a *App) ConfirmRefund(ctx context.Context, id string) (*refund.Refund, error) {
	r, err := a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
		if r.Status == refund.Preview && now.After(r.Created.Add(refund.PreviewFor)) {
			return fault.New(fault.RefundInvalid, "The preview is older than %s, its fee no longer holds: ask for a new one", refund.PreviewFor)
		}
		if err := r.Move(refund.Confirm); err != nil {
			return err
		}
		if err := a.checkRefund(tx, r, inv); err != nil {
			return err
		}
		return a.beginRefund(tx, r, inv, now)
	})
	if err == nil {
		a.textClaim(ctx, r)
	}
	return r, err
}

// CancelRefund withdraws a refund that is not on its way. Cancelling twice
// changes nothing.
func (a *App) CancelRefund(ctx context.Context, id string) (*refund.Refund, error) {
	return a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
		switch {
		case r.Status == refund.Canceled:
			return nil
		case r.Terms.Full && r.Status != refund.Preview:
			return fault.New(fault.RefundInvalid, "The refund of an invoice that was not complete cannot be cancelled: the invoice was withdrawn for it")
		case r.State.Order != "":
			return fault.New(fault.RefundInvalid, "The refund is being paid and cannot be cancelled any more")
		}
		preview := r.Status == refund.Preview
		if err := r.Move(refund.Cancel); err != nil {
			return err
		}
		if err := a.freeRefund(tx, r, now); err != nil {
			return err
		}
		r.State.Ended = now
		if preview {
			return tx.SetRefund(r) // nobody was told of it
		}
		if err := a.saveRefund(tx, r, now); err != nil {
			return err
		}
		return a.noteUnapplied(tx, inv, now)
	})
}

// freeRefund gives back what the books hold for a refund.
func (a *App) freeRefund(tx *store.Tx, r *refund.Refund, now time.Time) error {
	if r.State.Entry == "" {
		return nil
	}
	_, err := a.reverse(tx, r.State.Entry, now)
	r.State.Entry = ""
	return err
}

// ResendRefund sends the refund's present state to the webhook again, and the
// buyer a new claim link if the address is still awaited.
func (a *App) ResendRefund(ctx context.Context, id string) error {
	_, err := a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, _ *invoice.Invoice, now time.Time) error {
		if r.Status == refund.Preview {
			return fault.New(fault.RefundInvalid, "Nobody was told of a preview, so there is nothing to send again")
		}
		if err := a.announceRefund(tx, r, refund.ManuallyNotified, "refund_manuallyNotified", now); err != nil {
			return err
		}
		return a.askAgain(tx, r, now)
	})
	return err
}

// askEvery is how often the buyer can be written to about one refund.
const askEvery = time.Minute

// askAgain writes to the buyer again, unless that was just done.
func (a *App) askAgain(tx *store.Tx, r *refund.Refund, now time.Time) error {
	if r.Status != refund.Created || r.State.Address != "" || now.Sub(r.State.Notified) < askEvery {
		return nil
	}
	r.State.Notified, r.State.ClaimedTo = now, now.Add(refund.ClaimFor)
	r.State.Events++
	if err := tx.SetRefund(r); err != nil {
		return err
	}
	id, err := a.newID()
	if err != nil || !strings.Contains(r.Terms.Contact, "@") {
		return err
	}
	code, name := r.Status.Notice()
	e := store.Event{
		ID: id, Merchant: r.Merchant, Kind: "refund", Resource: r.ID, Seq: r.State.Events, Code: code, Name: name, Status: string(r.Status), Detail: "asked again", At: now,
	}
	return a.announce(tx, e, "", r.Terms.Contact)
}

// textClaim sends the claim link as a text message to a buyer who is known by a
// number only.
func (a *App) textClaim(ctx context.Context, r *refund.Refund) {
	if r.Status != refund.Created || strings.Contains(r.Terms.Contact, "@") || a.SMS == nil {
		return
	}
	if err := a.SMS.Send(ctx, r.Terms.Contact, "Your refund waits. Say where to send it: "+a.ClaimURL(r)); err != nil {
		a.Log.Error("send a refund's link as a text message", "refund", r.ID, "error", err)
	}
}

// ClaimURL is where the buyer says where the money goes.
func (a *App) ClaimURL(r *refund.Refund) string {
	return a.PublicURL + "/refund?id=" + r.ID + "&code=" + r.ClaimCode(r.State.Claims)
}
