package invoice

import (
	"time"

	"github.com/quittance/quittance/internal/fault"
)

// Return withdraws an invoice whose payment is given back before it was credited.
func (inv *Invoice) Return() (Change, error) {
	to, err := Step(inv.Status, RefundedEarly)
	if err != nil {
		return Change{}, err
	}
	ch := Change{Kind: Moved, From: inv.Status, To: to, On: RefundedEarly}
	inv.Status = to
	return ch, nil
}

// Cancel withdraws the invoice. Once money was seen, the buyer must be reachable
// about it or the merchant insists (force). Cancelling twice changes nothing.
func (inv *Invoice) Cancel(force bool, now time.Time) ([]Change, error) {
	if inv.IsCancelled() {
		return nil, nil
	}
	e := CanceledUnpaid
	switch inv.Status {
	case New:
	case Paid, Confirmed, Invalid:
		e = CanceledPaid
	case Complete:
		return nil, fault.New(fault.InvoiceCancelState, "Invoice is completed and cannot be canceled")
	default:
		return nil, fault.New(fault.InvoiceCancelState, "Invoice is %s and cannot be canceled", inv.Status)
	}
	if !force && !inv.Received().IsZero() && inv.Contact() == "" {
		if inv.State.SMS != "" {
			return nil, fault.New(fault.InvoiceSMSUnverified, "The buyer's SMS number is not verified, so a refund of the payment could not be arranged; verify it, set an email, or send forceCancel")
		}
		return nil, fault.New(fault.InvoiceNoContact, "A payment was seen and the buyer's email or SMS is missing, so its refund could not be arranged; set one, or send forceCancel")
	}
	to, err := Step(inv.Status, e)
	if err != nil {
		return nil, err
	}
	ch := Change{Kind: Moved, From: inv.Status, To: to, On: e}
	inv.Status, inv.State.Cancelled = to, now
	return []Change{ch}, nil
}
