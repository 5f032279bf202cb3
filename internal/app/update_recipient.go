package app

import (
	"context"

	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// UpdateRecipient changes label and notification URL; empty ones stay.
func (a *App) UpdateRecipient(ctx context.Context, id, label, notificationURL string) (*recipient.Recipient, error) {
	return a.changeRecipient(ctx, id, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		return nil, r.Update(label, notificationURL, a.whyNotURL)
	})
}
