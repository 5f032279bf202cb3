package invoice

import "github.com/quittance/quittance/internal/money"

// Progress is how far the confirmations of a payment have come, as shown to the
// buyer: towards what the transaction speed asks for, then towards the credit.
type Progress struct {
	Have int64 // confirmations of the payments that make up the due amount, at most Need
	Need int64
}

// Progress reads the invoice against the followed heights by chain. It is zero
// while the due amount is not there.
func (inv *Invoice) Progress(tips map[string]int64) Progress {
	d := inv.depth(tips)
	if d < 0 {
		return Progress{}
	}
	depths := inv.Depths(inv.PaymentAsset())
	need := depths.Credit
	if inv.Status == Paid && inv.Terms.Order.Speed == Medium {
		need = depths.Medium
	}
	return Progress{Have: min(d, need), Need: need}
}

// Missing is what is still to be paid in the way that is shown; zero when
// nothing is.
func (inv *Invoice) Missing() money.Units { return inv.Rest(inv.Chosen()) }

// Rest is what is still missing to the full amount in one of the offered assets,
// whatever was chosen.
func (inv *Invoice) Rest(o *Option) money.Units {
	rest, err := o.Due.Sub(inv.paidInTime(o.Asset))
	if err != nil {
		return money.Units{}
	}
	return rest
}
