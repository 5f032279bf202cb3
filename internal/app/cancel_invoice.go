package app

import (
	"context"

	"github.com/quittance/quittance/internal/invoice"
)

// CancelInvoice withdraws an invoice; see invoice.Cancel.
func (a *App) CancelInvoice(ctx context.Context, id string, force bool) (Shown, error) {
	return a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
		return inv.Cancel(force, a.now())
	})
}
