package light

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/headerfs"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

const asset = "BTC"

// Chain is "BTC".
func (c *Client) Chain() string { return asset }

// Network is the network that was asked for.
func (c *Client) Network() string { return c.Config.Network }

// Genesis is the hash of block 0.
func (c *Client) Genesis() string { return c.params.GenesisHash.String() }

// Changed receives after blocks joined the chain.
func (c *Client) Changed() <-chan struct{} { return c.changed }

// Mempool is chain.ErrNoMempool: peers tell of blocks only.
func (c *Client) Mempool(context.Context) ([]string, error) { return nil, chain.ErrNoMempool }

// MempoolTx is chain.ErrNoMempool.
func (c *Client) MempoolTx(context.Context, string) (*chain.Tx, error) {
	return nil, chain.ErrNoMempool
}

const (
	tipWait  = 20 * time.Second // for filter headers to catch up with block headers
	tipLook  = 20 * time.Millisecond
	restFor  = 2 * time.Second // how long a lower tip has to stand until it is believed
	patience = time.Minute     // without any peer
)

// Tip is the best block whose filter header is known. While headers are fetched, and
// without peers, it is chain.ErrSyncing: no deadline may be held against such a tip.
// In the middle of a reorganisation it waits for its end.
func (c *Client) Tip(ctx context.Context) (chain.Ref, error) {
	ctx, cancel := context.WithTimeout(ctx, tipWait)
	defer cancel()
	var lower chain.Ref
	var since time.Time
	for {
		ref, settled, err := c.tip()
		if err != nil {
			return ref, err
		}
		switch last := c.state.lastTip(); {
		case settled && ref.Height >= last.Height:
			c.state.reported(ref)
			return ref, nil
		case settled && ref != lower:
			lower, since = ref, time.Now()
		case settled && time.Since(since) >= restFor:
			c.state.reported(ref)
			return ref, nil
		}
		select {
		case <-ctx.Done():
			if hash, err := c.HashAt(ctx, c.state.lastTip().Height); err == nil && hash == c.state.lastTip().Hash {
				return c.state.lastTip(), nil // no peer tells the new block's filter header yet
			}
			return ref, fmt.Errorf("%w: %s", chain.ErrSyncing, "the filter headers of the newest blocks are not known yet")
		case <-c.quit.Done():
			return ref, context.Canceled
		case <-time.After(tipLook):
		}
	}
}

// tip is the best block, and whether block headers and filter headers end with it.
func (c *Client) tip() (ref chain.Ref, settled bool, err error) {
	err = c.use(func(s *neutrino.ChainService) error {
		if err := c.state.syncing(s, c); err != nil {
			return err
		}
		header, height, err := s.BlockHeaders.ChainTip()
		if err != nil {
			return err
		}
		_, reach, err := s.RegFilterHeaders.ChainTip()
		if err != nil {
			return err
		}
		ref = chain.Ref{Hash: header.BlockHash().String(), Height: int64(height)}
		settled = reach == height
		return nil
	})
	return ref, settled, err
}

// HashAt is the hash of the best chain's block at a height, or chain.ErrNotFound.
func (c *Client) HashAt(_ context.Context, height int64) (hash string, err error) {
	err = c.use(func(s *neutrino.ChainService) error {
		_, tip, err := s.BlockHeaders.ChainTip()
		if err != nil {
			return err
		}
		if height < 0 || height > int64(tip) {
			return chain.ErrNotFound
		}
		header, err := s.BlockHeaders.FetchHeaderByHeight(uint32(height))
		if gone := (*headerfs.ErrHeaderNotFound)(nil); errors.As(err, &gone) {
			return chain.ErrNotFound
		}
		if err == nil {
			hash = header.BlockHash().String()
		}
		return err
	})
	return hash, err
}

// Begin is where a new database begins: before the height of birth, or else with the
// last block that was two hours old when the folder was first opened. Invoices made
// while headers were still fetched are paid after that.
func (c *Client) Begin(ctx context.Context) (chain.Ref, error) {
	tip, err := c.Tip(ctx)
	if err != nil {
		return tip, err
	}
	height := min(c.Birth-1, tip.Height)
	if c.Birth <= 0 {
		if height, err = c.before(c.first.Add(-2*time.Hour), tip.Height); err != nil {
			return tip, err
		}
	}
	hash, err := c.HashAt(ctx, height)
	return chain.Ref{Hash: hash, Height: height}, err
}

// before is the height of the last block before a time, looked for from a height
// down. Times of blocks may go back a little from one to the next.
func (c *Client) before(t time.Time, height int64) (int64, error) {
	err := c.use(func(s *neutrino.ChainService) error {
		for ; height > 0; height-- {
			header, err := s.BlockHeaders.FetchHeaderByHeight(uint32(height))
			if err != nil || header.Timestamp.Before(t) {
				return err
			}
		}
		return nil
	})
	return height, err
}

// Block reads a block of the best chain by hash, or chain.ErrNotFound: of blocks that
// left it nothing is known. That it is the one that was asked for follows from its
// hash, and that it is whole from the header's merkle root.
func (c *Client) Block(ctx context.Context, hash string) (*chain.Block, error) {
	b, err := c.block(ctx, hash)
	if err != nil {
		return nil, err
	}
	return bitcoin.Block(b, int64(b.Height()), asset), nil
}

const blockTimeout = 2 * time.Minute

func (c *Client) block(ctx context.Context, hash string) (*btcutil.Block, error) {
	h, err := chainhash.NewHashFromStr(hash)
	if err != nil {
		return nil, fmt.Errorf("light: %q is not a block hash: %w", hash, err)
	}
	var height uint32
	err = c.use(func(s *neutrino.ChainService) error {
		height, err = s.BlockHeaders.HeightFromHash(h)
		return err
	})
	if errors.Is(err, headerfs.ErrHashNotFound) {
		return nil, chain.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	b, err := ask(ctx, c, blockTimeout, func(s *neutrino.ChainService) (*btcutil.Block, error) { return s.GetBlock(*h) })
	if err != nil {
		return nil, fmt.Errorf("light: block %s: %w", hash, err)
	}
	if err := whole(b, h); err != nil {
		return nil, fmt.Errorf("light: block %s: %w", hash, err)
	}
	// Its own copy: the library keeps the block for others.
	out := btcutil.NewBlock(b.MsgBlock())
	out.SetHeight(int32(height))
	return out, nil
}

// whole holds a block against its hash and its transactions against the merkle root:
// a peer cannot leave one out, or put one in.
func whole(b *btcutil.Block, hash *chainhash.Hash) error {
	if got := b.MsgBlock().BlockHash(); got != *hash {
		return fmt.Errorf("got %s instead", got)
	}
	if len(b.Transactions()) == 0 {
		return errors.New("it has no transactions")
	}
	if root := blockchain.CalcMerkleRoot(b.Transactions(), false); root != b.MsgBlock().Header.MerkleRoot {
		return errors.New("its transactions are not those that its header names")
	}
	return nil
}

// ask runs one of the library's own queries, which know no context. When it takes
// too long, or nobody waits any more, it ends by itself.
func ask[T any](ctx context.Context, c *Client, limit time.Duration, f func(*neutrino.ChainService) (T, error)) (v T, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c.mu.RLock()
	s := c.service
	c.mu.RUnlock()
	if s == nil {
		return v, fmt.Errorf("%w: the light client is starting", chain.ErrSyncing)
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f(s)
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		return v, fmt.Errorf("no peer answered: %w", ctx.Err())
	case <-c.quit.Done():
		return v, context.Canceled
	}
}
