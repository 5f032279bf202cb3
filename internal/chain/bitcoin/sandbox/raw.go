package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// RawBlock reads a block in wire format, also one that left the best chain, or
// returns chain.ErrNotFound.
func (c *Chain) RawBlock(ctx context.Context, hash string) (raw []byte, err error) {
	h, err := chainhash.NewHashFromStr(hash)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %q is not a block hash: %w", hash, err)
	}
	err = c.read(ctx, func() error {
		block, err := c.fetchBlock(h)
		if err == nil {
			raw, err = block.Bytes()
		}
		return err
	})
	return raw, err
}

// RawMempool reads the waiting transactions in wire format, parents before their
// children: handed to another node in this order, each finds what it spends.
func (c *Chain) RawMempool(ctx context.Context) (list [][]byte, err error) {
	err = c.alone(ctx, func() error {
		var errs []error
		for _, tx := range c.poolTxs() {
			raw, err := rawTx(tx)
			list, errs = append(list, raw), append(errs, err)
		}
		return errors.Join(errs...)
	})
	return list, err
}
