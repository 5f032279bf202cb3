package sandbox

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire"
)

// minRelayFee is the least fee rate in satoshi per 1000 virtual bytes.
const minRelayFee = 1000

// newPool makes an empty mempool with the policy of a node on a real network.
func (c *Chain) newPool() *mempool.TxPool {
	return mempool.New(&mempool.Config{
		Policy: mempool.Policy{
			MaxTxVersion:         2,
			DisableRelayPriority: true,
			MaxSigOpCostPerTx:    blockchain.MaxBlockSigOpsCost / 4,
			MinRelayTxFee:        minRelayFee,
		},
		ChainParams:    c.params,
		FetchUtxoView:  c.blocks.FetchUtxoView,
		BestHeight:     func() int32 { return c.blocks.BestSnapshot().Height },
		MedianTimePast: func() time.Time { return c.blocks.BestSnapshot().MedianTime },
		CalcSequenceLock: func(tx *btcutil.Tx, view *blockchain.UtxoViewpoint) (*blockchain.SequenceLock, error) {
			return c.blocks.CalcSequenceLock(tx, view, true)
		},
		IsDeploymentActive: c.blocks.IsDeploymentActive,
		SigCache:           c.sigCache,
		HashCache:          c.hashCache,
	})
}

// accept puts a transaction into the mempool under its policy.
func (c *Chain) accept(tx *btcutil.Tx) error {
	if _, err := c.pool.ProcessTransaction(tx, false, false, 0); err != nil {
		return err
	}
	c.faucet.noteChange(tx)
	return nil
}

// admit accepts a new transaction and keeps it in the file.
func (c *Chain) admit(tx *btcutil.Tx) error {
	if err := c.accept(tx); err != nil {
		return err
	}
	raw, err := rawTx(tx)
	if err == nil {
		err = c.poolFile.add(raw)
	}
	if err != nil {
		c.pool.RemoveTransaction(tx, true)
	}
	return err
}

// loadPool fills the mempool from its file. What has been confirmed, replaced
// or made impossible since a crash is left out.
func (c *Chain) loadPool() error {
	file, list, err := openRecords(filepath.Join(c.dir, "mempool.log"))
	if err != nil {
		return err
	}
	c.poolFile = file
	var txs []*btcutil.Tx
	for _, raw := range list {
		tx, err := btcutil.NewTxFromBytes(raw)
		if err != nil {
			return fmt.Errorf("sandbox: mempool.log: %w", err)
		}
		txs = append(txs, tx)
	}
	c.acceptAll(txs)
	return nil
}

// acceptAll accepts what it can in any order: a child whose parent comes later
// is tried again.
func (c *Chain) acceptAll(txs []*btcutil.Tx) {
	for again := true; again && len(txs) > 0; {
		again = false
		var left []*btcutil.Tx
		for _, tx := range txs {
			if c.accept(tx) == nil {
				again = true
			} else {
				left = append(left, tx)
			}
		}
		txs = left
	}
}

// savePool writes the file anew, parents first.
func (c *Chain) savePool() error {
	var list [][]byte
	for _, tx := range c.poolTxs() {
		raw, err := rawTx(tx)
		if err != nil {
			return err
		}
		list = append(list, raw)
	}
	return c.poolFile.replace(list)
}

// poolTxs lists the mempool with parents before their children, otherwise the
// best fee rate first.
func (c *Chain) poolTxs() []*btcutil.Tx {
	descs := c.pool.TxDescs()
	sortDescs(descs)
	byHash := make(map[chainhash.Hash]*btcutil.Tx, len(descs))
	for _, d := range descs {
		byHash[*d.Tx.Hash()] = d.Tx
	}
	list := make([]*btcutil.Tx, 0, len(descs))
	var visit func(tx *btcutil.Tx)
	visit = func(tx *btcutil.Tx) {
		delete(byHash, *tx.Hash())
		for _, in := range tx.MsgTx().TxIn {
			if parent := byHash[in.PreviousOutPoint.Hash]; parent != nil {
				visit(parent)
			}
		}
		list = append(list, tx)
	}
	for _, d := range descs {
		if byHash[*d.Tx.Hash()] != nil {
			visit(d.Tx)
		}
	}
	return list
}

// conflictsOf is what a spend of the same inputs would push out of the
// mempool: the transaction itself and all that descend from it.
func (c *Chain) conflictsOf(tx *btcutil.Tx) map[chainhash.Hash]*btcutil.Tx {
	found := map[chainhash.Hash]*btcutil.Tx{*tx.Hash(): tx}
	for queue := []*btcutil.Tx{tx}; len(queue) > 0; queue = queue[1:] {
		for i := range queue[0].MsgTx().TxOut {
			child := c.pool.CheckSpend(wire.OutPoint{Hash: *queue[0].Hash(), Index: uint32(i)})
			if child != nil && found[*child.Hash()] == nil {
				found[*child.Hash()] = child
				queue = append(queue, child)
			}
		}
	}
	return found
}

// ancestorsOf is what a transaction builds upon in the mempool.
func (c *Chain) ancestorsOf(tx *btcutil.Tx) map[chainhash.Hash]bool {
	found := map[chainhash.Hash]bool{}
	for queue := []*btcutil.Tx{tx}; len(queue) > 0; queue = queue[1:] {
		for _, in := range queue[0].MsgTx().TxIn {
			hash := in.PreviousOutPoint.Hash
			if parent, err := c.pool.FetchTransaction(&hash); err == nil && !found[hash] {
				found[hash] = true
				queue = append(queue, parent)
			}
		}
	}
	return found
}

// feeOf is the fee in satoshi of a transaction in the mempool.
func (c *Chain) feeOf(tx *btcutil.Tx) (int64, error) {
	var fee int64
	for _, in := range tx.MsgTx().TxIn {
		amount, err := c.amountAt(in.PreviousOutPoint)
		if err != nil {
			return 0, err
		}
		fee += amount
	}
	for _, out := range tx.MsgTx().TxOut {
		fee -= out.Value
	}
	return fee, nil
}

// amountAt is what an unspent or unconfirmed output carries, in satoshi.
func (c *Chain) amountAt(op wire.OutPoint) (int64, error) {
	if parent, err := c.pool.FetchTransaction(&op.Hash); err == nil {
		return parent.MsgTx().TxOut[op.Index].Value, nil
	}
	entry, err := c.blocks.FetchUtxoEntry(op)
	if err != nil {
		return 0, fmt.Errorf("sandbox: output %v: %w", op, err)
	}
	if entry == nil || entry.IsSpent() {
		return 0, fmt.Errorf("sandbox: output %v is not unspent", op)
	}
	return entry.Amount(), nil
}

func rawTx(tx *btcutil.Tx) ([]byte, error) {
	var buf bytes.Buffer
	if err := tx.MsgTx().Serialize(&buf); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return buf.Bytes(), nil
}

// sortDescs puts the best fee rate first and breaks ties by txid.
func sortDescs(descs []*mempool.TxDesc) {
	slices.SortFunc(descs, func(a, b *mempool.TxDesc) int {
		if a.FeePerKB != b.FeePerKB {
			return int(b.FeePerKB - a.FeePerKB)
		}
		return bytes.Compare(a.Tx.Hash()[:], b.Tx.Hash()[:])
	})
}
