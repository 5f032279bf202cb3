package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
)

// Play is what a visitor of the sandbox does to an invoice. Unlike PayInvoice it
// leaves each step of the invoice's life to be looked at.
type Play string

// Exact sends what is still due, Partial half of it, Over a quarter of the whole
// more; Mine adds one block.
const (
	PlayExact   Play = "exact"
	PlayPartial Play = "partial"
	PlayOver    Play = "over"
	PlayMine    Play = "mine"
)

// PlayInvoice takes one step with play money on the sandbox chain and returns
// the invoice after the server has followed it. An expired invoice can be paid
// too: that is a late payment.
func (a *App) PlayInvoice(ctx context.Context, id string, what Play) (Shown, error) {
	if a.Sandbox == nil {
		return Shown{}, fault.New(fault.InvoiceDemoOnly, "Unable to perform action outside of demo environment")
	}
	inv, err := a.Invoice(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	if what == PlayMine {
		err = a.Sandbox.Mine(ctx, 1)
	} else {
		err = a.playPayment(ctx, inv.Invoice, what)
	}
	if _, refused := fault.As(err); refused {
		return Shown{}, err
	}
	if err != nil {
		a.Log.Error("play on the sandbox chain", "invoice", id, "what", what, "error", err)
		return Shown{}, fault.New(fault.InvoiceMockPayment, "Unable to apply mock transaction to invoice: %v", err)
	}
	return a.Invoice(ctx, id)
}

func (a *App) playPayment(ctx context.Context, inv *invoice.Invoice, what Play) error {
	if inv.Status != invoice.New && inv.Status != invoice.Expired {
		return fault.New(fault.InvoiceState, "Invalid invoice state: it is %s and cannot be paid", inv.Status)
	}
	o := inv.Chosen()
	due, _ := o.Due.Uint64()
	got, _ := inv.Received().Uint64()
	amount := due
	if got < due {
		amount = due - got
	}
	switch what {
	case PlayExact:
	case PlayPartial:
		amount /= 2
	case PlayOver:
		amount += due/4 + 1
	default:
		return fault.Invalid(fault.InvoiceInvalid, "what", "%q is not one of exact, partial, over, mine", what)
	}
	if _, err := a.Sandbox.Pay(ctx, o.Address, amount); err != nil {
		return err
	}
	return a.Sandbox.Settle(ctx)
}
