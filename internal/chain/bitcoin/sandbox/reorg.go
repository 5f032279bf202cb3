package sandbox

import (
	"context"
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/quittance/quittance/internal/chain"
)

// ReorgOptions says what a competing branch holds.
type ReorgOptions struct {
	Drop    []string // txids that vanish, with all that depends on them
	Unmined bool     // leave the abandoned transactions in the mempool
	Extra   int      // blocks beyond the one that makes the branch longer
}

// Reorg builds a branch of depth+1+Extra blocks from depth blocks below the
// tip, so that the chain really reorganises. The transactions of the abandoned
// blocks are mined again at their old heights, or return to the mempool with
// Unmined; dropped ones do neither. It returns the new blocks.
func (c *Chain) Reorg(ctx context.Context, depth int, opts ReorgOptions) ([]chain.Ref, error) {
	if opts.Extra < 0 || opts.Extra > maxMine {
		return nil, fmt.Errorf("sandbox: cannot add %d blocks to a branch", opts.Extra)
	}
	dropped := map[chainhash.Hash]bool{}
	for _, txid := range opts.Drop {
		hash, err := chainhash.NewHashFromStr(txid)
		if err != nil {
			return nil, fmt.Errorf("sandbox: %q is not a txid: %w", txid, err)
		}
		dropped[*hash] = true
	}
	var refs []chain.Ref
	err := c.change(ctx, func() error {
		if _, best := c.tip(); depth < 1 || depth > int(best) {
			return fmt.Errorf("sandbox: cannot reorganise %d of %d blocks", depth, best)
		}
		drafts, err := c.branch(depth, dropped, opts)
		if err != nil {
			return err
		}
		refs, err = c.mineBranch(drafts, dropped)
		if err != nil {
			return err
		}
		return c.savePool()
	})
	return refs, err
}

// branch plans the competing blocks and adds to dropped what depends on it. The
// transactions that will return to the mempool are put into its file first, so
// that a crash right after the reorganisation does not lose them.
func (c *Chain) branch(depth int, dropped map[chainhash.Hash]bool, opts ReorgOptions) ([]draft, error) {
	_, best := c.tip()
	drafts := make([]draft, depth+1+opts.Extra)
	for i := range drafts {
		drafts[i].height = best - int32(depth) + 1 + int32(i)
	}
	for i := range depth {
		block, err := c.blocks.BlockByHeight(drafts[i].height)
		if err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		if i == 0 {
			drafts[0].prev = block.MsgBlock().Header.PrevBlock
		}
		if err := c.keepTxs(block, &drafts[i], dropped, opts.Unmined); err != nil {
			return nil, err
		}
	}
	return drafts, nil
}

// keepTxs moves what survives of an abandoned block into the draft or, when it
// is to stay unmined, into the mempool's file.
func (c *Chain) keepTxs(block *btcutil.Block, d *draft, dropped map[chainhash.Hash]bool, unmined bool) error {
	spent, err := c.blocks.FetchSpendJournal(block)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	for i, tx := range block.Transactions() {
		if i == 0 {
			dropped[*tx.Hash()] = true
			continue
		}
		var fee int64
		for range tx.MsgTx().TxIn {
			fee += spent[0].Amount
			spent = spent[1:]
		}
		for _, out := range tx.MsgTx().TxOut {
			fee -= out.Value
		}
		if dropped[*tx.Hash()] || spendsAny(tx, dropped) {
			dropped[*tx.Hash()] = true
			continue
		}
		if !unmined {
			d.txs = append(d.txs, tx)
			d.fees += fee
			continue
		}
		raw, err := rawTx(tx)
		if err != nil {
			return err
		}
		if err := c.poolFile.add(raw); err != nil {
			return err
		}
	}
	return nil
}

func (c *Chain) mineBranch(drafts []draft, dropped map[chainhash.Hash]bool) ([]chain.Ref, error) {
	var refs []chain.Ref
	for i, d := range drafts {
		if i > 0 {
			prev, err := chainhash.NewHashFromStr(refs[i-1].Hash)
			if err != nil {
				return refs, fmt.Errorf("sandbox: %w", err)
			}
			d.prev = *prev
		}
		ref, err := c.mineDraft(d, dropped)
		if err != nil {
			return refs, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}
