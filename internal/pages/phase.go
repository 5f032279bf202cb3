package pages

import (
	"time"

	"github.com/quittance/quittance/internal/invoice"
)

// phase is what the buyer sees of an invoice: its status, and what that leaves
// open.
type phase string

const (
	open           phase = "open"            // nothing paid yet
	partial        phase = "partial"         // part paid, still time
	closing        phase = "closing"         // time over, the chain not yet read up to then
	paid           phase = "paid"            // waits for confirmations
	confirmed      phase = "confirmed"       //
	complete       phase = "complete"        //
	expired        phase = "expired"         // nothing came
	expiredPartial phase = "expired-partial" // too little came
	late           phase = "late"            // money came too late
	invalid        phase = "invalid"         // the payment did not confirm or vanished
	cancelled      phase = "cancelled"       // by the merchant, no money seen
	declined       phase = "declined"        // by the merchant, after money was seen
)

func phaseOf(inv *invoice.Invoice, now time.Time) phase {
	switch inv.Status {
	case invoice.New:
		switch {
		case now.After(inv.Expires):
			return closing
		case inv.Exception() == "paidPartial":
			return partial
		}
		return open
	case invoice.Paid:
		return paid
	case invoice.Confirmed:
		return confirmed
	case invoice.Complete:
		return complete
	case invoice.Invalid:
		return invalid
	case invoice.Declined:
		return withdrawn(inv)
	}
	return expiry(inv)
}

func expiry(inv *invoice.Invoice) phase {
	switch {
	case inv.IsCancelled():
		return withdrawn(inv)
	case inv.HasLate():
		return late
	case inv.Exception() == "paidPartial":
		return expiredPartial
	}
	return expired
}

func withdrawn(inv *invoice.Invoice) phase {
	if inv.Received().IsZero() {
		return cancelled
	}
	return declined
}

// Payable reports whether the page shows an address.
func (p phase) Payable() bool { return p == open || p == partial }

// Settled reports whether the shop's goods are paid as far as the buyer cares.
func (p phase) Settled() bool { return p == paid || p == confirmed || p == complete }

// words are the headline and the sentence of a phase, not yet filled in.
func (p phase) words(t *text) (head, body string) {
	switch p {
	case open:
		return t.NewHead, t.NewText
	case partial:
		return t.PartialHead, t.PartialText
	case closing:
		return t.ClosingHead, t.ClosingText
	case paid:
		return t.PaidHead, t.PaidText
	case confirmed:
		return t.ConfirmedHead, t.ConfirmedText
	case complete:
		return t.CompleteHead, t.CompleteText
	case expiredPartial:
		return t.ExpiredPartialHead, t.ExpiredPartialText
	case late:
		return t.LateHead, t.LateText
	case invalid:
		return t.InvalidHead, t.InvalidText
	case cancelled:
		return t.CancelledHead, t.CancelledText
	case declined:
		return t.DeclinedHead, t.DeclinedText
	}
	return t.ExpiredHead, t.ExpiredText
}
