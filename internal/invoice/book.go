package invoice

import "github.com/quittance/quittance/internal/money"

// Deep reports whether a payment lies deep enough to be in the books.
func (inv *Invoice) Deep(c *Credit, tip int64) bool {
	return c.Confirmations(tip) >= inv.Depths(c.Asset).Credit
}

// BooksDiffer reports whether the books say something else about the invoice
// than the chain does: a payment or the credit has to be booked or taken back.
func (inv *Invoice) BooksDiffer(tips map[string]int64) bool {
	for i := range inv.Credits {
		c := &inv.Credits[i]
		if inv.Deep(c, tips[c.Chain]) != (c.Entry != "") {
			return true
		}
	}
	return (inv.Status == Complete) != (inv.State.Entry != "")
}

// Applied is the part of the payments in time that the price takes, with its
// asset: what is due, or all if it is less.
func (inv *Invoice) Applied() (money.Units, string) {
	due, asset := inv.due()
	if got := inv.paidInTime(asset); got.Cmp(due) < 0 {
		return got, asset
	}
	return due, asset
}

// Booked is the sum of the payments that are in the books, by asset.
func (inv *Invoice) Booked() map[string]money.Units {
	sums := map[string]money.Units{}
	for i := range inv.Credits {
		if c := &inv.Credits[i]; c.Entry != "" {
			sums[c.Asset], _ = sums[c.Asset].Add(c.Amount) // within the chain's supply
		}
	}
	return sums
}
