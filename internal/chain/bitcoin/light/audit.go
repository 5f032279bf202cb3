package light

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/chain"
)

const (
	auditBlocks = 1000 // skimmed at once
	auditWait   = time.Minute
	maxAudited  = 200_000
)

// auditMemory keeps up to which block outputs were found to be unspent.
type auditMemory struct {
	mu   sync.Mutex
	upTo map[chain.Outpoint]chain.Ref
}

// StillUnspent reads the outputs where they are said to be, and looks through the
// blocks since for what spends them. What an earlier call found is not looked for
// again. It gives up after a minute, with an error that is a chain.ErrSyncing, and
// goes on from there at the next call.
func (c *Client) StillUnspent(ctx context.Context, coins []chain.PlacedCoin) (there []chain.Outpoint, err error) {
	tip, err := c.Tip(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, auditWait)
	defer cancel()
	c.audited.mu.Lock()
	defer c.audited.mu.Unlock()
	a := audit{c: c, tip: tip, open: map[chain.Outpoint]chain.PlacedCoin{}}
	err = a.run(ctx, coins)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%w: outputs were followed up to height %d of %d so far", chain.ErrSyncing, a.at, tip.Height)
	}
	if err != nil {
		return nil, err
	}
	for _, coin := range coins {
		if _, ok := a.open[coin.Outpoint]; ok {
			there = append(there, coin.Outpoint)
		}
	}
	return there, nil
}

// audit is one look through the chain.
type audit struct {
	c    *Client
	tip  chain.Ref
	at   int64
	open map[chain.Outpoint]chain.PlacedCoin // those that are unspent so far
}

func (a *audit) run(ctx context.Context, coins []chain.PlacedCoin) error {
	memory := &a.c.audited
	if memory.upTo == nil || len(memory.upTo) > maxAudited {
		memory.upTo = map[chain.Outpoint]chain.Ref{}
	}
	var to chain.Destinations
	a.at = a.tip.Height
	for _, coin := range coins {
		from, err := a.begin(ctx, coin)
		if err != nil {
			return err
		}
		if from < 0 {
			continue
		}
		a.at = min(a.at, from)
		a.open[coin.Outpoint] = coin
		to = append(to, chain.Run{Width: len(coin.To), Bytes: coin.To})
	}
	for a.at < a.tip.Height {
		if err := a.step(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// begin is the height up to which an output is known to be unspent, -1 when it is not
// where it was said to be.
func (a *audit) begin(ctx context.Context, coin chain.PlacedCoin) (int64, error) {
	if ref, ok := a.c.audited.upTo[coin.Outpoint]; ok {
		if same, err := a.inChain(ctx, ref); err != nil || same {
			return ref.Height, err
		}
		delete(a.c.audited.upTo, coin.Outpoint)
	}
	same, err := a.inChain(ctx, coin.Block)
	if err != nil || !same {
		return -1, err
	}
	b, err := a.c.Block(ctx, coin.Block.Hash)
	if errors.Is(err, chain.ErrNotFound) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	for i := range b.Txs {
		if b.Txs[i].ID == coin.Txid && int(coin.Vout) < len(b.Txs[i].Payments) && string(b.Txs[i].Payments[coin.Vout].To) == string(coin.To) {
			// It may be spent in the same block.
			return coin.Block.Height - 1, nil
		}
	}
	return -1, nil
}

func (a *audit) inChain(ctx context.Context, ref chain.Ref) (bool, error) {
	hash, err := a.c.HashAt(ctx, ref.Height)
	if errors.Is(err, chain.ErrNotFound) {
		return false, nil
	}
	return hash == ref.Hash, err
}

// step looks through the next blocks.
func (a *audit) step(ctx context.Context, to chain.Destinations) error {
	blocks, err := a.c.Headers(ctx, a.at+1, min(a.at+auditBlocks, a.tip.Height))
	if err != nil {
		return err
	}
	if len(blocks) == 0 {
		return errors.New("light: the chain got shorter meanwhile")
	}
	hits, err := a.c.Skim(ctx, blocks, to)
	if err != nil {
		return err
	}
	for i, hit := range hits {
		if !hit {
			continue
		}
		b, err := a.c.Block(ctx, blocks[i].Hash)
		if err != nil {
			return err
		}
		for j := range b.Txs {
			for _, o := range b.Txs[j].Spends {
				delete(a.open, o)
				delete(a.c.audited.upTo, o)
			}
		}
	}
	last := blocks[len(blocks)-1].Ref
	a.at = last.Height
	for o, coin := range a.open {
		if coin.Block.Height <= last.Height && a.c.audited.upTo[o].Height < last.Height {
			a.c.audited.upTo[o] = last
		}
	}
	return nil
}
