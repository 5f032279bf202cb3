package node

import (
	"context"
	"time"

	"github.com/quittance/quittance/internal/chain"
)

// Health is how the node that is asked at present says it does.
type Health struct {
	Tip     chain.Ref
	TipTime time.Time // of the best block, as its miner said
	Headers int64     // height of the best header that it knows
	Syncing bool      // it still reads the chain
	Pruned  bool      // it throws old blocks away
	Peers   int
	// Estimate is what confirms soon, in satoshi per 1,000 virtual bytes; 0: the node
	// has none, and Fallback is taken.
	Estimate, Fallback uint64
}

// Health asks the node about itself.
func (n *Node) Health(ctx context.Context) (*Health, error) {
	var info struct {
		Blocks, Headers      int64
		BestBlockHash        string
		InitialBlockDownload bool
		Pruned               bool
	}
	if err := n.call(ctx, &info, "getblockchaininfo"); err != nil {
		return nil, err
	}
	h := &Health{
		Tip: chain.Ref{Hash: info.BestBlockHash, Height: info.Blocks}, Headers: info.Headers, Pruned: info.Pruned, Fallback: n.fallback,
		// Core calls itself syncing on a chain whose last block is a day old, too.
		Syncing: info.InitialBlockDownload && info.Headers > info.Blocks,
	}
	var header struct{ Time int64 }
	if err := n.call(ctx, &header, "getblockheader", info.BestBlockHash, true); err != nil {
		return nil, err
	}
	h.TipTime = time.Unix(header.Time, 0)
	if err := n.call(ctx, &h.Peers, "getconnectioncount"); err != nil && !unsupported(err) {
		return nil, err
	}
	var err error
	h.Estimate, err = n.estimate(ctx, soon)
	return h, err
}
