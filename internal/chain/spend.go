package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/money"
)

// Path is where in a wallet a destination comes from.
type Path struct {
	Change bool  // of the wallet's chain for change; else of the one that payers see
	Index  int64 // from 0 to 2^31-1
}

// Coin is a payment to one of a wallet's own destinations that can be spent.
type Coin struct {
	Outpoint
	Amount    money.Units
	To        []byte // the destination that owns it
	Path      Path
	Confirmed bool // in a block of the best chain
}

// Output is one payment out.
type Output struct {
	To     []byte
	Amount money.Units
}

// Account is the public half of a wallet: what derives its destinations.
type Account struct {
	XPub string
	Kind string // bip44, bip49, bip84 or bip86
	// Origin is where the key comes from, "[fingerprint/84h/0h/0h]" (BIP 380), or
	// empty when that is not known. Signers elsewhere find their key by it.
	Origin string
}

// Outlay is what a transaction is to be made of.
type Outlay struct {
	Account Account
	// Must are inputs that the transaction has to spend. A new attempt at
	// something that was signed before keeps one of the old inputs here, so that
	// only one of the two can ever confirm.
	Must []Coin
	// May are inputs to choose from.
	May []Coin
	// Outputs are exactly what is paid. There may be none where everything in Must
	// returns to Change.
	Outputs []Output
	Change  Path // where the rest returns to
	// FeeRate is in the smallest unit per 1,000 virtual bytes.
	FeeRate uint64
	// MaxFee is the most that the transaction may cost; a plan above it is ErrFeeCap.
	MaxFee money.Units
	// Replaces is the fee and size of what this replaces in the mempool, if
	// anything: the new fee has to exceed it (BIP 125, rules 3 and 4).
	Replaces *Cost
	// Lifts is the fee and size of a transaction that waits and that an input comes
	// from, if the new one is to bring both into a block: its fee is reckoned for
	// both sizes (child pays for parent).
	Lifts *Cost
	// Origin reads the transaction that made a coin, as it went over the network.
	// It is asked for coins that were chosen, if signatures of their kind do not
	// cover amounts, or if Full is set; nil: nobody can be asked.
	Origin func(Outpoint) ([]byte, error)
	// Full asks for a packet that holds the transactions that made its coins, for a
	// signer elsewhere that checks amounts by them.
	Full bool
}

// Cost is what a transaction costs.
type Cost struct {
	Fee   money.Units
	VSize int64 // virtual bytes
}

// Plan is a transaction before it is signed.
type Plan struct {
	Inputs  []Coin
	Outputs []Output // as in the transaction, change included
	// Change is the position of the change in Outputs, -1 without change: a rest
	// below dust goes to the miner.
	Change int
	Cost
	// Packet is the unsigned transaction with all that a signer needs to know, in
	// the chain's interchange form (for Bitcoin a PSBT, BIP 174).
	Packet []byte
}

// Signed is a transaction that can be sent.
type Signed struct {
	ID     string // in the chain's usual spelling
	Raw    []byte
	Spends []Outpoint
	Cost
}

// Errors of a plan.
var (
	// ErrFunds means that the coins do not cover the outputs and the fee.
	ErrFunds = errors.New("chain: the wallet's spendable coins do not suffice")
	// ErrFeeCap means that the transaction would cost more than it may.
	ErrFeeCap = errors.New("chain: the network fee is above the limit")
	// ErrDust means that an output is smaller than the network carries.
	ErrDust = errors.New("chain: the amount is smaller than the network carries")
	// ErrNoID means that a transaction's id is not known before it is signed.
	ErrNoID = errors.New("chain: the transaction has no id before it is signed")
	// ErrAltered means that a signed packet is not the transaction that was planned.
	ErrAltered = errors.New("chain: the signed transaction is not the one that was planned")
)

// Spending makes transactions out of the wallets of one network. It is pure:
// no keys, no I/O. All methods are safe for concurrent use.
type Spending interface {
	// Destination reads an address as people write it. The error is a sentence
	// that says what is wrong with it: damaged, of another network, of a kind
	// that nothing can be sent to.
	Destination(address string) ([]byte, error)
	// AddressOf writes a destination as people read it.
	AddressOf(destination []byte) (string, error)
	// Own derives a destination of an account.
	Own(a Account, p Path) (address string, destination []byte, err error)
	// Plan chooses inputs and builds the unsigned transaction.
	Plan(o Outlay) (*Plan, error)
	// MaxFee is what a transaction with so many payments may cost.
	MaxFee(payments int) money.Units
	// ID is the id that a transaction will have once the packet is signed, or
	// ErrNoID where signatures are part of what is hashed.
	ID(packet []byte) (string, error)
	// Same reports whether two packets are of one transaction, whatever is signed in
	// them. The error is a sentence: the second is no packet.
	Same(packet, other []byte) (bool, error)
	// Outside is a planned packet as signers elsewhere get it: with what the interchange
	// form has them expect, and no more.
	Outside(packet []byte) ([]byte, error)
	// Finish holds a signed packet against its plan, checks every signature and
	// takes the transaction out; ErrAltered when it is another one.
	Finish(p *Plan, signed []byte) (*Signed, error)
}

// SignRequest asks for the signatures of one plan.
type SignRequest struct {
	Transfer string // what the transaction belongs to: its attempts share the name
	Wallet   string // the wallet's id
	Account  Account
	Packet   []byte
}

// Signer puts signatures on a packet. Asking again for the same packet is
// allowed and changes nothing. All methods are safe for concurrent use.
type Signer interface {
	// Sign returns the signed packet. A *Withheld says that policy does not allow
	// it, or not yet; any other error that it could not be found out.
	Sign(ctx context.Context, r SignRequest) ([]byte, error)
}

// Withheld is a signer's refusal.
type Withheld struct {
	Reason string // a sentence: which rule, and what to do
	Final  bool   // waiting or an approval does not change it
}

func (e *Withheld) Error() string { return fmt.Sprintf("chain: not signed: %s", e.Reason) }

// Rejected is the network's refusal of a transaction: at present it can not be
// mined. It says nothing about whether it could earlier or can later.
type Rejected struct{ Reason string }

func (e *Rejected) Error() string { return "chain: not accepted: " + e.Reason }

// Sender hands transactions to the network.
type Sender interface {
	// Send returns nil once the back end holds the transaction, also when it did
	// before. A *Rejected means that it refused it; after any other error it is
	// unknown whether it was taken.
	Send(ctx context.Context, raw []byte) error
	// FeeRate estimates what confirms within a number of blocks (from 1), in the
	// smallest unit per 1,000 virtual bytes.
	FeeRate(ctx context.Context, blocks int) (uint64, error)
	// Unspent returns those of the given outputs that the back end knows,
	// confirmed or waiting, and that nothing it knows of spends.
	Unspent(ctx context.Context, coins []Outpoint) ([]Outpoint, error)
	// Cost is the fee and size of a transaction that waits, or ErrNotFound.
	Cost(ctx context.Context, txid string) (Cost, error)
}

// Origins is a Sender that can read the transactions that made coins.
type Origins interface {
	// Origin reads a transaction as it went over the network, or ErrNotFound. block
	// is the hash of the block that it is in, empty while it waits.
	Origin(ctx context.Context, txid, block string) ([]byte, error)
}
