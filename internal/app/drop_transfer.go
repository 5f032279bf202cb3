package app

import (
	"context"
	"fmt"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// DropTransfer gives up a transfer that pays nobody and that nobody can have a
// signature of; its coins are free again.
func (a *App) DropTransfer(ctx context.Context, id string) error {
	t, err := a.Transfer(ctx, id)
	if err != nil {
		return err
	}
	if !t.PaysNobody() {
		return fmt.Errorf("transfer %s makes payments: cancel those instead", id)
	}
	s, err := a.lease(ctx, t.Wallet)
	if err != nil {
		return err
	}
	defer s.done(ctx)
	err = s.change(ctx, id, func(tx *store.Tx, t *transfer.Transfer) error {
		if !t.Secret() {
			return fmt.Errorf("transfer %s is %s: a signature of it may exist, so it cannot be taken back", id, t.State)
		}
		return giveUp(tx, t, "it was given up")
	})
	if err != nil {
		return err
	}
	return s.noteGivenUp(id)
}
