package sandbox

import (
	"bytes"
	"context"
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"github.com/quittance/quittance/internal/chain"
)

var _ chain.Origins = (*Chain)(nil)

// Origin reads a transaction as it went over the network, from the mempool or from the
// block that it is in, or chain.ErrNotFound.
func (c *Chain) Origin(ctx context.Context, txid, block string) (raw []byte, err error) {
	hash, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %q is not a transaction id: %w", txid, err)
	}
	err = c.read(ctx, func() error {
		tx, err := c.origin(hash, block)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		err = tx.MsgTx().Serialize(&b)
		raw = b.Bytes()
		return err
	})
	return raw, err
}

func (c *Chain) origin(hash *chainhash.Hash, block string) (*btcutil.Tx, error) {
	if block == "" {
		tx, err := c.pool.FetchTransaction(hash)
		if err != nil {
			return nil, chain.ErrNotFound
		}
		return tx, nil
	}
	at, err := chainhash.NewHashFromStr(block)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %q is not a block hash: %w", block, err)
	}
	b, err := c.fetchBlock(at)
	if err != nil {
		return nil, err
	}
	for _, tx := range b.Transactions() {
		if tx.Hash().IsEqual(hash) {
			return tx, nil
		}
	}
	return nil, chain.ErrNotFound
}
