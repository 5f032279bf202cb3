package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
)

// WrongChainError means that the back end serves another chain than the one the
// database has followed so far.
type WrongChainError struct{ Chain, Have, Got string }

func (e *WrongChainError) Error() string {
	return fmt.Sprintf("the database has followed %s on %q but the back end serves %q: check the network setting, or use another data folder", e.Chain, e.Have, e.Got)
}

// StartChain opens the cursor of a chain at its present tip, or checks that the
// database has followed this very chain and no other.
func (a *App) StartChain(ctx context.Context, src chain.Source) (store.Cursor, error) {
	tip, err := src.Tip(ctx)
	if err != nil {
		return store.Cursor{}, err
	}
	var cur store.Cursor
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		cur, err = tx.Cursor(src.Chain())
		if errors.Is(err, store.ErrNotFound) {
			cur = store.Cursor{Chain: src.Chain(), Network: src.Network(), Genesis: src.Genesis(), Block: tip, At: a.now()}
			return tx.StartCursor(cur)
		}
		return err
	})
	if err == nil && (cur.Genesis != src.Genesis() || cur.Network != src.Network()) {
		err = &WrongChainError{Chain: src.Chain(), Have: cur.Network + " " + cur.Genesis, Got: src.Network() + " " + src.Genesis()}
	}
	return cur, err
}
