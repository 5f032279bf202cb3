package sandbox

import (
	"bytes"
	"context"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/money"
)

var _ chain.Inspector = (*Chain)(nil)

// Read takes a transaction apart.
func (c *Chain) Read(raw []byte) (*chain.Draft, error) {
	return bitcoin.ReadDraft(raw, bitcoin.Regtest)
}

// Inspect looks up what a transaction spends, in the chain and in the mempool.
func (c *Chain) Inspect(ctx context.Context, d *chain.Draft) (*chain.Inspection, error) {
	tx, err := btcutil.NewTxFromBytes(d.Raw)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	found := &chain.Inspection{}
	err = c.alone(ctx, func() error {
		best := c.blocks.BestSnapshot()
		found.Final = blockchain.IsFinalizedTransaction(tx, best.Height+1, best.MedianTime)
		if c.pool.IsTransactionInPool(tx.Hash()) || c.mined(tx) {
			found.Held = true
			return nil
		}
		for _, in := range tx.MsgTx().TxIn {
			i, err := c.input(in.PreviousOutPoint, best.Height)
			if err != nil {
				return err
			}
			found.Inputs = append(found.Inputs, i)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found.Size = bitcoin.SizeOnceSigned(d.Raw, found.Inputs, bitcoin.Regtest)
	return found, nil
}

// alone runs an operation that looks up unspent outputs: btcd puts what it finds into
// its cache, also for readers, so that two of them at once are in each other's way.
func (c *Chain) alone(ctx context.Context, do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return do()
}

// input is one output as a transaction in the next block finds it.
func (c *Chain) input(op wire.OutPoint, height int32) (chain.Input, error) {
	in := chain.Input{Outpoint: chain.Outpoint{Txid: op.Hash.String(), Vout: op.Index}}
	if spender := c.pool.CheckSpend(op); spender != nil {
		in.SpentBy = spender.Hash().String()
	}
	if parent, err := c.pool.FetchTransaction(&op.Hash); err == nil {
		if outs := parent.MsgTx().TxOut; int(op.Index) < len(outs) {
			out := outs[op.Index]
			in.Known, in.Amount, in.To = true, money.NewUnits(uint64(out.Value)), bytes.Clone(out.PkScript)
		}
		return in, nil
	}
	e, err := c.blocks.FetchUtxoEntry(op)
	if err != nil {
		return in, fmt.Errorf("sandbox: output %v: %w", op, err)
	}
	if e == nil || e.IsSpent() {
		return in, nil
	}
	in.Known, in.Amount, in.To = true, money.NewUnits(uint64(e.Amount())), bytes.Clone(e.PkScript())
	in.Confirmed = !e.IsCoinBase() || height+1-e.BlockHeight() >= int32(c.params.CoinbaseMaturity)
	return in, nil
}
