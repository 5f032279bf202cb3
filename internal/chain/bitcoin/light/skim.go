package light

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/headerfs"
	"golang.org/x/sync/errgroup"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/blockfilter"
)

const (
	filterBatch   = 200 // filters asked for at once: 5 MB on mainnet
	filterTimeout = 2 * time.Minute
)

// Headers tells the best chain's blocks between two heights, without transactions.
func (c *Client) Headers(_ context.Context, from, to int64) (list []*chain.Block, err error) {
	err = c.use(func(s *neutrino.ChainService) error {
		_, tip, err := s.BlockHeaders.ChainTip()
		if err != nil {
			return err
		}
		to = min(to, int64(tip))
		var prev string
		for height := max(from, 0); height <= to; height++ {
			header, err := s.BlockHeaders.FetchHeaderByHeight(uint32(height))
			if gone := (*headerfs.ErrHeaderNotFound)(nil); errors.As(err, &gone) {
				return chain.ErrNotFound // the chain got shorter meanwhile
			}
			if err != nil {
				return err
			}
			b := &chain.Block{
				Ref: chain.Ref{Hash: header.BlockHash().String(), Height: height}, Prev: header.PrevBlock.String(), Time: header.Timestamp,
			}
			if prev != "" && b.Prev != prev {
				return chain.ErrNotFound // it was reorganised meanwhile
			}
			prev = b.Hash
			list = append(list, b)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// filter is a block's filter as it was sent, held by the library against the filter
// headers that peers agree upon.
type filter struct {
	at   int
	hash chainhash.Hash
	raw  []byte
}

// Skim reports which blocks may concern the destinations. The next filters are
// fetched while those before are matched, on all processors.
func (c *Client) Skim(ctx context.Context, blocks []*chain.Block, to chain.Destinations) ([]bool, error) {
	hits := make([]bool, len(blocks))
	if len(to) == 0 || len(blocks) == 0 {
		return hits, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	fetched := make(chan filter, filterBatch)
	group.Go(func() error {
		defer close(fetched)
		for i, b := range blocks {
			f, err := c.filter(ctx, b, len(blocks)-i)
			if err != nil {
				return err
			}
			f.at = i
			select {
			case fetched <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range max(1, runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			var m blockfilter.Matcher
			for f := range fetched {
				hit, err := m.Match((*[32]byte)(&f.hash), f.raw, to)
				// What cannot be read says nothing: then the block itself has to.
				hits[f.at] = hit || err != nil
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return hits, nil
}

// filter fetches a block's filter, and with it those of the blocks that follow.
func (c *Client) filter(ctx context.Context, b *chain.Block, follow int) (f filter, err error) {
	h, err := chainhash.NewHashFromStr(b.Hash)
	if err != nil {
		return f, fmt.Errorf("light: %q is not a block hash: %w", b.Hash, err)
	}
	err = c.use(func(s *neutrino.ChainService) error {
		_, err := s.BlockHeaders.HeightFromHash(h)
		return err
	})
	if errors.Is(err, headerfs.ErrHashNotFound) {
		return f, chain.ErrNotFound
	}
	if err != nil {
		return f, err
	}
	f.hash = *h
	f.raw, err = ask(ctx, c, filterTimeout, func(s *neutrino.ChainService) ([]byte, error) {
		got, err := s.GetCFilter(*h, wire.GCSFilterRegular, neutrino.OptimisticBatch(), neutrino.MaxBatchSize(int64(min(follow, filterBatch))))
		if err != nil {
			return nil, err
		}
		return got.NBytes()
	})
	if err != nil {
		return f, fmt.Errorf("light: filter of block %d: %w", b.Height, err)
	}
	return f, nil
}
