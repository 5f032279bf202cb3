package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/mempool"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/money"
)

const (
	asset   = "BTC"
	network = "regtest"
)

// Chain is "BTC".
func (c *Chain) Chain() string { return asset }

// Network is "regtest".
func (c *Chain) Network() string { return network }

// Genesis is the hash of regtest's block 0.
func (c *Chain) Genesis() string { return c.params.GenesisHash.String() }

// Changed returns one channel for all callers; a notice wakes one of them.
func (c *Chain) Changed() <-chan struct{} { return c.changed }

// Tip is the best block now.
func (c *Chain) Tip(ctx context.Context) (chain.Ref, error) {
	var ref chain.Ref
	err := c.read(ctx, func() error {
		hash, height := c.tip()
		ref = chain.Ref{Hash: hash.String(), Height: int64(height)}
		return nil
	})
	return ref, err
}

// HashAt is the hash of the best chain's block at a height, or
// chain.ErrNotFound.
func (c *Chain) HashAt(ctx context.Context, height int64) (string, error) {
	var hash string
	err := c.read(ctx, func() error {
		if _, best := c.tip(); height < 0 || height > int64(best) {
			return chain.ErrNotFound
		}
		h, err := c.blocks.BlockHashByHeight(int32(height))
		if err != nil {
			return fmt.Errorf("sandbox: block %d: %w", height, err)
		}
		hash = h.String()
		return nil
	})
	return hash, err
}

// Block reads a block by hash, also one that left the best chain, or
// chain.ErrNotFound.
func (c *Chain) Block(ctx context.Context, hash string) (*chain.Block, error) {
	h, err := chainhash.NewHashFromStr(hash)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %q is not a block hash: %w", hash, err)
	}
	var found *chain.Block
	err = c.read(ctx, func() error {
		block, err := c.fetchBlock(h)
		if err != nil {
			return err
		}
		found = bitcoin.Block(block, int64(block.Height()), asset)
		return nil
	})
	return found, err
}

// Mempool lists the txids of all unconfirmed transactions.
func (c *Chain) Mempool(ctx context.Context) ([]string, error) {
	var ids []string
	err := c.read(ctx, func() error {
		for _, hash := range c.pool.TxHashes() {
			ids = append(ids, hash.String())
		}
		return nil
	})
	return ids, err
}

// MempoolTx reads one unconfirmed transaction, or chain.ErrNotFound.
// Replaceable includes what an unconfirmed ancestor signals (BIP 125).
func (c *Chain) MempoolTx(ctx context.Context, txid string) (*chain.Tx, error) {
	var found *chain.Tx
	err := c.alone(ctx, func() error {
		tx, err := c.unconfirmed(txid)
		if err != nil {
			return err
		}
		fee, err := c.feeOf(tx)
		if err != nil {
			return err
		}
		converted := bitcoin.Tx(tx, asset)
		converted.Replaceable = c.signals(tx, map[chainhash.Hash]bool{})
		converted.FeeRate = float64(fee) / float64(mempool.GetTxVirtualSize(tx))
		found = &converted
		return nil
	})
	return found, err
}

// FaucetAddress is where the miner's coins are; paying it gives money back.
func (c *Chain) FaucetAddress() string { return c.faucet.address }

// Balance is the sum of the faucet's confirmed coins, immature ones and those
// that unconfirmed payments spend included.
func (c *Chain) Balance() money.Units {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var sum uint64
	for _, coin := range c.faucet.coins {
		sum += uint64(coin.amount)
	}
	return money.NewUnits(sum)
}

// signals reports whether a transaction or an unconfirmed ancestor of it has a
// sequence number that allows replacement.
func (c *Chain) signals(tx *btcutil.Tx, seen map[chainhash.Hash]bool) bool {
	if bitcoin.Signals(tx) {
		return true
	}
	seen[*tx.Hash()] = true
	for _, in := range tx.MsgTx().TxIn {
		hash := in.PreviousOutPoint.Hash
		if seen[hash] {
			continue
		}
		if parent, err := c.pool.FetchTransaction(&hash); err == nil && c.signals(parent, seen) {
			return true
		}
	}
	return false
}

// fetchBlock reads a block from the database, whatever branch it is on.
func (c *Chain) fetchBlock(hash *chainhash.Hash) (*btcutil.Block, error) {
	var raw []byte
	err := c.db.View(func(tx database.Tx) error {
		b, err := tx.FetchBlock(hash)
		raw = append(raw, b...) // valid only inside the transaction
		return err
	})
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.ErrorCode == database.ErrBlockNotFound {
		return nil, chain.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: block %v: %w", hash, err)
	}
	block, err := btcutil.NewBlockFromBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("sandbox: block %v: %w", hash, err)
	}
	height, err := c.heightOf(block)
	if err != nil {
		return nil, err
	}
	block.SetHeight(height)
	return block, nil
}

// Probe says how a waiting transaction stands in the sandbox's mempool, the only one
// there is.
func (c *Chain) Probe(ctx context.Context, txid string) (*chain.Standing, error) {
	tx, err := c.MempoolTx(ctx, txid)
	if err != nil {
		return nil, err
	}
	usual, err := c.FeeRate(ctx, 1)
	if err != nil {
		return nil, err
	}
	s := &chain.Standing{Replaceable: tx.Replaceable, FeeRate: tx.FeeRate, UsualRate: float64(usual) / 1000, Nodes: 1, Holds: 1}
	err = c.alone(ctx, func() error {
		waiting, err := c.unconfirmed(txid)
		if err == nil {
			s.Ancestors = len(c.ancestorsOf(waiting))
		}
		return err
	})
	return s, err
}
