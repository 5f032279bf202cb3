package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/quittance/quittance/internal/chain"
)

// Invalidate takes depth blocks off the tip, for good, without putting others
// in their place; their transactions return to the mempool. The foundation
// stays. It returns the new tip, which is always the block that lay depth below
// the old one: stale branches that reach as high, and would take over under the
// rule of the most work, are invalidated as well. Shorter ones stay valid.
func (c *Chain) Invalidate(ctx context.Context, depth int) (chain.Ref, error) {
	var ref chain.Ref
	err := c.change(ctx, func() error {
		_, best := c.tip()
		if depth < 1 || depth > int(best)-foundationBlocks {
			return fmt.Errorf("sandbox: cannot take off %d of the %d blocks above the foundation", depth, best-foundationBlocks)
		}
		if err := c.keepAbove(best - int32(depth)); err != nil {
			return err
		}
		cutErr := c.cutAbove(best - int32(depth))
		// Also after a failure: the mempool and the faucet follow the chain.
		if err := errors.Join(cutErr, c.settle(nil), c.savePool()); err != nil {
			return err
		}
		hash, height := c.tip()
		ref = chain.Ref{Hash: hash.String(), Height: int64(height)}
		return nil
	})
	return ref, err
}

// keepAbove puts the transactions of the best chain's blocks above height into
// the mempool's file, so that a crash while the blocks leave does not lose them.
func (c *Chain) keepAbove(height int32) error {
	dropped := map[chainhash.Hash]bool{}
	for _, best := c.tip(); height < best; height++ {
		block, err := c.blocks.BlockByHeight(height + 1)
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		if err := c.keepTxs(block, &draft{}, dropped, true); err != nil {
			return err
		}
	}
	return nil
}

// cutAbove makes the best chain's block at height the tip. btcd, which
// reorganises to the valid leaf of the most work as soon as the best chain is
// cut, does not count a block whose children are all invalid as a leaf: once it
// has left for another branch the way back is lost. So every branch that could
// win goes first, while it is still stale, and the best chain is cut last.
func (c *Chain) cutAbove(height int32) error {
	for _, tip := range c.blocks.ChainTips() {
		if tip.Status != blockchain.StatusValidFork || tip.Height < height {
			continue
		}
		first, err := c.ancestor(tip.BlockHash, tip.BranchLen-1)
		if err != nil {
			return err
		}
		if err := c.invalidate(&first); err != nil {
			return err
		}
	}
	first, err := c.blocks.BlockHashByHeight(height + 1)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return c.invalidate(first)
}

// ancestor is the block n below the one with the hash, on whatever branch.
func (c *Chain) ancestor(hash chainhash.Hash, n int32) (chainhash.Hash, error) {
	for range n {
		header, err := c.blocks.HeaderByHash(&hash)
		if err != nil {
			return hash, fmt.Errorf("sandbox: %w", err)
		}
		hash = header.PrevBlock
	}
	return hash, nil
}

// invalidate marks a block and all that builds on it as invalid, and journals
// that.
func (c *Chain) invalidate(hash *chainhash.Hash) error {
	if err := c.blocks.InvalidateBlock(hash); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return c.journal.add(append([]byte{journalInvalidate}, hash[:]...))
}
