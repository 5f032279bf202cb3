package watch

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
)

// BehindError means that the back end is not as far as it was before, or as the one
// before it was.
type BehindError struct{ Tip, Followed chain.Ref }

func (e *BehindError) Error() string {
	return fmt.Sprintf("the back end is at block %d, and block %d was followed already: it has lost blocks or its peers, or is one that still catches up; nothing is undone until it is as far again", e.Tip.Height, e.Followed.Height)
}

// rewind finds the blocks that the cursor has to leave because they are not in
// the best chain any more.
func (r *reading) rewind(ctx context.Context, tip chain.Ref) error {
	at := r.from
	if r.w.Patient && tip.Height < at.Height {
		return &BehindError{Tip: tip, Followed: at}
	}
	for {
		hash, err := r.w.Source.HashAt(ctx, at.Height)
		if err != nil && !errors.Is(err, chain.ErrNotFound) {
			return fmt.Errorf("ask for block %d: %w", at.Height, err)
		}
		if err == nil && hash == at.Hash {
			r.base = at
			return nil
		}
		if at.Height == 0 || len(r.undo) == maxUndo {
			return fmt.Errorf("the last %d blocks that were followed are not in the best chain of the back end; check that it serves the right chain and has finished its own synchronisation", len(r.undo)+1)
		}
		r.undo = append(r.undo, at)
		if at, err = r.parent(ctx, at); err != nil {
			return err
		}
	}
}

// parent is the block before one that may have left the best chain: from the
// database, else from the back end.
func (r *reading) parent(ctx context.Context, of chain.Ref) (chain.Ref, error) {
	height := of.Height - 1
	ref, known, err := r.w.App.FollowedBlock(ctx, r.w.Source.Chain(), height)
	if err != nil {
		return ref, fmt.Errorf("read the followed block %d: %w", height, err)
	}
	if known {
		return ref, nil
	}
	b, err := r.w.Source.Block(ctx, of.Hash)
	if err == nil {
		return chain.Ref{Hash: b.Prev, Height: height}, nil
	}
	if !errors.Is(err, chain.ErrNotFound) {
		return ref, fmt.Errorf("read block %s: %w", of.Hash, err)
	}
	// Nobody knows it any more. It is below the first block that was followed,
	// so no payment was recorded there, and the best chain's block will do.
	hash, err := r.w.Source.HashAt(ctx, height)
	if errors.Is(err, chain.ErrNotFound) {
		return ref, errShifted
	}
	return chain.Ref{Hash: hash, Height: height}, err
}
