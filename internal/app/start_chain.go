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

// StartChain opens the cursor of a chain at its present tip, or where the back end
// says that a new database begins; or it checks that the database has followed this
// very chain and no other. A back end that is still synchronising is asked for
// nothing when there is a cursor; else its chain.ErrSyncing is returned, and the
// cursor is to be opened later.
func (a *App) StartChain(ctx context.Context, src chain.Source) (store.Cursor, error) {
	var cur store.Cursor
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		cur, err = tx.Cursor(src.Chain())
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		cur, err = a.openCursor(ctx, src)
	}
	if err == nil && (cur.Genesis != src.Genesis() || cur.Network != src.Network()) {
		err = &WrongChainError{Chain: src.Chain(), Have: cur.Network + " " + cur.Genesis, Got: src.Network() + " " + src.Genesis()}
	}
	return cur, err
}

func (a *App) openCursor(ctx context.Context, src chain.Source) (cur store.Cursor, err error) {
	begin := src.Tip
	if f, ok := src.(chain.Founder); ok {
		begin = f.Begin
	}
	block, err := begin(ctx)
	if err != nil {
		return cur, err
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		cur, err = tx.Cursor(src.Chain())
		if errors.Is(err, store.ErrNotFound) {
			cur = store.Cursor{Chain: src.Chain(), Network: src.Network(), Genesis: src.Genesis(), Block: block, At: a.now()}
			return tx.StartCursor(cur)
		}
		return err
	})
	return cur, err
}
