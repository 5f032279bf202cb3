package sandbox

import (
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// saveEvery is after how many blocks the faucet's index is written anew; it
// bounds what Open has to follow after a crash.
const saveEvery = 64

// settle brings the mempool and the faucet in line with the blocks that joined
// and left the best chain. Transactions of blocks that left return to the
// mempool, except the dropped ones and what depends on them.
func (c *Chain) settle(dropped map[chainhash.Hash]bool) error {
	events := c.events
	c.events = nil
	var returning []*btcutil.Tx
	var touched []wire.OutPoint
	for _, e := range events {
		if e.connected {
			c.connect(e.block)
			continue
		}
		touched = append(touched, c.faucet.touched(e.block)...)
		// Blocks leave from the tip downwards; parents come first.
		returning = append(e.block.Transactions()[1:], returning...)
	}
	for _, op := range touched {
		if err := c.faucet.refresh(op, c.blocks); err != nil {
			return err
		}
	}
	if len(touched) > 0 {
		c.rebuildPool(returning, dropped)
	}
	if c.unsaved += len(events); c.unsaved >= saveEvery {
		return c.saveFaucet()
	}
	return nil
}

func (c *Chain) connect(block *btcutil.Block) {
	c.faucet.connect(block)
	for _, tx := range block.Transactions()[1:] {
		c.pool.RemoveTransaction(tx, false)
		c.pool.RemoveDoubleSpends(tx)
	}
}

// rebuildPool fills a new mempool: inputs may be gone or immature again, which
// the old one would not notice.
func (c *Chain) rebuildPool(returning []*btcutil.Tx, dropped map[chainhash.Hash]bool) {
	var txs []*btcutil.Tx
	for _, tx := range returning {
		if !dropped[*tx.Hash()] {
			txs = append(txs, tx)
		}
	}
	txs = append(txs, c.poolTxs()...)
	c.pool = c.newPool()
	clear(c.faucet.change)
	c.acceptAll(txs)
}
