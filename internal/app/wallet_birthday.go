package app

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// clockSlack is how far the times in blocks may be off (consensus rule: two hours
// ahead of the network's time); a search begins as much earlier.
const clockSlack = 2 * time.Hour

// WalletMarks are the first indices of a wallet that were never handed out: of the
// addresses that payers see, and of those for change.
func (a *App) WalletMarks(ctx context.Context, walletID string) (index, change int64, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		index, change, err = tx.WalletMarks(walletID)
		return err
	})
	return index, change, err
}

// BirthHeight is the block from which on a wallet with this birthday has to be
// searched for; 0 when nothing is known. A day is looked up in the chain.
func BirthHeight(ctx context.Context, b merchant.Birthday, src chain.Source) (int64, error) {
	if b.Height > 0 || b.At.IsZero() {
		return b.Height, nil
	}
	tip, err := src.Tip(ctx)
	if err != nil {
		return 0, err
	}
	from := b.At.Add(-clockSlack)
	// The times of blocks do not all ascend, but those that are hours apart do.
	height := sort.Search(int(tip.Height), func(h int) bool {
		if err != nil {
			return true
		}
		var at time.Time
		at, err = timeOf(ctx, src, int64(h))
		return !at.Before(from)
	})
	return int64(height), err
}

// Dated is a birthday with its time, which is that of the block where only its height
// is known and the chain can be asked; src may be nil.
func Dated(ctx context.Context, b merchant.Birthday, src chain.Source) (merchant.Birthday, error) {
	if !b.At.IsZero() || b.Height == 0 || src == nil {
		return b, nil
	}
	at, err := timeOf(ctx, src, b.Height)
	if errors.Is(err, chain.ErrNotFound) {
		return b, nil
	}
	b.At = at
	return b, err
}

func timeOf(ctx context.Context, src chain.Source, height int64) (time.Time, error) {
	hash, err := src.HashAt(ctx, height)
	if err != nil {
		return time.Time{}, err
	}
	block, err := src.Block(ctx, hash)
	if err != nil {
		return time.Time{}, err
	}
	return block.Time, nil
}
