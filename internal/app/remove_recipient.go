package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// RemoveRecipient takes a recipient out; links that are on their way lead
// nowhere from then on. One with payouts that wait stays.
func (a *App) RemoveRecipient(ctx context.Context, id string) (*recipient.Recipient, error) {
	return a.changeRecipient(ctx, id, func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		open, err := hasOpenPayouts(tx, id)
		if err != nil {
			return nil, err
		}
		if open {
			return nil, fault.New(fault.Invalid0, "Invalid recipient: payouts to it are still new. Cancel them first")
		}
		if err := tx.UseLinks(id, ""); err != nil {
			return nil, err
		}
		return r.Remove()
	})
}

// hasOpenPayouts reports whether payouts to a recipient are still new.
func hasOpenPayouts(tx *store.Tx, id string) (bool, error) { return tx.HasNewPayouts(id) }
