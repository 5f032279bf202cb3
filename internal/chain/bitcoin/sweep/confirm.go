package sweep

import (
	"bytes"
	"context"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// confirm reads the amounts of P2PKH coins again from their blocks. A signature of
// that kind covers no amount, so that a node which lies about one would send the rest
// to the miner; what a block holds follows from its hash.
func (s *Search) confirm(ctx context.Context, list []Coin) error {
	if s.Blocks == nil {
		return nil
	}
	blocks := map[int64]*chain.Block{}
	for i := range list {
		c := &list[i]
		if c.kind != bitcoin.BIP44 {
			continue
		}
		b := blocks[c.Height]
		if b == nil {
			hash, err := s.Blocks.HashAt(ctx, c.Height)
			if err == nil {
				b, err = s.Blocks.Block(ctx, hash)
			}
			if err != nil {
				return fmt.Errorf("the amount of %s:%d has to be read from block %d: %w", c.Txid, c.Vout, c.Height, err)
			}
			blocks[c.Height] = b
		}
		if !holds(b, &c.Found) {
			return fmt.Errorf("the node says that %s:%d is worth %s satoshi, and its block does not", c.Txid, c.Vout, c.Amount)
		}
	}
	return nil
}

func holds(b *chain.Block, f *chain.Found) bool {
	for i := range b.Txs {
		if b.Txs[i].ID != f.Txid {
			continue
		}
		for _, p := range b.Txs[i].Payments {
			if p.Vout == f.Vout {
				return p.Amount.Cmp(f.Amount) == 0 && bytes.Equal(p.To, f.To)
			}
		}
	}
	return false
}
