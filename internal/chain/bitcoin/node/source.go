package node

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

const asset = "BTC"

// Node is one node as the watcher and the spender see it. All its methods are
// safe for concurrent use.
type Node struct {
	rpc      *rpc
	network  string
	genesis  string
	fallback uint64
}

var (
	_ chain.Source = (*Node)(nil)
	_ chain.Sender = (*Node)(nil)
)

// networks are the names that nodes give to their networks: Bitcoin Core's, then
// btcd's.
var networks = map[string]string{
	"main": "main", "test": "test", "signet": "signet", "regtest": "regtest",
	"mainnet": "main", "testnet3": "test",
}

// Open asks the node which chain it follows, and refuses one of another network
// (ChainBound): neither its name nor its first block may differ.
func Open(ctx context.Context, c Config) (*Node, error) {
	params, err := bitcoin.Params(c.Network)
	if err != nil {
		return nil, err
	}
	r, err := newRPC(c)
	if err != nil {
		return nil, err
	}
	n := &Node{rpc: r, network: c.Network, genesis: params.GenesisHash.String(), fallback: c.FallbackFee}
	if n.fallback == 0 {
		n.fallback = 10_000
	}
	var info struct{ Chain string }
	if err := r.call(ctx, &info, "getblockchaininfo"); err != nil {
		return nil, err
	}
	if networks[info.Chain] != c.Network {
		return nil, fmt.Errorf("the node is on %q and this server on %q: point it to a node of its own network, or change --network", info.Chain, c.Network)
	}
	first, err := n.HashAt(ctx, 0)
	if err != nil {
		return nil, err
	}
	if first != n.genesis {
		return nil, fmt.Errorf("the node's chain begins with block %s, that of %s begins with %s", first, c.Network, n.genesis)
	}
	return n, nil
}

// Chain is "BTC".
func (n *Node) Chain() string { return asset }

// Network is the network that was asked for and found.
func (n *Node) Network() string { return n.network }

// Genesis is the hash of block 0.
func (n *Node) Genesis() string { return n.genesis }

// Changed never receives: a node is polled.
func (n *Node) Changed() <-chan struct{} { return nil }

// Tip is the node's best block now.
func (n *Node) Tip(ctx context.Context) (chain.Ref, error) {
	var info struct {
		Blocks        int64
		BestBlockHash string
	}
	if err := n.rpc.call(ctx, &info, "getblockchaininfo"); err != nil {
		return chain.Ref{}, err
	}
	return chain.Ref{Hash: info.BestBlockHash, Height: info.Blocks}, nil
}

// HashAt is the hash of the best chain's block at a height, or chain.ErrNotFound.
func (n *Node) HashAt(ctx context.Context, height int64) (string, error) {
	var hash string
	err := n.rpc.call(ctx, &hash, "getblockhash", height)
	// btcd answers -1 for a height above the tip.
	if isCode(err, codeOutOfRange, codeNotFound, -1) {
		return "", chain.ErrNotFound
	}
	return hash, err
}

// Block reads a block by hash, also one that left the best chain, or
// chain.ErrNotFound. That it is the one that was asked for follows from its hash.
func (n *Node) Block(ctx context.Context, hash string) (*chain.Block, error) {
	raw, err := n.raw(ctx, "getblock", hash)
	if err != nil {
		return nil, err
	}
	b, err := btcutil.NewBlockFromBytes(raw)
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
	return bitcoin.Block(b, height, asset), nil
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
	err := n.rpc.call(ctx, &header, "getblockheader", b.Hash().String(), true)
	return header.Height, err
}

// Mempool lists the ids of all transactions that wait.
func (n *Node) Mempool(ctx context.Context) (ids []string, err error) {
	err = n.rpc.call(ctx, &ids, "getrawmempool")
	return ids, err
}

// MempoolTx reads one transaction that waits, or chain.ErrNotFound.
func (n *Node) MempoolTx(ctx context.Context, txid string) (*chain.Tx, error) {
	tx, err := n.transaction(ctx, txid)
	if err != nil {
		return nil, err
	}
	out := bitcoin.Tx(tx, asset)
	var entry struct {
		VSize  float64
		Fees   struct{ Base jsonAmount }
		BIP125 bool `json:"bip125-replaceable"`
	}
	switch err := n.rpc.call(ctx, &entry, "getmempoolentry", txid); {
	case err == nil:
		out.Replaceable = out.Replaceable || entry.BIP125
		if entry.VSize > 0 {
			out.FeeRate = float64(entry.Fees.Base) / entry.VSize
		}
	case isCode(err, codeNotFound):
		return nil, chain.ErrNotFound
	case !unsupported(err):
		return nil, err
	}
	return &out, nil
}

// transaction reads one that waits.
func (n *Node) transaction(ctx context.Context, txid string) (*btcutil.Tx, error) {
	raw, err := n.raw(ctx, "getrawtransaction", txid)
	if err != nil {
		return nil, err
	}
	tx, err := btcutil.NewTxFromBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("node: transaction %s: %w", txid, err)
	}
	if tx.Hash().String() != txid {
		return nil, fmt.Errorf("node: asked for transaction %s and got %s", txid, tx.Hash())
	}
	return tx, nil
}

// raw asks for something by its id in the form that goes over the network, or
// returns chain.ErrNotFound.
func (n *Node) raw(ctx context.Context, method, id string) ([]byte, error) {
	var text string
	err := n.rpc.call(ctx, &text, method, id, 0)
	if isCode(err, codeNotFound) {
		return nil, chain.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("node: %s %s: its answer is not in hex: %w", method, id, err)
	}
	return b, nil
}

// unsupported reports that a node does not know a call. btcd says so in two ways.
func unsupported(err error) bool { return isCode(err, codeUnknownMethod, -1) }
