package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/store"
)

// SigningKeys lists the keys that sign answers to wallets, those of all servers on
// this database, retired ones too.
func (a *App) SigningKeys(ctx context.Context) (list []store.SigningKey, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.SigningKeys()
		return err
	})
	return list, err
}

// PublishSigningKey publishes the public half of a new key. Publishing it again
// changes nothing.
func (a *App) PublishSigningKey(ctx context.Context, k store.SigningKey) error {
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		list, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		for _, other := range list {
			if other.Identity == k.Identity {
				return nil
			}
		}
		return tx.AddSigningKey(k)
	})
}

// RetireSigningKey takes a key back: it signs nothing more and is published no
// longer.
func (a *App) RetireSigningKey(ctx context.Context, identity string) error {
	return refine(a.Store.Update(ctx, func(tx *store.Tx) error { return tx.RetireSigningKey(identity, a.now()) }),
		fault.New(fault.NotFound, "There is no key %q in use; `quittance protocol keys` lists them", identity))
}
