package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
)

const (
	skimBlocks = 1000 // asked about at once
	readAhead  = 4    // blocks read at the same time
	tellEvery  = 5 * time.Second
)

// skims reports whether blocks may be left unread. They may not while payments wait
// that a block took back: what spends their coins elsewhere pays none of our
// destinations, and no filter tells of it.
func (r *reading) skims(ctx context.Context) (bool, error) {
	if r.w.skim == nil || len(r.undo) > 0 {
		return false, nil
	}
	waiting, err := r.w.App.WaitingTxs(ctx, r.w.Source.Chain())
	if err != nil {
		return false, fmt.Errorf("read what waits: %w", err)
	}
	return len(waiting) == 0, nil
}

// skim advances to the tip and reads only the blocks that may concern us. Of the
// others their place in the chain is known, which is all that the cursor needs.
func (r *reading) skim(ctx context.Context, tip chain.Ref) error {
	at := r.position()
	for at.Height < tip.Height {
		blocks, err := r.w.headers(ctx, at, tip.Height)
		if err != nil {
			return err
		}
		// The blocks are known by hash now. Whoever paid an address in one of them
		// could read the address before, so it is in the database by now.
		if err := r.w.look(ctx); err != nil {
			return err
		}
		if err := r.w.readHits(ctx, blocks, func(b *chain.Block, whole bool) error {
			r.take(b)
			if !whole {
				r.bare++
			}
			at = b.Ref
			if r.full() && at.Height < tip.Height {
				return r.apply(ctx, false)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if at != tip {
		return errShifted
	}
	return nil
}

// headers are the next blocks of the best chain after one.
func (w *Watcher) headers(ctx context.Context, after chain.Ref, tip int64) ([]*chain.Block, error) {
	blocks, err := w.skim.Headers(ctx, after.Height+1, min(after.Height+skimBlocks, tip))
	if errors.Is(err, chain.ErrNotFound) || err == nil && len(blocks) == 0 {
		return nil, errShifted
	}
	if err != nil {
		return nil, fmt.Errorf("read the headers after block %d: %w", after.Height, err)
	}
	for _, b := range blocks {
		if b.Prev != after.Hash || b.Height != after.Height+1 {
			return nil, errShifted
		}
		after = b.Ref
	}
	return blocks, nil
}

// readHits calls visit for each block in order, read whole where it may concern one of
// our destinations.
func (w *Watcher) readHits(ctx context.Context, blocks []*chain.Block, visit func(b *chain.Block, whole bool) error) error {
	hits, err := w.skim.Skim(ctx, blocks, w.list.All())
	if errors.Is(err, chain.ErrNotFound) {
		return errShifted
	}
	if err != nil {
		return fmt.Errorf("skim the blocks from %d: %w", blocks[0].Height, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := w.readAhead(ctx, blocks, hits)
	for i, b := range blocks {
		if hits[i] {
			r := <-<-ahead
			if r.err != nil {
				return r.err
			}
			b = r.block
		}
		if err := visit(b, hits[i]); err != nil {
			return err
		}
	}
	return nil
}

// fetched is a block that was read.
type fetched struct {
	block *chain.Block
	err   error
}

// readAhead reads the hit blocks a few at a time, and hands them over in order.
func (w *Watcher) readAhead(ctx context.Context, blocks []*chain.Block, hits []bool) <-chan chan fetched {
	out := make(chan chan fetched, readAhead)
	go func() {
		for i, b := range blocks {
			if !hits[i] {
				continue
			}
			one := make(chan fetched, 1)
			select {
			case out <- one:
			case <-ctx.Done():
				return
			}
			go func() { one <- w.fetch(ctx, b) }()
		}
	}()
	return out
}

func (w *Watcher) fetch(ctx context.Context, known *chain.Block) fetched {
	b, err := w.Source.Block(ctx, known.Hash)
	switch {
	case errors.Is(err, chain.ErrNotFound):
		err = errShifted
	case err != nil:
		err = fmt.Errorf("read block %d: %w", known.Height, err)
	case b.Ref != known.Ref || b.Prev != known.Prev:
		err = fmt.Errorf("read block %d: asked for %s, got %s", known.Height, known.Hash, b.Hash)
	}
	return fetched{b, err}
}

// tellProgress logs how far a long reading is.
func (w *Watcher) tellProgress(height int64) {
	now := w.Now()
	if now.Sub(w.told) < tellEvery {
		return
	}
	w.told = now
	tip := w.Status().Tip.Height
	w.Log.Info("reading the chain", "chain", w.Source.Chain(), "height", height, "of", tip, "behind", tip-height)
}
