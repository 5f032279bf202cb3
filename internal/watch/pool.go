package watch

import (
	"context"
	"errors"
	"hash/maphash"

	"golang.org/x/sync/errgroup"

	"github.com/quittance/quittance/internal/chain"
)

const (
	poolChunk  = 2000 // transactions fetched and applied at once
	poolFetch  = 4    // of them at the same time
	maxPoolIDs = 2_000_000
)

// pool remembers which unconfirmed transactions were read. It keeps a keyed
// hash of each id: should two collide, the second is read when it is mined.
type pool struct {
	seed maphash.Seed
	read map[uint64]uint32 // to the round in which the id was last listed
	now  uint32
}

func newPool() pool {
	return pool{seed: maphash.MakeSeed(), read: map[uint64]uint32{}}
}

// unread starts a round: it returns the ids that were not read yet, and forgets
// those that have left the mempool, so that one that comes back is read again.
func (p *pool) unread(ids []string) []string {
	p.now++
	var list []string
	for _, id := range ids {
		h := maphash.String(p.seed, id)
		if _, ok := p.read[h]; ok {
			p.read[h] = p.now
			continue
		}
		list = append(list, id)
	}
	for h, round := range p.read {
		if round != p.now {
			delete(p.read, h)
		}
	}
	return list
}

// done notes transactions that are applied. Beyond the bound they are simply
// read again each time, and so are those of which nothing could be learnt.
func (p *pool) done(txs []chain.Tx) {
	for i := range txs {
		if s := txs[i].Standing; s != nil && s.Unknown {
			continue
		}
		if len(p.read) < maxPoolIDs {
			p.read[maphash.String(p.seed, txs[i].ID)] = p.now
		}
	}
}

// fetchPool reads unconfirmed transactions; those that left meanwhile are left
// out: they are mined, or no longer of interest.
func (w *Watcher) fetchPool(ctx context.Context, ids []string) ([]chain.Tx, error) {
	found := make([]*chain.Tx, len(ids))
	if b, ok := w.Source.(chain.Batcher); ok {
		var err error
		if found, err = b.MempoolTxs(ctx, ids); err != nil {
			return nil, err
		}
		return present(found), nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(poolFetch)
	for i, id := range ids {
		group.Go(func() (err error) {
			found[i], err = w.Source.MempoolTx(ctx, id)
			if errors.Is(err, chain.ErrNotFound) {
				found[i], err = nil, nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return present(found), nil
}

// present are the transactions that are still there.
func present(found []*chain.Tx) []chain.Tx {
	txs := make([]chain.Tx, 0, len(found))
	for _, tx := range found {
		if tx != nil {
			txs = append(txs, *tx)
		}
	}
	return txs
}
