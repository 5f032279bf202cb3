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
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// ReplaceOptions describes a transaction that spends the inputs of another.
type ReplaceOptions struct {
	To      string // regtest address; "" is back to the faucet
	Amount  uint64 // satoshi; 0 is all the inputs hold, less the fee
	FeeRate uint64 // sat/vB; 0 is as little as displaces the original
}

// Replace puts a transaction that spends the same inputs in place of an
// unconfirmed one of the faucet, under the rules of BIP 125: it is refused
// unless the original, or an unconfirmed ancestor of it, signalled. The
// original's descendants go with it. The new transaction signals too.
func (c *Chain) Replace(ctx context.Context, txid string, opts ReplaceOptions) (string, error) {
	var id string
	err := c.change(ctx, func() error {
		original, err := c.unconfirmed(txid)
		if err != nil {
			return err
		}
		tx, err := c.conflict(original, opts)
		if err != nil {
			return err
		}
		if err := c.admit(tx); err != nil {
			return fmt.Errorf("sandbox: replacement refused: %w", err)
		}
		id = tx.Hash().String()
		return c.savePool()
	})
	return id, err
}

// ConflictInBlock mines a block with a transaction that spends the inputs of
// an unconfirmed one of the faucet, whether it signalled replacement or not: a
// double spend. The block also takes the rest of the mempool; the original and
// its descendants are gone.
func (c *Chain) ConflictInBlock(ctx context.Context, txid string, opts ReplaceOptions) (string, chain.Ref, error) {
	var id string
	var ref chain.Ref
	err := c.change(ctx, func() error {
		original, err := c.unconfirmed(txid)
		if err != nil {
			return err
		}
		tx, err := c.conflict(original, opts)
		if err != nil {
			return err
		}
		if ref, err = c.mineOne(c.around(original, tx)); err != nil {
			return err
		}
		id = tx.Hash().String()
		return c.savePool()
	})
	return id, ref, err
}

// around lists what a block with tx in the original's place holds: what both
// build upon, tx, and the rest of the mempool, so that a full block leaves out
// any but tx.
func (c *Chain) around(original, tx *btcutil.Tx) []*btcutil.Tx {
	gone, ancestors := c.conflictsOf(original), c.ancestorsOf(original)
	var first, rest []*btcutil.Tx
	for _, other := range c.poolTxs() {
		switch {
		case ancestors[*other.Hash()]:
			first = append(first, other)
		case gone[*other.Hash()] == nil:
			rest = append(rest, other)
		}
	}
	return append(append(first, tx), rest...)
}

// unconfirmed finds a transaction in the mempool, or chain.ErrNotFound.
func (c *Chain) unconfirmed(txid string) (*btcutil.Tx, error) {
	hash, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %q is not a txid: %w", txid, err)
	}
	tx, err := c.pool.FetchTransaction(hash)
	if err != nil {
		return nil, chain.ErrNotFound
	}
	return tx, nil
}

// conflict builds and signs a transaction that spends the original's inputs.
func (c *Chain) conflict(original *btcutil.Tx, opts ReplaceOptions) (*btcutil.Tx, error) {
	inputs, total, err := c.ownInputs(original)
	if err != nil {
		return nil, err
	}
	script := c.faucet.script
	if opts.To != "" {
		if script, err = bitcoin.AddressScript(opts.To, bitcoin.Regtest); err != nil {
			return nil, err
		}
	}
	if opts.Amount > btcutil.MaxSatoshi {
		return nil, fmt.Errorf("sandbox: cannot pay %d satoshi", opts.Amount)
	}
	out := wire.NewTxOut(int64(opts.Amount), script)
	size := c.virtualSize(len(inputs), []*wire.TxOut{out}, true)
	rate, err := c.replacementRate(original, size, opts.FeeRate)
	if err != nil {
		return nil, err
	}
	if opts.Amount == 0 {
		out.Value = total - rate*size
	}
	if out.Value <= 0 || out.Value+rate*size > total {
		return nil, errors.New("sandbox: the inputs do not hold this amount and the fee")
	}
	return c.sign(inputs, []*wire.TxOut{out}, rate, true)
}

// ownInputs lists the inputs of a transaction if all are the faucet's.
func (c *Chain) ownInputs(tx *btcutil.Tx) (inputs []input, total int64, err error) {
	for _, in := range tx.MsgTx().TxIn {
		op := in.PreviousOutPoint
		coin, ok := c.faucet.coins[op]
		if !ok {
			if coin, ok = c.faucet.change[op]; !ok {
				return nil, 0, ErrNotOurs
			}
		}
		inputs = append(inputs, input{op, coin.amount})
		total += coin.amount
	}
	return inputs, total, nil
}

// replacementRate is the asked fee rate, or the least whole one that BIP 125
// (rules 3 and 4) and btcd's fee rate rule accept for a transaction of so many
// virtual bytes.
func (c *Chain) replacementRate(original *btcutil.Tx, size int64, asked uint64) (int64, error) {
	if asked > 0 {
		return feeRate(asked)
	}
	var fees, best int64
	for _, tx := range c.conflictsOf(original) {
		fee, err := c.feeOf(tx)
		if err != nil {
			return 0, err
		}
		fees += fee
		best = max(best, fee/mempool.GetTxVirtualSize(tx))
	}
	// The signature may be a byte shorter than assumed, never longer, so the
	// true rate is at least this one.
	return max(best+1, (fees+size-1)/size+1), nil
}
