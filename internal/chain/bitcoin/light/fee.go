package light

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
)

const (
	feeBlocks   = 6                // the newest ones that are looked at
	feeWait     = 15 * time.Second // for all of them
	fullWeight  = blockchain.MaxBlockWeight * 9 / 10
	leastFee    = 1_000     // satoshi per 1,000 virtual bytes: what nodes relay at least
	mostFee     = 1_000_000 // whatever miners pay themselves
	urgentBelow = 2         // blocks: then the dearest of the newest blocks counts
)

// feeMemory keeps what blocks said, by hash.
type feeMemory struct {
	mu    sync.Mutex
	rates map[string]uint64 // 0: the block was not full
}

// FeeRate is the median of what the full ones among the newest blocks cost, in
// satoshi per 1,000 virtual bytes: what their coinbase takes above the subsidy, over
// their size. Where no block is full, or none can be had, it is the fallback.
func (c *Client) FeeRate(ctx context.Context, blocks int) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, feeWait)
	defer cancel()
	var rates []uint64
	if tip, err := c.Tip(ctx); err == nil {
		for height := tip.Height; height > max(0, tip.Height-feeBlocks); height-- {
			rate, err := c.feeAt(ctx, height)
			if err != nil {
				break
			}
			if rate > 0 {
				rates = append(rates, rate)
			}
		}
	}
	if len(rates) == 0 {
		return max(c.FallbackFee, leastFee), nil
	}
	slices.Sort(rates)
	rate := rates[len(rates)/2]
	if blocks < urgentBelow {
		rate = rates[len(rates)-1]
	}
	return min(max(rate, leastFee), mostFee), nil
}

func (c *Client) feeAt(ctx context.Context, height int64) (uint64, error) {
	hash, err := c.HashAt(ctx, height)
	if err != nil {
		return 0, err
	}
	c.fees.mu.Lock()
	rate, known := c.fees.rates[hash]
	c.fees.mu.Unlock()
	if known {
		return rate, nil
	}
	b, err := c.block(ctx, hash)
	if err != nil {
		return 0, err
	}
	rate = feeOf(b, blockchain.CalcBlockSubsidy(b.Height(), c.params))
	c.fees.mu.Lock()
	defer c.fees.mu.Unlock()
	if c.fees.rates == nil || len(c.fees.rates) > 10*feeBlocks {
		c.fees.rates = map[string]uint64{}
	}
	c.fees.rates[hash] = rate
	return rate, nil
}

// feeOf is what a full block's transactions cost on average, 0 of any other block.
func feeOf(b *btcutil.Block, subsidy int64) uint64 {
	if blockchain.GetBlockWeight(b) < fullWeight {
		return 0
	}
	coinbase := b.Transactions()[0]
	var taken int64
	for _, out := range coinbase.MsgTx().TxOut {
		taken += out.Value
	}
	var weight int64
	for _, tx := range b.Transactions()[1:] {
		weight += blockchain.GetTransactionWeight(tx)
	}
	vsize := weight / blockchain.WitnessScaleFactor
	if taken <= subsidy || vsize <= 0 {
		return 0
	}
	return uint64(taken-subsidy) * 1000 / uint64(vsize)
}
