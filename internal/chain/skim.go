package chain

import (
	"context"
	"errors"
)

// ErrSyncing is returned by back ends that follow the chain themselves and have
// not reached its tip, or lost touch with it: what they know is no tip that
// deadlines may be held against. The error around it says how far they are.
var ErrSyncing = errors.New("chain: the back end has not reached the tip of the chain")

// Run is a row of destinations of one length, without anything in between.
type Run struct {
	Width int // bytes of each, at least 1
	Bytes []byte
}

// Destinations is many destinations, packed: millions of them are looked through
// for each block. Nobody changes the bytes.
type Destinations []Run

// Len is how many destinations there are.
func (d Destinations) Len() (n int) {
	for _, r := range d {
		n += len(r.Bytes) / r.Width
	}
	return n
}

// Skimmer is a Source that tells without reading a block whether it may concern
// given destinations, all of them at once.
//
// What it is asked about are blocks that are known by hash already, so that the
// caller can collect its destinations after a block came to be and before it is
// judged: an address is made before it is paid.
type Skimmer interface {
	Source
	// Headers tells the best chain's blocks from one height up to another, both
	// included, without their transactions. There are fewer where the chain ends
	// before. Each builds on the one before it.
	Headers(ctx context.Context, from, to int64) ([]*Block, error)
	// Skim reports for each block whether it may pay one of the destinations or
	// spend from one: false is certain, as far as peers that agree can be believed.
	// The blocks follow one another. ErrNotFound means that they left the best chain.
	Skim(ctx context.Context, blocks []*Block, to Destinations) ([]bool, error)
}

// Founder is a Source that knows where a new database begins to follow the chain.
// Others begin at the tip.
type Founder interface {
	// Begin is the last block that need not be looked at.
	Begin(ctx context.Context) (Ref, error)
}

// PlacedCoin is an output and where the chain has it.
type PlacedCoin struct {
	Outpoint
	To    []byte
	Block Ref
}

// Auditor is a Sender that cannot look an output up by its name and needs to be
// told where it is.
type Auditor interface {
	// StillUnspent returns those of the outputs that are where they are said to be
	// and that no block of the best chain spends.
	StillUnspent(ctx context.Context, coins []PlacedCoin) ([]Outpoint, error)
}
