package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

var _ chain.Sender = (*Chain)(nil)

// Send puts a signed transaction into the mempool. One that is there already, or
// in a block, is fine.
func (c *Chain) Send(ctx context.Context, raw []byte) error {
	tx, err := btcutil.NewTxFromBytes(raw)
	if err != nil {
		return &chain.Rejected{Reason: "it is not a transaction: " + err.Error()}
	}
	return c.change(ctx, func() error {
		if c.pool.IsTransactionInPool(tx.Hash()) || c.mined(tx) {
			return nil
		}
		err := c.admit(tx)
		var rule mempool.RuleError
		if errors.As(err, &rule) {
			return &chain.Rejected{Reason: rule.Error()}
		}
		return err
	})
}

// mined reports whether an output of the transaction is in the chain's unspent set.
func (c *Chain) mined(tx *btcutil.Tx) bool {
	for i := range tx.MsgTx().TxOut {
		e, err := c.blocks.FetchUtxoEntry(wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)})
		if err == nil && e != nil && !e.IsSpent() {
			return true
		}
	}
	return false
}

// SetFeeRate sets what FeeRate answers, in satoshi per 1,000 virtual bytes.
func (c *Chain) SetFeeRate(satPerKVByte uint64) { c.feeRate.Store(satPerKVByte) }

// FeeRate is what was set, by default 2 satoshi per virtual byte: blocks here are
// never full.
func (c *Chain) FeeRate(context.Context, int) (uint64, error) {
	if r := c.feeRate.Load(); r > 0 {
		return r, nil
	}
	return defaultFeeRate * 1000, nil
}

// Cost is the fee and size of a transaction in the mempool, or chain.ErrNotFound.
func (c *Chain) Cost(ctx context.Context, txid string) (cost chain.Cost, err error) {
	err = c.alone(ctx, func() error {
		tx, err := c.unconfirmed(txid)
		if err != nil {
			return err
		}
		fee, err := c.feeOf(tx)
		cost = chain.Cost{Fee: money.NewUnits(uint64(fee)), VSize: mempool.GetTxVirtualSize(tx)}
		return err
	})
	return cost, err
}

// Unspent returns those of the outputs that the chain or the mempool has made and
// that neither spends.
func (c *Chain) Unspent(ctx context.Context, coins []chain.Outpoint) (list []chain.Outpoint, err error) {
	err = c.alone(ctx, func() error {
		for _, o := range coins {
			hash, err := chainhash.NewHashFromStr(o.Txid)
			if err != nil {
				return fmt.Errorf("sandbox: %q is not a transaction id: %w", o.Txid, err)
			}
			op := wire.OutPoint{Hash: *hash, Index: o.Vout}
			if c.pool.CheckSpend(op) != nil {
				continue
			}
			e, err := c.blocks.FetchUtxoEntry(op)
			if err != nil {
				return err
			}
			if e != nil && !e.IsSpent() || c.pool.IsTransactionInPool(hash) {
				list = append(list, o)
			}
		}
		return nil
	})
	return list, err
}
