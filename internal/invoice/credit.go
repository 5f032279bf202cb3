package invoice

import (
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// CreditState says where a payment is.
type CreditState string

// Pending waits in the mempool, Mined is in a block of the best chain, Gone was
// replaced, dropped or reorganised away and is in neither.
const (
	Pending CreditState = "pending"
	Mined   CreditState = "mined"
	Gone    CreditState = "gone"
)

// Credit is one payment to one of the invoice's addresses, named by the outpoint
// that can exist only once on a chain.
type Credit struct {
	Chain     string
	Outpoint  chain.Outpoint
	Asset     string
	Amount    money.Units
	State     CreditState
	FirstSeen time.Time // when it counts as received: our clock, or the block's time if earlier; inherited by a replacement
	Received  time.Time // when we learnt of it
	BlockHash string    // while Mined
	Height    int64     // while Mined
	LowFee    bool
	Score     int      // how sure it was when it was seen waiting, 0 to 100; see Score
	Doubts    []string // what spoke against it then, in sentences
	Spends    []chain.Outpoint
	Settled   bool   // deep enough that it is no longer looked at on each block
	Entry     string // the ledger entry that books it; empty while none does
	Bookings  int64  // how often it was booked
}

// Live reports whether the payment is in the chain or waiting for it.
func (c *Credit) Live() bool { return c.State != Gone }

// Confirmations at a given tip height; 0 while it waits.
func (c *Credit) Confirmations(tip int64) int64 {
	if c.State != Mined || tip < c.Height {
		return 0
	}
	return tip - c.Height + 1
}

// conflicts reports whether two payments spend a common outpoint, so that only
// one of them can ever confirm.
func (c *Credit) conflicts(spends []chain.Outpoint) bool {
	for _, s := range spends {
		if slices.Contains(c.Spends, s) {
			return true
		}
	}
	return false
}

// inTime reports whether the payment came before the window closed and before
// a cancellation.
func (inv *Invoice) inTime(c *Credit) bool {
	if c.FirstSeen.After(inv.deadline(c.Asset)) {
		return false
	}
	return inv.State.Cancelled.IsZero() || c.FirstSeen.Before(inv.State.Cancelled)
}

// Received is the sum of all payments that are still there, late ones included,
// in the asset of the first.
func (inv *Invoice) Received() money.Units {
	asset := inv.PaymentAsset()
	return inv.sum(func(c *Credit) bool { return c.Asset == asset })
}

func (inv *Invoice) sum(counts func(*Credit) bool) money.Units {
	var total money.Units
	for i := range inv.Credits {
		c := &inv.Credits[i]
		if !c.Live() || !counts(c) {
			continue
		}
		// A chain's whole supply fits many times over: the sum cannot overflow.
		total, _ = total.Add(c.Amount)
	}
	return total
}

// paidInTime is what counts towards the price.
func (inv *Invoice) paidInTime(asset string) money.Units {
	return inv.sum(func(c *Credit) bool { return c.Asset == asset && inv.inTime(c) })
}

// HasLate reports whether a payment came that is not applied to the price.
func (inv *Invoice) HasLate() bool {
	return slices.ContainsFunc(inv.Credits, func(c Credit) bool { return c.Live() && !inv.inTime(&c) })
}

// Exception is "", "paidPartial" or "paidOver".
func (inv *Invoice) Exception() string {
	due, asset := inv.due()
	if asset == "" {
		return ""
	}
	switch in := inv.paidInTime(asset); {
	case in.Cmp(due) < 0:
		// Invalid too: what is left of a payment that was replaced is a part of the
		// price, as it is for who never saw the whole of it.
		if !in.IsZero() && (inv.Status == New || inv.Status == Expired || inv.Status == Invalid) {
			return "paidPartial"
		}
	case inv.Received().Cmp(due) > 0:
		return "paidOver"
	}
	return ""
}

// Difference is how far the received sum is from what is due: under, over.
// Both are zero without an exception.
func (inv *Invoice) Difference() (under, over money.Units) {
	due, _ := inv.due()
	got := inv.Received()
	switch inv.Exception() {
	case "paidPartial":
		under, _ = due.Sub(inv.paidInTime(inv.PaymentAsset()))
	case "paidOver":
		over, _ = got.Sub(due)
	}
	return under, over
}

// depth is the smallest number of confirmations among the deepest payments that
// together make up the due amount; -1 when they do not.
func (inv *Invoice) depth(tips map[string]int64) int64 {
	due, asset := inv.enough()
	if asset == "" {
		return -1
	}
	var confs []int64
	byDepth := map[int64]money.Units{}
	for i := range inv.Credits {
		c := &inv.Credits[i]
		if !c.Live() || c.Asset != asset || !inv.inTime(c) {
			continue
		}
		n := c.Confirmations(tips[c.Chain])
		if _, ok := byDepth[n]; !ok {
			confs = append(confs, n)
		}
		byDepth[n], _ = byDepth[n].Add(c.Amount)
	}
	slices.Sort(confs)
	var sum money.Units
	for _, n := range slices.Backward(confs) {
		sum, _ = sum.Add(byDepth[n])
		if sum.Cmp(due) >= 0 {
			return n
		}
	}
	return -1
}

// fullSince is when the payments in time first made up the due amount.
func (inv *Invoice) fullSince() time.Time {
	due, asset := inv.enough()
	live := slices.DeleteFunc(slices.Clone(inv.Credits), func(c Credit) bool {
		return !c.Live() || c.Asset != asset || !inv.inTime(&c)
	})
	slices.SortFunc(live, func(a, b Credit) int { return a.FirstSeen.Compare(b.FirstSeen) })
	var sum money.Units
	for _, c := range live {
		if sum, _ = sum.Add(c.Amount); sum.Cmp(due) >= 0 {
			return c.FirstSeen
		}
	}
	return time.Time{}
}
