package app

import (
	"context"

	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// ResendRecipient sends the recipient's present state to its webhook again.
func (a *App) ResendRecipient(ctx context.Context, id string) error {
	_, err := a.changeRecipient(ctx, id, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		return r.Resend(a.now()), nil
	})
	return err
}
