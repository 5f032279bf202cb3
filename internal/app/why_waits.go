package app

import (
	"context"
	"errors"

	"github.com/quittance/quittance/internal/store"
)

// WhyWaits says why an order for money out is not on its way yet: what its
// transaction waits for, or itself. Empty when nothing keeps it.
func (a *App) WhyWaits(ctx context.Context, order string) (why string, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		why = ""
		o, err := tx.Order(order)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		why = o.Problem
		if o.Transfer == "" {
			return nil
		}
		t, err := tx.Transfer(o.Transfer)
		if err == nil {
			why = t.Problem
		}
		return err
	})
	return why, err
}
