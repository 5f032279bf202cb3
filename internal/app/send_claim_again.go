package app

import (
	"context"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// claimAgainEvery is how often the claim link can be asked for on the invoice's
// page. That is less often than the merchant may send it: anybody who knows the
// invoice can ask.
const claimAgainEvery = 10 * time.Minute

// MaySendClaimAgain reports whether a refund's link may be asked for now.
func MaySendClaimAgain(r *refund.Refund, now time.Time) bool {
	return r.Awaits() && now.Sub(r.State.Notified) >= claimAgainEvery
}

// SendClaimAgain sends the buyer of an invoice the claim links that wait, to where
// they went before. Who asks is shown none of them: an invoice's address is known
// to the shop and may have been seen by others.
func (a *App) SendClaimAgain(ctx context.Context, invoiceID string) (Shown, error) {
	s, err := a.Invoice(ctx, invoiceID)
	if err != nil {
		return s, err
	}
	sent := false
	for _, r := range s.Refunds {
		if !MaySendClaimAgain(r, a.now()) {
			continue
		}
		if err := a.sendClaimAgain(ctx, r.ID); err != nil {
			return s, err
		}
		sent = true
	}
	if !sent {
		return s, fault.New(fault.RefundInvalid, "No refund waits for an address, or its link was sent just now: look for the mail, in the folder for unwanted mail too")
	}
	return a.Invoice(ctx, invoiceID)
}

func (a *App) sendClaimAgain(ctx context.Context, id string) error {
	r, err := a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, _ *invoice.Invoice, now time.Time) error {
		return a.askAgain(tx, r, now)
	})
	if err == nil {
		a.textClaim(ctx, r)
	}
	return err
}
