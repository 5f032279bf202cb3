package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
)

const (
	rescanLook   = 2 * time.Second // how often it is looked whether one was asked for
	rescanSkim   = 200             // blocks of a step where they are skimmed
	rescanBlocks = 20              // blocks of a step where each is read
	rescanPause  = 50 * time.Millisecond
)

// rescans works off what operators ask for, beside following the chain, until the
// context ends.
func (w *Watcher) rescans(ctx context.Context) {
	failures := 0
	for {
		w.wait(ctx, rescanLook, nil)
		if ctx.Err() != nil {
			return
		}
		if !w.Ready() {
			continue
		}
		err := w.Rescan(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, chain.ErrSyncing) {
			failures = 0
			continue
		}
		failures++
		w.Log.Error("rescan the chain; it is tried again", "chain", w.Source.Chain(), "error", err)
		w.wait(ctx, pause(failures), nil)
	}
}

// Rescan works off every rescan that was asked for and is not done.
func (w *Watcher) Rescan(ctx context.Context) error {
	list, err := w.App.RunningRescans(ctx, w.Source.Chain())
	if err != nil {
		return fmt.Errorf("look for rescans: %w", err)
	}
	for _, r := range list {
		if err := w.rescan(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) rescan(ctx context.Context, r *app.Rescan) error {
	// An address may be in the database with a date long past: one that was imported,
	// or came with a backup. It is known from here on, also to whoever follows the chain.
	if err := w.App.WatchedAddresses(ctx, r.Chain, time.Time{}, w.add); err != nil {
		return fmt.Errorf("load the addresses: %w", err)
	}
	if err := w.App.WatchedCoins(ctx, r.Chain, func(o chain.Outpoint) { w.coins.Add(o.Key()) }); err != nil {
		return fmt.Errorf("load the coins: %w", err)
	}
	w.Log.Info("rescanning", "chain", r.Chain, "next", r.Next, "to", r.To)
	told := w.Now()
	for r.Running() {
		err := w.rescanStep(ctx, r)
		if errors.Is(err, app.ErrCursorMoved) {
			return nil // another server is at it
		}
		if err != nil {
			return err
		}
		if now := w.Now(); now.Sub(told) >= tellEvery {
			told = now
			w.Log.Info("rescanning", "chain", r.Chain, "next", r.Next, "to", r.To, "found", r.Found)
		}
		w.wait(ctx, rescanPause, nil) // others want the database too
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	w.Log.Info("rescanned", "chain", r.Chain, "from", r.From, "to", r.To, "found", r.Found)
	return nil
}

// rescanStep reads the next blocks and applies them.
func (w *Watcher) rescanStep(ctx context.Context, r *app.Rescan) error {
	cursor, err := w.App.Cursor(ctx, r.Chain)
	if err != nil {
		return err
	}
	var blocks []*chain.Block
	if w.skim != nil {
		blocks, err = w.skimBack(ctx, r.Next, min(r.Next+rescanSkim-1, cursor.Height))
	} else {
		blocks, err = w.readBack(ctx, r.Next, min(r.Next+rescanBlocks-1, cursor.Height))
	}
	if err != nil {
		return err
	}
	hits := make([]app.BlockHits, 0, len(blocks))
	read := &reading{w: w}
	for _, b := range blocks {
		n := app.BlockHits{Block: b, Hits: read.match(b)}
		n.Spends = read.spends(b)
		hits = append(hits, n)
	}
	return w.App.RescanBlocks(ctx, r, hits)
}

func (w *Watcher) skimBack(ctx context.Context, from, to int64) (list []*chain.Block, err error) {
	if from > to {
		return nil, nil
	}
	blocks, err := w.skim.Headers(ctx, from, to)
	if err != nil || len(blocks) == 0 {
		return nil, errors.Join(err, errors.New("the back end has fewer blocks than were followed"))
	}
	err = w.readHits(ctx, blocks, func(b *chain.Block, _ bool) error {
		list = append(list, b)
		return nil
	})
	return list, err
}

func (w *Watcher) readBack(ctx context.Context, from, to int64) (list []*chain.Block, err error) {
	outputs, before := 0, ""
	for height := from; height <= to && outputs < maxOutputs; height++ {
		b, err := (&reading{w: w}).block(ctx, height)
		if err != nil {
			return nil, err
		}
		if b.Height != height || before != "" && b.Prev != before {
			return nil, errShifted
		}
		before = b.Hash
		for i := range b.Txs {
			outputs += len(b.Txs[i].Payments)
		}
		list = append(list, b)
	}
	return list, nil
}
