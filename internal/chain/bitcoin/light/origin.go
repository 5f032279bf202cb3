package light

import (
	"bytes"
	"context"

	"github.com/quittance/quittance/internal/chain"
)

var _ chain.Origins = (*Client)(nil)

// Origin reads a transaction as it went over the network out of the block that it is
// in, or chain.ErrNotFound. One that waits for a block is not seen from here.
func (c *Client) Origin(ctx context.Context, txid, block string) ([]byte, error) {
	if block == "" {
		return nil, chain.ErrNotFound
	}
	b, err := c.block(ctx, block)
	if err != nil {
		return nil, err
	}
	for _, tx := range b.Transactions() {
		if tx.Hash().String() == txid {
			var raw bytes.Buffer
			err := tx.MsgTx().Serialize(&raw)
			return raw.Bytes(), err
		}
	}
	return nil, chain.ErrNotFound
}
