package chain

import (
	"context"

	"github.com/quittance/quittance/internal/money"
)

// Draft is a transaction that somebody else made and hands over, signed or not.
// Nothing in it is believed: it is only what the bytes say.
type Draft struct {
	// Tx is what it spends and pays. The ID of an unsigned one may change once it is
	// signed.
	Tx
	Raw    []byte
	Signed bool  // each input carries something that claims the right to spend
	VSize  int64 // virtual bytes, as it stands
}

// Input is what a back end knows of an output that a draft spends.
type Input struct {
	Outpoint
	// Known reports that the back end knows the output, and no block spends it.
	Known bool
	// Confirmed reports that it is in a block, and deep enough to be spent.
	Confirmed bool
	SpentBy   string // a waiting transaction that spends it; empty where none does
	Amount    money.Units
	To        []byte // the destination that owns it
}

// Inspection is what a back end says of a draft.
type Inspection struct {
	// Held reports that the back end has this very transaction already, waiting or
	// in a block. Then Inputs is empty: what it spends is spent by itself.
	Held   bool
	Inputs []Input // in the order of the draft's Spends
	// Final reports that its lock time does not keep it from the next block.
	Final bool
	// Size is how many virtual bytes it has once it is signed; 0 where that cannot
	// be told from what it spends.
	Size int64
}

// Inspector looks at transactions that others made, before this server hands them
// to the network. All methods are safe for concurrent use.
type Inspector interface {
	// Read takes a transaction apart, without asking anybody. The error is a
	// sentence that says what is wrong with it.
	Read(raw []byte) (*Draft, error)
	// Inspect looks up what a draft spends. ErrNoMempool means that this back end
	// cannot look up outputs.
	Inspect(ctx context.Context, d *Draft) (*Inspection, error)
}
