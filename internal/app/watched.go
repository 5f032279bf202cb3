package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// WatchedAddresses calls visit for every destination of a chain that was made
// at or after from; a zero from means all there are. visit must not keep dest.
func (a *App) WatchedAddresses(ctx context.Context, chainName string, from time.Time, visit func(dest []byte)) error {
	return a.Store.View(ctx, func(tx *store.Tx) error {
		var buffer []byte
		var bad error
		err := tx.Addresses(chainName, from, func(d string) {
			dest, err := hex.AppendDecode(buffer[:0], []byte(d))
			if err != nil {
				bad = fmt.Errorf("address row %q: %w", d, err)
				return
			}
			buffer = dest
			visit(dest)
		})
		return errors.Join(err, bad)
	})
}

// WatchedCoins calls visit for each output of ours whose spending matters.
func (a *App) WatchedCoins(ctx context.Context, chainName string, visit func(chain.Outpoint)) error {
	return a.Store.View(ctx, func(tx *store.Tx) error { return tx.WatchedCoins(chainName, visit) })
}

// Cursor is the block up to which a chain has been followed.
func (a *App) Cursor(ctx context.Context, chainName string) (ref chain.Ref, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		c, err := tx.Cursor(chainName)
		ref = c.Block
		return err
	})
	return ref, err
}

// FollowedBlock is the block that was followed at a height. known is false for
// heights before the first one followed, and for those long forgotten.
func (a *App) FollowedBlock(ctx context.Context, chainName string, height int64) (ref chain.Ref, known bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		ref, err = tx.BlockAt(chainName, height)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return ref, false, nil
	}
	return ref, err == nil, err
}

// DropAfter is how long a waiting payment has to be missing from the mempool
// until it no longer counts as received. Until then the node may just have
// started, or the sender may send it again. Mined, it counts at any time.
const DropAfter = invoice.ConfirmWithin

// WaitingTxs lists the unconfirmed transactions of a chain that invoices count on.
func (a *App) WaitingTxs(ctx context.Context, chainName string) (ids []string, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.PendingTxs(chainName)
		for _, p := range list {
			ids = append(ids, p.Txid)
		}
		return err
	})
	return ids, err
}
