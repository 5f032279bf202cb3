package invoice

import (
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// Facts is what an assessment may look at besides the invoice itself.
type Facts struct {
	Now  time.Time
	Tips map[string]int64 // best height by chain, as far as it was followed
	// ReadAt is when the latest complete reading of each chain began. A deadline
	// counts as missed only if every chain the invoice can be paid on was read
	// after it: a payment made in time may be in what was not read yet.
	ReadAt map[string]time.Time
	// Followed are the chains that are read here at all; nil is every one. For nothing
	// on another is waited with an invoice that nobody has paid.
	Followed map[string]bool
}

// closed reports that the time of an unpaid invoice is over and that nothing is left to
// read that could have paid it.
func (f Facts) closed(inv *Invoice) bool {
	deadline := inv.Closes()
	return f.missed(inv, deadline, func(chain string) bool { return f.Followed == nil || f.Followed[chain] })
}

// every has all chains of an invoice waited for.
func every(string) bool { return true }

// missed reports that a deadline is over and that nothing is left to read that
// could have met it, on the chains that are waited for.
func (f Facts) missed(inv *Invoice, deadline time.Time, waits func(chain string) bool) bool {
	if !f.Now.After(deadline) {
		return false
	}
	for i := range inv.Terms.Options {
		if name := inv.Terms.Options[i].Chain; waits(name) && !f.ReadAt[name].After(deadline) {
			return false
		}
	}
	return true
}

// Change is one thing that happened, in order; each becomes an event.
type Change struct {
	Kind ChangeKind
	From Status
	To   Status
	On   Event
}

// ChangeKind tells a step of the state machine from what happens inside a state.
type ChangeKind string

// What happens to an invoice.
const (
	Moved        ChangeKind = "status"       // From, To, On
	PaymentSeen  ChangeKind = "payment"      // a new payment that did not complete the amount, or came on top
	LatePayment  ChangeKind = "late_payment" // a payment that is not applied to the price
	PaymentGone  ChangeKind = "payment_gone" // a payment was replaced or dropped
	Resent       ChangeKind = "resent"       // the merchant asked for the webhook again
	Cancellation ChangeKind = "cancelled"
	Refunded     ChangeKind = "refunded" // a refund has the confirmations asked for
)

// Sighting is a payment as a chain reports it.
type Sighting struct {
	Chain    string
	Outpoint chain.Outpoint
	Asset    string
	Amount   money.Units
	Block    *chain.Block // nil while it waits in the mempool
	At       time.Time    // when it was seen waiting; zero is now
	Spends   []chain.Outpoint
	LowFee   bool
	Score    int // of a payment that waits
	Doubts   []string
}

// See records a sighting. Seeing the same payment again, also in another block,
// never counts it twice. It reports whether anything changed.
func (inv *Invoice) See(s Sighting, now time.Time) (changed bool, kind ChangeKind) {
	seen := inv.seenAt(s, now)
	if i := inv.find(s.Chain, s.Outpoint); i >= 0 {
		changed = inv.Credits[i].move(s, seen)
		changed = inv.Credits[i].judge(s) || changed
		if changed {
			inv.inherit(&inv.Credits[i])
		}
		return changed, ""
	}
	c := Credit{
		Chain: s.Chain, Outpoint: s.Outpoint, Asset: s.Asset, Amount: s.Amount,
		State: Pending, FirstSeen: seen, Received: now, LowFee: s.LowFee, Score: s.Score, Doubts: s.Doubts, Spends: s.Spends,
	}
	if s.Block != nil {
		c.State, c.BlockHash, c.Height = Mined, s.Block.Hash, s.Block.Height
	}
	inv.inherit(&c)
	inv.Credits = append(inv.Credits, c)
	if !inv.inTime(&c) {
		return true, LatePayment
	}
	return true, PaymentSeen
}

// seenAt is when a sighting proves the payment to exist: a block does for its
// own time, however late we look. No payment is older than its address.
func (inv *Invoice) seenAt(s Sighting, now time.Time) time.Time {
	seen := now
	switch {
	case s.Block != nil && s.Block.Time.Before(now):
		seen = s.Block.Time
	case s.Block == nil && !s.At.IsZero() && s.At.Before(now):
		seen = s.At
	}
	if seen.Before(inv.Created) {
		return inv.Created
	}
	return seen
}

// inherit gives a replacement (a fee bump) the time of what it replaced: the
// buyer did pay then. Of two payments that spend the same, one counts: the mined
// one, else the one seen last.
func (inv *Invoice) inherit(c *Credit) {
	for i := range inv.Credits {
		old := &inv.Credits[i]
		if old.Chain != c.Chain || old.Outpoint.Txid == c.Outpoint.Txid || !old.conflicts(c.Spends) {
			continue
		}
		if old.FirstSeen.Before(c.FirstSeen) {
			c.FirstSeen = old.FirstSeen
		}
		switch {
		case old.State == Mined && c.State == Pending:
			c.State = Gone
		case old.State == Pending && c.Live():
			old.State = Gone
		}
	}
}

func (inv *Invoice) find(chainName string, o chain.Outpoint) int {
	return slices.IndexFunc(inv.Credits, func(c Credit) bool { return c.Chain == chainName && c.Outpoint == o })
}

func (c *Credit) move(s Sighting, seen time.Time) bool {
	before := *c
	if seen.Before(c.FirstSeen) {
		c.FirstSeen = seen
	}
	if s.Block != nil {
		c.State, c.BlockHash, c.Height = Mined, s.Block.Hash, s.Block.Height
	} else if c.State == Gone {
		c.State = Pending
	}
	return c.State != before.State || c.BlockHash != before.BlockHash || c.FirstSeen != before.FirstSeen
}

// Unmine puts payments of a block that left the best chain back to waiting.
func (inv *Invoice) Unmine(chainName, blockHash string) (changed bool) {
	for i := range inv.Credits {
		c := &inv.Credits[i]
		if c.Chain == chainName && c.State == Mined && c.BlockHash == blockHash {
			c.State, c.BlockHash, c.Height, c.Settled = Pending, "", 0, false
			changed = true
		}
	}
	return changed
}

// Lose marks the payments of a transaction that can no longer confirm.
func (inv *Invoice) Lose(chainName, txid string) (changed bool) {
	for i := range inv.Credits {
		c := &inv.Credits[i]
		if c.Chain == chainName && c.State == Pending && c.Outpoint.Txid == txid {
			c.State = Gone
			changed = true
		}
	}
	return changed
}

// Assess walks the state machine as far as the facts carry and returns the
// steps taken, oldest first.
func (inv *Invoice) Assess(f Facts) ([]Change, error) {
	var out []Change
	// Each pass takes one listed step; no path through the table is longer.
	for range len(steps) {
		e, ok := inv.next(f)
		if !ok {
			break
		}
		to, err := Step(inv.Status, e)
		if err != nil {
			return nil, err
		}
		out = append(out, Change{Kind: Moved, From: inv.Status, To: to, On: e})
		inv.Status = to
	}
	inv.settle(f)
	return out, nil
}

// next finds the event that the facts ask for in the present state.
func (inv *Invoice) next(f Facts) (Event, bool) {
	d, need := inv.depth(f.Tips), inv.Depths(inv.PaymentAsset())
	switch inv.Status {
	case New:
		if d >= 0 {
			return inv.seen(), true
		}
		return WindowClosed, f.closed(inv)
	case Expired:
		return inv.seen(), d >= 0 && !inv.overdue(d, f)
	case Invalid:
		return inv.recovered(d, need, f)
	case Paid:
		return inv.fromPaid(d, need, f)
	case Confirmed:
		return inv.fromConfirmed(d, need, f)
	case Complete:
		if d < 0 {
			return DoubleSpent, true
		}
		return DepthLost, d < need.Credit
	}
	return "", false
}

func (inv *Invoice) seen() Event {
	if inv.Terms.Order.Speed == High && inv.trusted() {
		return FullAmountTrusted
	}
	return FullAmountSeen
}

func (inv *Invoice) fromPaid(d int64, need Depths, f Facts) (Event, bool) {
	switch speed := inv.Terms.Order.Speed; {
	case d < 0:
		return DoubleSpent, true
	case inv.overdue(d, f):
		return ConfirmationOverdue, true
	case speed == High && (d >= 1 || inv.trusted()):
		return FullAmountTrusted, true
	case speed == Medium && d >= need.Medium:
		return DepthReached, true
	}
	return Credited, d >= need.Credit
}

func (inv *Invoice) fromConfirmed(d int64, need Depths, f Facts) (Event, bool) {
	switch {
	case d < 0:
		return DoubleSpent, true
	case inv.overdue(d, f):
		return ConfirmationOverdue, true
	case d < need.For(inv.Terms.Order.Speed), d == 0 && !inv.trusted():
		return DepthLost, true
	}
	return Credited, d >= need.Credit
}

func (inv *Invoice) recovered(d int64, need Depths, f Facts) (Event, bool) {
	switch {
	case d < 0 || inv.overdue(d, f):
		return "", false
	case d >= need.Credit && inv.Terms.Order.Speed == Low:
		return Credited, true
	case d >= max(1, need.For(inv.Terms.Order.Speed)) && inv.Terms.Order.Speed != Low:
		return DepthReached, true
	}
	return inv.seen(), true
}

// overdue reports that the amount waits for its first confirmation too long.
func (inv *Invoice) overdue(d int64, f Facts) bool {
	return d == 0 && f.missed(inv, inv.fullSince().Add(ConfirmWithin), every)
}

// SettledDepth is how deep a payment lies before new blocks no longer look at it.
const SettledDepth = 144

func (inv *Invoice) settle(f Facts) {
	for i := range inv.Credits {
		c := &inv.Credits[i]
		c.Settled = c.State == Gone || c.Confirmations(f.Tips[c.Chain]) >= SettledDepth
	}
}
