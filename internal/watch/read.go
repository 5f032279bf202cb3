package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
)

// Bounds on what one transaction of the database takes, and on the memory held.
const (
	maxBlocks      = 50
	maxSkimmed     = 500 // with those that were not read
	maxOutputs     = 20_000
	maxReorgBlocks = 200  // new blocks that go in one call with the undone ones
	maxUndo        = 1000 // as many hashes as the database keeps
	maxRestarts    = 5
)

// errShifted means that the chain changed while it was read.
var errShifted = errors.New("watch: the best chain changed while it was read")

// read makes one complete reading and applies it. The caller has the turn.
func (w *Watcher) read(ctx context.Context) error {
	if err := w.start(ctx); err != nil {
		w.setStatus(func(s *Status) { s.Err = err })
		return err
	}
	w.mu.Lock()
	w.begun++
	number := w.begun
	w.mu.Unlock()
	var r *reading
	var err error
	for range maxRestarts {
		r = &reading{w: w, at: w.Now()}
		if err = r.run(ctx); !errors.Is(err, errShifted) && !errors.Is(err, app.ErrCursorMoved) {
			break
		}
	}
	w.mu.Lock()
	w.status.Err = err
	if err == nil {
		w.complete, w.status.LastRead = number, r.at
	}
	w.mu.Unlock()
	if w.Observe != nil {
		r.sum.Err, r.sum.Took = err, w.Now().Sub(r.at)
		w.Observe(r.sum)
	}
	if err != nil {
		return err
	}
	if err := w.App.CloseWindows(ctx); err != nil && ctx.Err() == nil {
		w.Log.Error("close payment windows; it is tried again", "chain", w.Source.Chain(), "error", err)
	}
	return nil
}

// reading is one look at the chain, from the mempool to the tip.
type reading struct {
	w   *Watcher
	at  time.Time
	sum Reading

	blocks  []*chain.Block // fetched, not applied
	bare    int            // of them without transactions, because nothing in them is ours
	outputs int            // in them
	pooled  bool           // the source has a mempool
	listed  []string       // all that is in it
	txs     []chain.Tx     // of the mempool; fetched, not applied
	dropped []string       // transactions given up
	undo    []chain.Ref
	base    chain.Ref // where the cursor stands after undo
	from    chain.Ref // where the cursor stands in the database
}

func (r *reading) run(ctx context.Context) error {
	src := r.w.Source
	first, err := src.Tip(ctx)
	if err != nil {
		return fmt.Errorf("ask for the tip: %w", err)
	}
	if err := r.mempool(ctx); err != nil {
		return err
	}
	tip, err := src.Tip(ctx)
	if err != nil {
		return fmt.Errorf("ask for the tip: %w", err)
	}
	r.w.setStatus(func(s *Status) { s.Tip = tip })
	if r.from, err = r.w.App.Cursor(ctx, src.Chain()); err != nil {
		return fmt.Errorf("read the cursor: %w", err)
	}
	if err := r.rewind(ctx, tip); err != nil {
		return err
	}
	if err := r.advance(ctx, tip); err != nil {
		return err
	}
	if err := r.stillThere(ctx, first, tip); err != nil {
		return err
	}
	if err := r.drop(ctx); err != nil {
		return err
	}
	return r.apply(ctx, true)
}

// mempool fetches what is new in the mempool. All but the last chunk is applied
// at once.
func (r *reading) mempool(ctx context.Context) error {
	ids, err := r.w.Source.Mempool(ctx)
	if errors.Is(err, chain.ErrNoMempool) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the mempool: %w", err)
	}
	r.pooled, r.listed = true, ids
	unread := r.w.pool.unread(ids)
	for len(unread) > 0 {
		n := min(len(unread), poolChunk)
		if r.txs, err = r.w.fetchPool(ctx, unread[:n]); err != nil {
			return fmt.Errorf("read the mempool: %w", err)
		}
		if unread = unread[n:]; len(unread) == 0 {
			break
		}
		if err := r.apply(ctx, false); err != nil {
			return err
		}
	}
	return nil
}

// advance fetches the blocks from the cursor up to the tip. Each must build on
// the one before, or the chain has changed meanwhile.
func (r *reading) advance(ctx context.Context, tip chain.Ref) error {
	if skim, err := r.skims(ctx); err != nil {
		return err
	} else if skim {
		return r.skim(ctx, tip)
	}
	at := r.position()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for next := range r.ahead(ctx, at.Height+1, tip.Height) {
		f := <-next
		if f.err != nil {
			return f.err
		}
		b := f.block
		if b.Prev != at.Hash || b.Height != at.Height+1 {
			return errShifted
		}
		r.take(b)
		at = b.Ref
		if r.full() && at.Height < tip.Height {
			if err := r.apply(ctx, false); err != nil {
				return err
			}
		}
	}
	if at != tip {
		return errShifted
	}
	return nil
}

// take holds a block until it is applied.
func (r *reading) take(b *chain.Block) {
	r.blocks = append(r.blocks, b)
	for i := range b.Txs {
		r.outputs += len(b.Txs[i].Payments)
	}
}

func (r *reading) block(ctx context.Context, height int64) (*chain.Block, error) {
	hash, err := r.w.Source.HashAt(ctx, height)
	var b *chain.Block
	if err == nil {
		b, err = r.w.Source.Block(ctx, hash)
	}
	if errors.Is(err, chain.ErrNotFound) {
		return nil, errShifted
	}
	if err != nil {
		return nil, fmt.Errorf("read block %d: %w", height, err)
	}
	if b.Hash != hash {
		return nil, fmt.Errorf("read block %d: asked for %s, got %s", height, hash, b.Hash)
	}
	return b, nil
}

// full reports that what is held goes into the database now. The blocks that
// replace undone ones stay together with them, so that no status is assessed
// half way between the two branches.
func (r *reading) full() bool {
	if len(r.undo) == 0 {
		return len(r.blocks)-r.bare >= maxBlocks || len(r.blocks) >= maxSkimmed || r.outputs >= maxOutputs
	}
	return len(r.blocks) >= maxReorgBlocks
}

// position is the block on which the next one has to build.
func (r *reading) position() chain.Ref {
	switch n := len(r.blocks); {
	case n > 0:
		return r.blocks[n-1].Ref
	case len(r.undo) > 0:
		return r.base
	}
	return r.from
}

// stillThere checks that the tip of the beginning is in the chain that was read:
// else a payment in it may be back in the mempool, which was read before.
func (r *reading) stillThere(ctx context.Context, first, tip chain.Ref) error {
	if first == tip {
		return nil
	}
	hash, err := r.w.Source.HashAt(ctx, first.Height)
	if errors.Is(err, chain.ErrNotFound) || err == nil && hash != first.Hash {
		return errShifted
	}
	return err
}

// apply puts what was fetched into the database and lets go of it.
func (r *reading) apply(ctx context.Context, complete bool) error {
	// Matching comes after this, and this after fetching; see look.
	if err := r.w.look(ctx); err != nil {
		return err
	}
	p := app.Progress{
		Chain: r.w.Source.Chain(), From: r.from, Undo: r.undo, Base: r.base,
		Dropped: r.dropped, ReadAt: r.at, Complete: complete,
	}
	pool := &chain.Block{Txs: r.txs}
	p.Hits = r.match(pool)
	r.probe(ctx, p.Hits)
	p.Spends = r.spends(pool)
	for i := range r.txs {
		p.Unconfirmed = append(p.Unconfirmed, &r.txs[i])
	}
	hits := len(p.Hits)
	for _, b := range r.blocks {
		n := app.BlockHits{Block: b, Hits: r.match(b)}
		n.Spends = r.spends(b)
		hits += len(n.Hits)
		p.New = append(p.New, n)
	}
	if err := r.w.App.FollowChain(ctx, p); err != nil {
		return fmt.Errorf("apply what was read: %w", err)
	}
	r.w.pool.done(r.txs)
	if n := len(r.undo); n > 0 {
		r.w.Log.Warn("the best chain was reorganised", "chain", p.Chain, "blocks", n, "base", r.base.Height)
	}
	r.sum.Undone += len(r.undo)
	r.sum.Blocks += len(r.blocks)
	r.sum.Unconfirmed += len(r.txs)
	r.sum.Hits += hits
	r.from = r.position()
	r.undo, r.blocks, r.txs, r.outputs, r.bare = nil, nil, nil, 0, 0
	if complete || len(p.New) > 0 {
		r.w.setStatus(func(s *Status) { s.Cursor = r.from })
	}
	if !complete {
		r.w.tellProgress(r.from.Height)
	}
	return nil
}

func (r *reading) match(b *chain.Block) (hits []app.Hit) {
	r.w.set.Match(b, func(tx *chain.Tx, p *chain.Payment) {
		hits = append(hits, app.Hit{Tx: tx, Payment: p})
		r.w.coins.Add(chain.Outpoint{Txid: tx.ID, Vout: p.Vout}.Key())
	})
	return hits
}

// spends finds the transactions that may spend a coin of ours. What the same
// block or the same reading pays to us is among the coins by now.
func (r *reading) spends(b *chain.Block) (list []*chain.Tx) {
	for i := range b.Txs {
		tx := &b.Txs[i]
		if slices.ContainsFunc(tx.Spends, func(o chain.Outpoint) bool { return r.w.coins.Contains(o.Key()) }) {
			list = append(list, tx)
		}
	}
	return list
}
