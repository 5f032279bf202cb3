package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
)

// ResendInvoice sends the invoice's present state to its notification URL again.
func (a *App) ResendInvoice(ctx context.Context, id string) error {
	_, err := a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
		if inv.Terms.Order.NotificationURL == "" {
			return nil, fault.Invalid(fault.InvoiceInvalid, "notificationURL", "the invoice has none, so there is nothing to resend to")
		}
		return []invoice.Change{{Kind: invoice.Resent, To: inv.Status}}, nil
	})
	return err
}
