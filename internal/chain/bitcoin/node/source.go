package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// Node is one chain as its nodes tell it to the watcher and the spender. All its
// methods are safe for concurrent use.
type Node struct {
	chain    *bitcoin.Chain
	list     []*endpoint
	fallback uint64
	log      *slog.Logger
	now      func() time.Time
	changed  chan struct{}

	mu       sync.Mutex
	current  int       // index of the endpoint that is asked first
	compared time.Time // when the tips of all of them were
	noticed  time.Time // when a transaction last woke somebody
	quiet    bool      // nobody is woken just now; see notice
	more     bool      // something was told meanwhile
}

var (
	_ chain.Source  = (*Node)(nil)
	_ chain.Sender  = (*Node)(nil)
	_ chain.Origins = (*Node)(nil)
	_ chain.Batcher = (*Node)(nil)
	_ chain.Prober  = (*Node)(nil)
)

// Config says which chain is followed, and by which nodes.
type Config struct {
	Chain *bitcoin.Chain
	// Places are the chain's nodes; the first is asked as long as it answers.
	Places []Place
	// FallbackFee is taken where the node has no estimate, in satoshi per 1,000
	// virtual bytes. 0 is the chain's usual one.
	FallbackFee uint64
	Log         *slog.Logger     // nil logs nothing
	Now         func() time.Time // nil is time.Now
}

// networks are the names that nodes give to their networks: Bitcoin Core's, then
// those of btcd and bchd.
var networks = map[string]string{
	"main": "main", "test": "test", "signet": "signet", "regtest": "regtest",
	"testnet4": "testnet4", "mainnet": "main", "testnet3": "test",
}

// New returns the nodes of a chain without asking them anything yet. The error is
// a sentence about a place that is none.
func New(c Config) (*Node, error) {
	n := &Node{chain: c.Chain, fallback: c.FallbackFee, log: c.Log, now: c.Now, changed: make(chan struct{}, 1)}
	if n.fallback == 0 {
		n.fallback = c.Chain.FallbackFee
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	for _, p := range c.Places {
		e, err := newEndpoint(p)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, e)
	}
	if len(n.list) == 0 {
		return nil, fmt.Errorf("no node of %s is given", c.Chain.Name)
	}
	return n, nil
}

// Check asks every node which chain it follows. A *WrongChain is a mistake of the
// operator's; any other error means that no node can be asked at present.
func (n *Node) Check(ctx context.Context) error {
	var failed []error
	for _, e := range n.list {
		err := n.check(ctx, e)
		var wrong *WrongChain
		if errors.As(err, &wrong) {
			return err
		}
		if err != nil {
			e.failed(err, n.now())
			failed = append(failed, err)
		}
	}
	if len(failed) == len(n.list) {
		return errors.Join(failed...)
	}
	return nil
}

// Chain is the chain's code, such as "BTC".
func (n *Node) Chain() string { return n.chain.Code }

// Network is the network that the nodes have to be on.
func (n *Node) Network() string { return n.chain.Network }

// Genesis is the hash of block 0.
func (n *Node) Genesis() string { return n.chain.Params.GenesisHash.String() }

// Changed receives when a node says that something is new; see Run.
func (n *Node) Changed() <-chan struct{} { return n.changed }

// Tip is the best block now, of the node that is asked.
func (n *Node) Tip(ctx context.Context) (chain.Ref, error) {
	var info struct {
		Blocks        int64
		BestBlockHash string
	}
	err := n.try(ctx, func(e *endpoint) error {
		err := e.call(ctx, &info, "getblockchaininfo")
		if err == nil {
			e.setHeight(info.Blocks)
		}
		return err
	})
	if err != nil {
		return chain.Ref{}, err
	}
	n.compareTips(ctx, info.Blocks)
	return chain.Ref{Hash: info.BestBlockHash, Height: info.Blocks}, nil
}

// HashAt is the hash of the best chain's block at a height, or chain.ErrNotFound.
func (n *Node) HashAt(ctx context.Context, height int64) (hash string, err error) {
	err = n.try(ctx, func(e *endpoint) error {
		hash, err = e.hashAt(ctx, height)
		return err
	})
	return hash, err
}

func (e *endpoint) hashAt(ctx context.Context, height int64) (string, error) {
	var hash string
	err := e.call(ctx, &hash, "getblockhash", height)
	// btcd answers -1 for a height above the tip.
	if isCode(err, codeOutOfRange, codeNotFound, codeMisc) {
		return "", chain.ErrNotFound
	}
	return hash, err
}

// Block reads a block by hash, also one that left the best chain, or
// chain.ErrNotFound. That it is the one that was asked for follows from its hash.
func (n *Node) Block(ctx context.Context, hash string) (out *chain.Block, err error) {
	raw, err := n.rawBlock(ctx, hash)
	if err != nil {
		return nil, err
	}
	b, err := bitcoin.DecodeBlock(raw, n.chain)
	if err != nil {
		return nil, fmt.Errorf("node: block %s: %w", hash, err)
	}
	if b.Hash().String() != hash {
		return nil, fmt.Errorf("node: asked for block %s and got %s", hash, b.Hash())
	}
	if err := whole(b); err != nil {
		return nil, fmt.Errorf("node: block %s: %w", hash, err)
	}
	height, err := n.heightOf(ctx, b)
	if err != nil {
		return nil, err
	}
	return bitcoin.Block(b, height, n.chain.Code), nil
}

// rawBlock asks one node after the other: one may have pruned it, or never had it.
func (n *Node) rawBlock(ctx context.Context, hash string) (raw []byte, err error) {
	last := chain.ErrNotFound
	for _, e := range n.inTurn() {
		raw, err = e.rawBlock(ctx, hash)
		if err == nil {
			return raw, nil
		}
		if !errors.Is(err, chain.ErrNotFound) {
			last = err
		}
	}
	return nil, last
}

// inTurn lists the nodes, the current one first.
func (n *Node) inTurn() []*endpoint {
	first := n.currentIndex()
	return append(slices.Clone(n.list[first:]), n.list[:first]...)
}

func (e *endpoint) rawBlock(ctx context.Context, hash string) ([]byte, error) {
	raw, err := e.raw(ctx, "getblock", hash, 0)
	if isCode(err, codeMisc, codeType, btcjson.ErrRPCInvalidParams.Code) {
		// Nodes of an older dialect, such as Dogecoin's, want a truth value here.
		if older, second := e.raw(ctx, "getblock", hash, false); second == nil {
			return older, nil
		}
	}
	if e, ok := refused(err); ok && strings.Contains(e.Message, "pruned") {
		return nil, fmt.Errorf("the node has thrown block %s away (it is pruned): point --node to one that keeps its blocks, at least since this server's first invoice: %w", hash, err)
	}
	return raw, err
}

// whole holds the transactions against the header's merkle root: a node cannot
// leave one out, or put one in.
func whole(b *btcutil.Block) error {
	if len(b.Transactions()) == 0 {
		return fmt.Errorf("it has no transactions")
	}
	if root := blockchain.CalcMerkleRoot(b.Transactions(), false); root != b.MsgBlock().Header.MerkleRoot {
		return fmt.Errorf("its transactions are not those that its header names")
	}
	return nil
}

// heightOf is a block's height, read from the block itself: since BIP 34 its
// coinbase begins with it. Older blocks are asked for.
func (n *Node) heightOf(ctx context.Context, b *btcutil.Block) (int64, error) {
	if b.MsgBlock().Header.Version >= 2 {
		if height, err := blockchain.ExtractCoinbaseHeight(b.Transactions()[0]); err == nil {
			return int64(height), nil
		}
	}
	var header struct{ Height int64 }
	err := n.call(ctx, &header, "getblockheader", b.Hash().String(), true)
	return header.Height, err
}
