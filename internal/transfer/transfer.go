package transfer

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// TargetDepth is how many confirmations end a transfer.
const TargetDepth = 6

// BuriedDepth is how deep a foreign transaction has to lie before what it spends
// counts as gone, and other inputs may pay the same orders: from here on no
// earlier attempt comes back, short of a reorganisation deeper than this. It is
// as deep as a miner's own reward has to wait (consensus rule, 100 blocks).
const BuriedDepth = 100

// SettledDepth is how deep a transfer lies before new blocks no longer look at it.
const SettledDepth = 144

// Transfer is one transaction out of one wallet, with all attempts at it.
type Transfer struct {
	ID       string
	Merchant string
	Wallet   string
	Asset    string
	Chain    string
	State    State
	Settled  bool // so deep that new blocks no longer look at it
	Created  time.Time
	Version  int64
	Body
}

// Body is what a transfer holds besides what it is found by.
type Body struct {
	Members  []Member  `json:"members"` // frozen
	Attempts []Attempt `json:"attempts"`
	// Current is the position of the attempt that counts: the one in the chain,
	// else the latest.
	Current int `json:"current"`
	// Anew says that it was planned anew, because no earlier attempt can confirm.
	Anew bool `json:"anew,omitempty"`
	// Joins says that it pays nobody and makes one coin of many.
	Joins bool `json:"joins,omitempty"`
	// Fence is the fencing token that the spender held when it planned.
	Fence int64 `json:"fence"`
	// Foreign is the transaction that spends an input and is no attempt.
	Foreign *Place    `json:"foreign,omitempty"`
	Booked  Booked    `json:"booked"`
	Problem string    `json:"problem,omitempty"` // why it waits, for people
	Tries   int       `json:"tries,omitempty"`   // refusals by the network in a row
	Asked   time.Time `json:"asked,omitzero"`    // when it was last withheld or refused
}

// Member is an order in a transfer, as it was when the transfer was planned.
type Member struct {
	Order  string      `json:"order"`
	To     []byte      `json:"to"`
	Amount money.Units `json:"amount"`
}

// Attempt is one transaction that would do: the first one or a replacement.
type Attempt struct {
	Packet  []byte         `json:"packet"` // unsigned
	Inputs  []chain.Coin   `json:"inputs"`
	Outputs []chain.Output `json:"outputs"`
	Change  int            `json:"change"` // position in Outputs, -1 without
	// ChangeIndex is the derivation index of the change.
	ChangeIndex int64       `json:"changeIndex"`
	Exported    bool        `json:"exported,omitempty"` // the packet left
	Fee         money.Units `json:"fee"`
	VSize       int64       `json:"vsize"`
	Txid        string      `json:"txid,omitempty"` // once signed, or seen
	// Before are ids that it had: signatures of old kinds of wallet can be changed on
	// the way without breaking, and with them the id, until a block holds one form.
	Before []string  `json:"before,omitempty"`
	Raw    []byte    `json:"raw,omitempty"` // once signed
	Signed time.Time `json:"signed,omitzero"`
	Sent   time.Time `json:"sent,omitzero"`   // last time it was handed to the network
	Seen   bool      `json:"seen,omitempty"`  // the network showed it
	Place  *Place    `json:"place,omitempty"` // where it is mined
}

// Place is a transaction in a block.
type Place struct {
	Txid   string `json:"txid"`
	Hash   string `json:"hash,omitempty"` // empty while it waits
	Height int64  `json:"height,omitempty"`
}

// Booked is what of a transfer is in the ledger, so that the difference to what
// should be there can be booked.
type Booked struct {
	Sent bool   `json:"sent"` // what the members take left the wallet
	Txid string `json:"txid,omitempty"`
	// Fee is the network cost booked.
	Fee money.Units `json:"fee"`
	N   int         `json:"n"` // entries so far
}

// Plan returns a new transfer.
func Plan(id string, orders []*Order, fence int64, now time.Time) *Transfer {
	o := orders[0]
	t := &Transfer{ID: id, Merchant: o.Merchant, Wallet: o.Wallet, Asset: o.Asset, Chain: o.Chain, State: Planned, Created: now}
	t.Fence = fence
	for _, o := range orders {
		t.Members = append(t.Members, Member{o.ID, o.To, o.Amount()})
	}
	return t
}

// Child returns a transfer that pays nobody: its transaction returns a coin that
// waits to the wallet, with a fee that brings the one which made it into a block.
func Child(id, merchantID, walletID, asset, chainName string, fence int64, now time.Time) *Transfer {
	t := &Transfer{ID: id, Merchant: merchantID, Wallet: walletID, Asset: asset, Chain: chainName, State: Planned, Created: now}
	t.Fence = fence
	return t
}

// Join returns a transfer that pays nobody: its transaction makes one coin of many,
// so that later payments cost less.
func Join(id, merchantID, walletID, asset, chainName string, fence int64, now time.Time) *Transfer {
	t := Child(id, merchantID, walletID, asset, chainName, fence, now)
	t.Joins = true
	return t
}

// Lifts reports that the transfer hurries another transaction along; see Child.
func (t *Transfer) Lifts() bool { return t.PaysNobody() && !t.Joins }

// PaysNobody reports that all but the network's cost returns to the wallet.
func (t *Transfer) PaysNobody() bool { return len(t.Members) == 0 }

// Outputs is what every attempt has to pay.
func (t *Transfer) Outputs() []chain.Output {
	out := make([]chain.Output, len(t.Members))
	for i, m := range t.Members {
		out[i] = chain.Output{To: m.To, Amount: m.Amount}
	}
	return out
}

// Total is the sum of what the members get.
func (t *Transfer) Total() (sum money.Units) {
	for _, m := range t.Members {
		sum, _ = sum.Add(m.Amount) // within the chain's supply
	}
	return sum
}

// Attempt is the one that counts; nil before the first plan.
func (t *Transfer) Attempt() *Attempt {
	if len(t.Attempts) == 0 {
		return nil
	}
	return &t.Attempts[t.Current]
}

// Add appends an attempt. It must pay exactly what the members get, and share an
// input with every earlier one, unless those can never confirm.
func (t *Transfer) Add(p *chain.Plan, changeIndex int64) error {
	a := Attempt{Packet: p.Packet, Inputs: p.Inputs, Outputs: p.Outputs, Change: p.Change, ChangeIndex: changeIndex, Fee: p.Fee, VSize: p.VSize}
	for i := range t.Attempts {
		if t.State != Lost && !a.shares(&t.Attempts[i]) {
			return fmt.Errorf("transfer %s: attempt %d shares no input with attempt %d: both could confirm", t.ID, len(t.Attempts)+1, i+1)
		}
	}
	if !pays(a.Outputs, a.Change, t.Members) {
		return fmt.Errorf("transfer %s: an attempt does not pay what its orders say", t.ID)
	}
	t.Attempts = append(t.Attempts, a)
	if len(t.Attempts) == 1 || t.State == Lost {
		t.Current = len(t.Attempts) - 1 // a replacement counts once it is signed
	}
	return nil
}

func (a *Attempt) shares(b *Attempt) bool {
	return slices.ContainsFunc(a.Inputs, func(c chain.Coin) bool { return b.Spends(c.Outpoint) })
}

// Conflicts reports whether two attempts share an input, so that one at most can
// confirm.
func (a *Attempt) Conflicts(b *Attempt) bool { return a.shares(b) }

// Pays reports whether an attempt pays exactly what the orders say.
func (t *Transfer) Pays(a *Attempt) bool { return pays(a.Outputs, a.Change, t.Members) }

// Replanned reports whether the transfer was planned anew after its inputs were
// buried in a foreign transaction.
func (t *Transfer) Replanned() bool { return t.Anew }

// Spends reports whether the attempt consumes an output.
func (a *Attempt) Spends(o chain.Outpoint) bool {
	return slices.ContainsFunc(a.Inputs, func(c chain.Coin) bool { return c.Outpoint == o })
}

// pays reports whether outputs, without the one at change, are exactly the
// members' payments in any order.
func pays(outputs []chain.Output, change int, members []Member) bool {
	rest := slices.Clone(members)
	for i, o := range outputs {
		if i == change {
			continue
		}
		j := slices.IndexFunc(rest, func(m Member) bool { return bytes.Equal(m.To, o.To) && m.Amount.Cmp(o.Amount) == 0 })
		if j < 0 {
			return false
		}
		rest = slices.Delete(rest, j, j+1)
	}
	return len(rest) == 0
}

// Move takes a listed step.
func (t *Transfer) Move(e Event) error {
	to, err := Step(t.State, e)
	if err != nil {
		return err
	}
	t.State, t.Anew = to, t.Anew || e == PlannedAnew
	return nil
}

// Find is the position of the attempt that has a transaction id, or had it before it
// was changed on the way; -1 without.
func (t *Transfer) Find(txid string) int {
	return slices.IndexFunc(t.Attempts, func(a Attempt) bool {
		return txid != "" && (a.Txid == txid || slices.Contains(a.Before, txid))
	})
}

// Adopt recognises a transaction that was not recorded as an attempt but does
// exactly what one would: the same payments from inputs of the last plan. It is
// matched by inputs and outputs, because an id can change without them.
func (t *Transfer) Adopt(tx *chain.Tx) bool {
	for i := range t.Attempts {
		a := &t.Attempts[i]
		if len(tx.Spends) != len(a.Inputs) || len(tx.Payments) != len(a.Outputs) {
			continue
		}
		same := !slices.ContainsFunc(tx.Spends, func(o chain.Outpoint) bool { return !a.Spends(o) })
		for j := range tx.Payments {
			same = same && bytes.Equal(tx.Payments[j].To, a.Outputs[j].To) && tx.Payments[j].Amount.Cmp(a.Outputs[j].Amount) == 0
		}
		if same {
			a.rename(tx.ID)
			return true
		}
	}
	return false
}

func (a *Attempt) rename(txid string) {
	if a.Txid != "" && a.Txid != txid {
		a.Before = append(a.Before, a.Txid)
	}
	a.Before = slices.DeleteFunc(a.Before, func(id string) bool { return id == txid })
	a.Txid = txid
}

// Depth is the number of confirmations of a place at a tip; 0 while it waits.
func (p *Place) Depth(tip int64) int64 {
	if p == nil || p.Hash == "" || tip < p.Height {
		return 0
	}
	return tip - p.Height + 1
}

// Next finds the event that the chain asks for in the present state.
func (t *Transfer) Next(tip int64) (Event, bool) {
	a := t.Attempt()
	if a == nil {
		return "", false
	}
	own := a.Place.Depth(tip)
	// Nobody is paid twice by what pays nobody, so it is given up at once.
	lost := t.Foreign.Depth(tip) >= BuriedDepth || t.Lifts() && t.Taken()
	switch t.State {
	case Planned, Exported, Signed:
		if lost && t.State != Planned {
			return InputsTaken, true
		}
		return Accepted, own > 0 || a.Seen
	case Sent:
		if lost {
			return InputsTaken, true
		}
		return DepthReached, own >= TargetDepth
	case Confirmed:
		return DepthLost, own < TargetDepth
	case Lost:
		return Accepted, own > 0 // a deep reorganisation brought it back
	}
	return "", false
}

// Taken reports that a foreign transaction spends an input, at whatever depth.
func (t *Transfer) Taken() bool { return t.Foreign != nil }

// Secret reports that nobody can have a signature of any attempt.
func (t *Transfer) Secret() bool {
	return t.State == Planned && !slices.ContainsFunc(t.Attempts, func(a Attempt) bool { return a.Txid != "" || a.Exported })
}

// Settle notes whether new blocks can still move the transfer.
func (t *Transfer) Settle(tip int64) {
	switch t.State {
	case Confirmed:
		t.Settled = t.Attempt().Place.Depth(tip) >= SettledDepth
	default:
		// What pays nobody and can no longer confirm has nothing left to do.
		t.Settled = t.State == Dropped || t.State == Lost && t.PaysNobody()
	}
}
