package sandbox

import (
	"context"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/quittance/quittance/internal/chain"
)

// The foundation: so many blocks that foundationRich coinbases are mature
// (100 blocks deep), each split into foundationSplit coins.
const (
	foundationRich   = 20
	foundationSplit  = 50
	foundationBlocks = foundationRich + 100
)

// maxMine bounds one call, which holds the chain all the while.
const maxMine = 10_000

// Mine mines n blocks (1 to 10,000) on the tip. The first takes the mempool, as
// far as a block holds, the best fee rates first.
func (c *Chain) Mine(ctx context.Context, n int) ([]chain.Ref, error) {
	if n < 1 || n > maxMine {
		return nil, fmt.Errorf("sandbox: cannot mine %d blocks; give 1 to %d", n, maxMine)
	}
	var refs []chain.Ref
	err := c.change(ctx, func() error {
		full := c.pool.Count() > 0
		for range n {
			ref, err := c.mineOne(c.poolTxs())
			if err != nil {
				return err
			}
			refs = append(refs, ref)
		}
		if !full {
			return nil
		}
		return c.savePool()
	})
	return refs, err
}

// mineOne mines a block of mempool transactions on the tip.
func (c *Chain) mineOne(txs []*btcutil.Tx) (chain.Ref, error) {
	hash, height := c.tip()
	d := draft{prev: hash, height: height + 1}
	weight := int64(0)
	left := map[chainhash.Hash]bool{}
	for _, tx := range txs {
		w := blockchain.GetTransactionWeight(tx)
		if weight+w > maxTxWeight || spendsAny(tx, left) {
			left[*tx.Hash()] = true
			continue
		}
		fee, err := c.feeOf(tx)
		if err != nil {
			return chain.Ref{}, err
		}
		weight += w
		d.fees += fee
		d.txs = append(d.txs, tx)
	}
	return c.mineDraft(d, nil)
}

// mineDraft makes a block and gives it to the chain.
func (c *Chain) mineDraft(d draft, dropped map[chainhash.Hash]bool) (chain.Ref, error) {
	block, err := c.build(d)
	if err != nil {
		return chain.Ref{}, err
	}
	if err := c.submit(block); err != nil {
		return chain.Ref{}, err
	}
	if err := c.settle(dropped); err != nil {
		return chain.Ref{}, err
	}
	return chain.Ref{Hash: block.Hash().String(), Height: int64(d.height)}, nil
}

// layFoundation mines the first blocks, or the rest of them after a crash.
func (c *Chain) layFoundation() error {
	_, height := c.tip()
	if height >= foundationBlocks {
		return nil
	}
	for ; height < foundationBlocks; height++ {
		if _, err := c.mineOne(nil); err != nil {
			return err
		}
	}
	c.log.Info("sandbox chain founded", "dir", c.dir, "height", height)
	return c.saveFaucet()
}

func spendsAny(tx *btcutil.Tx, parents map[chainhash.Hash]bool) bool {
	for _, in := range tx.MsgTx().TxIn {
		if parents[in.PreviousOutPoint.Hash] {
			return true
		}
	}
	return false
}
