package chain

import (
	"context"
	"errors"

	"github.com/quittance/quittance/internal/money"
)

// Found is an unspent output of the best chain that somebody searched for.
type Found struct {
	Outpoint
	Amount money.Units
	To     []byte
	Height int64 // of the block that made it
	// Coinbase reports a miner's reward, which cannot be spent at once. Nodes of older
	// versions do not say.
	Coinbase bool
}

// ErrNoScan is returned by back ends that cannot search what is unspent.
var ErrNoScan = errors.New("chain: this back end cannot search for unspent outputs")

// Finder is a back end that searches all that is unspent.
type Finder interface {
	// FindCoins lists what lies unspent at destinations, or returns ErrNoScan. It may
	// take minutes.
	FindCoins(ctx context.Context, destinations [][]byte) ([]Found, error)
}
