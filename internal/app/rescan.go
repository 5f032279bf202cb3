package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
)

// Rescan is a look back through a chain.
type Rescan = store.Rescan

// StartRescan asks for a look back through a chain, from a height up to where it is
// followed: for payments to addresses that were not known when their block was
// followed. Whichever server follows the chain works it off.
func (a *App) StartRescan(ctx context.Context, chainName string, from int64) (*store.Rescan, error) {
	if from < 0 {
		return nil, errors.New("a height is not below 0")
	}
	id, err := a.newID()
	if err != nil {
		return nil, err
	}
	var r *store.Rescan
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		cur, err := tx.Cursor(chainName)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s was not followed yet: start the server first", chainName)
		}
		if err != nil {
			return err
		}
		if from > cur.Block.Height {
			return fmt.Errorf("%s is followed to height %d only, so there is nothing to read from %d", chainName, cur.Block.Height, from)
		}
		now := a.now()
		r = &store.Rescan{
			ID: id, Chain: chainName, From: max(from, 1), Next: max(from, 1), To: cur.Block.Height, State: store.RescanRunning, Created: now, Updated: now,
		}
		return tx.AddRescan(r)
	})
	return r, err
}

// Rescan reads one by its id.
func (a *App) Rescan(ctx context.Context, id string) (r *store.Rescan, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		r, err = tx.Rescan(id)
		return err
	})
	return r, err
}

// Rescans lists the newest ones.
func (a *App) Rescans(ctx context.Context, limit int) (list []*store.Rescan, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Rescans(limit)
		return err
	})
	return list, err
}

// RunningRescans lists those of a chain that are not done, oldest first.
func (a *App) RunningRescans(ctx context.Context, chainName string) (list []*store.Rescan, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.RunningRescans(chainName)
		return err
	})
	return list, err
}

// errReorganised means that blocks which were read are not those that were followed.
var errReorganised = errors.New("app: the chain was reorganised while it was rescanned")

// RescanBlocks applies the next blocks of a rescan, which begin at r.Next: payments in
// them are recorded as if they had been seen when their block was followed, and those
// that are known stay as they are. r is how it stood before, and is moved on; it is
// done when the blocks end where the chain is followed to. After ErrCursorMoved another
// server did the step, and nothing was changed.
func (a *App) RescanBlocks(ctx context.Context, r *store.Rescan, blocks []BlockHits) error {
	now := a.now()
	p := Progress{Chain: r.Chain, New: blocks, ReadAt: now}
	var b *batch
	var moved store.Rescan
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		b = &batch{app: a, tx: tx, p: &p, now: now, open: map[string]*open{}, transfers: map[string]*moving{}}
		if err := b.rescan(); err != nil {
			return err
		}
		cur, err := tx.Cursor(r.Chain)
		if err != nil {
			return err
		}
		moved = *r
		moved.Next, moved.To, moved.Updated = r.Next+int64(len(blocks)), cur.Block.Height, now
		moved.Found += b.added
		if moved.Next > cur.Block.Height {
			moved.State = store.RescanDone
		}
		// Trying again from where it no longer stands would be in vain, so this is not the
		// error on which a transaction is repeated.
		if err := tx.MoveRescan(&moved, r.Next); errors.Is(err, store.ErrChanged) {
			return ErrCursorMoved
		} else if err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	*r = moved
	a.tellEvents(b.touched...)
	return nil
}

// rescan records what the blocks hold. They are not joined to the chain: they are in
// it, which those that are still remembered prove.
func (b *batch) rescan() error {
	hits := 0
	for _, n := range b.p.New {
		hits += len(n.Hits) + len(n.Spends)
		known, err := b.tx.BlockAt(b.p.Chain, n.Block.Height)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && known.Hash != n.Block.Hash {
			return errReorganised
		}
		for _, h := range n.Hits {
			if err := b.see(h, n.Block); err != nil {
				return err
			}
		}
		if err := b.spends(n.Spends, n.Block.Ref); err != nil {
			return err
		}
	}
	if hits == 0 {
		return nil
	}
	if err := b.conflicts(); err != nil {
		return err
	}
	if err := b.assess(); err != nil {
		return err
	}
	return b.assessTransfers()
}

// Position is how far a chain has been followed, for people.
type Position struct {
	Chain   string
	Network string
	Block   chain.Ref
	At      time.Time // when it got there
}

// Positions lists how far each chain has been followed.
func (a *App) Positions(ctx context.Context) (list []Position, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		tips, err := tx.Tips()
		if err != nil {
			return err
		}
		for name := range tips {
			c, err := tx.Cursor(name)
			if err != nil {
				return err
			}
			list = append(list, Position{Chain: name, Network: c.Network, Block: c.Block, At: c.At})
		}
		return nil
	})
	return list, err
}
