package chain

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// ErrNotFound means that the back end knows no such block or transaction.
var ErrNotFound = errors.New("chain: not found")

// ErrNoMempool is returned by back ends that cannot see unconfirmed
// transactions, such as a compact-filter client.
var ErrNoMempool = errors.New("chain: this back end sees no unconfirmed transactions")

// Ref names a block by hash and height.
type Ref struct {
	Hash   string
	Height int64
}

// Outpoint names one payment inside a transaction: Txid in the chain's usual
// spelling and the position of the output (or log) in it.
type Outpoint struct {
	Txid string
	Vout uint32
}

// Key is the outpoint as bytes that differ from those of every other.
func (o Outpoint) Key() []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, len(o.Txid)+4), o.Txid...), o.Vout)
}

// Payment is one output of a transaction: an amount of an asset to a
// destination. To is the raw destination the chain itself uses (for Bitcoin
// the output script), not an address text.
type Payment struct {
	Vout   uint32
	To     []byte
	Asset  string
	Amount money.Units
}

// Tx is a transaction as far as a receiver cares.
type Tx struct {
	ID       string
	Spends   []Outpoint // the outputs it consumes; two transactions that share one conflict
	Payments []Payment
	// Replaceable reports that the sender signalled replacement (BIP 125).
	Replaceable bool
	// FeeRate is in the smallest unit per virtual byte; 0 when unknown.
	FeeRate float64
	// Standing is what is known of a transaction that waits and may be ours; nil when
	// nobody was asked.
	Standing *Standing
}

// Standing is what speaks for and against a transaction's being mined.
type Standing struct {
	Unknown     bool // nobody could say, though somebody was asked; the rest means nothing
	Replaceable bool // it, or one that has to be mined before it, signals replacement
	// Unsignalled is whether nodes replace transactions that do not signal it too
	// (full RBF, Bitcoin Core's default from version 28).
	Unsignalled bool
	Conflict    bool    // another transaction that was seen spends the same
	FeeRate     float64 // in the smallest unit per virtual byte; 0 when unknown
	UsualRate   float64 // what confirms soon at present; 0 when unknown
	Ancestors   int     // unconfirmed transactions that it builds upon
	Nodes       int     // that were asked whether they have it
	Holds       int     // of them that do
}

// Prober is a Source that can say how a transaction of the mempool stands.
type Prober interface {
	// Probe looks at one transaction, or returns ErrNotFound when it has left.
	Probe(ctx context.Context, txid string) (*Standing, error)
}

// Block is one block with all its transactions.
type Block struct {
	Ref
	Prev string
	Time time.Time
	Txs  []Tx
}

// Batcher is a Source that reads many unconfirmed transactions at once.
type Batcher interface {
	// MempoolTxs is MempoolTx for many; those that have left the mempool are nil.
	MempoolTxs(ctx context.Context, txids []string) ([]*Tx, error)
}

// Source is what a chain back end offers the watcher. All methods are safe for
// concurrent use.
type Source interface {
	// Chain is the short name used in cursors and addresses, such as "BTC".
	Chain() string
	// Network is "main", "test", "signet" or "regtest".
	Network() string
	// Genesis is the hash of block 0; it must never change for a database.
	Genesis() string
	// Tip is the best block now.
	Tip(ctx context.Context) (Ref, error)
	// HashAt is the hash of the best chain's block at a height, or ErrNotFound.
	HashAt(ctx context.Context, height int64) (string, error)
	// Block reads a block by hash, also one that left the best chain.
	Block(ctx context.Context, hash string) (*Block, error)
	// Mempool lists the ids of all unconfirmed transactions, or ErrNoMempool.
	Mempool(ctx context.Context) ([]string, error)
	// MempoolTx reads one unconfirmed transaction, or ErrNotFound when it has
	// left the mempool since.
	MempoolTx(ctx context.Context, txid string) (*Tx, error)
	// Changed returns a channel that receives after the tip or the mempool
	// changed. Notices may be merged; a missed one is made up by polling.
	Changed() <-chan struct{}
}
