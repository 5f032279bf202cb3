package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// PayInvoice pays an invoice on the sandbox chain with a real transaction and
// mines until it is confirmed or complete.
func (a *App) PayInvoice(ctx context.Context, id string, until invoice.Status) (Shown, error) {
	if a.Sandbox == nil {
		return Shown{}, fault.New(fault.InvoiceDemoOnly, "Unable to perform action outside of demo environment")
	}
	inv, err := a.Invoice(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	if inv.Status == invoice.New && !a.now().After(inv.Expires) {
		if err := a.payRest(ctx, inv.Invoice); err != nil {
			return Shown{}, err
		}
	} else if inv.Status != invoice.Paid && inv.Status != invoice.Confirmed {
		return Shown{}, fault.New(fault.InvoiceState, "Invalid invoice state: it is %s and cannot be paid", inv.Status)
	}
	blocks := int(inv.Depths(inv.Chosen().Asset).Medium)
	if until == invoice.Complete || inv.Terms.Order.Speed == invoice.Low {
		blocks = int(inv.Target())
	}
	if err := a.Sandbox.Mine(ctx, blocks); err != nil {
		a.Log.Error("mine on the sandbox chain", "invoice", id, "error", err)
		return Shown{}, fault.New(fault.InvoiceMockPayment, "Unable to apply mock transaction to invoice: %v", err)
	}
	return a.Invoice(ctx, id)
}

// payRest sends what is still due.
func (a *App) payRest(ctx context.Context, inv *invoice.Invoice) error {
	o := inv.Chosen()
	rest, err := o.Due.Sub(inv.Received())
	if err != nil {
		return fault.New(fault.InvoiceState, "Invalid invoice state: it is already paid")
	}
	amount, _ := rest.Uint64()
	if _, err := a.Sandbox.Pay(ctx, o.Address, amount); err != nil {
		a.Log.Error("pay on the sandbox chain", "invoice", inv.ID, "error", err)
		return fault.New(fault.InvoiceMockPayment, "Unable to apply mock transaction to invoice: %v", err)
	}
	return a.Sandbox.Settle(ctx)
}

// ChooseAsset records what the buyer picked on the checkout page.
func (a *App) ChooseAsset(ctx context.Context, id, code string) (Shown, error) {
	return a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
		if _, ok := inv.Option(code); !ok {
			return nil, fault.Invalid(fault.InvoiceInvalid, "currency", "this invoice cannot be paid in %q", code)
		}
		if inv.Status != invoice.New || inv.PaymentAsset() != "" {
			return nil, fault.New(fault.InvoiceState, "Invalid invoice state: the currency can no longer be changed")
		}
		inv.State.Asset = code
		return nil, nil
	})
}

// Timeline lists what happened to an invoice, in order.
func (a *App) Timeline(ctx context.Context, id string, after int64) (list []store.Event, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.EventsOf(id, after)
		return err
	})
	return list, err
}
