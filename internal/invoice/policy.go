package invoice

import "time"

// Depths is how many confirmations a payment needs and, while it has none, how sure
// it has to be. It is fixed with the invoice, for each way to pay.
type Depths struct {
	Medium int64 `json:"medium"` // for "confirmed" at medium speed, from 1
	Credit int64 `json:"credit"` // for "complete", and for "confirmed" at low speed; from Medium
	Trust  int   `json:"trust"`  // least score of a waiting payment that is trusted at high speed, 0 to 100
}

// Standard is what holds unless an invoice says otherwise: what BitPay documents for
// Bitcoin.
var Standard = Depths{Medium: 1, Credit: CreditDepth, Trust: DefaultTrust}

// For is the number of confirmations at which a speed's promise is kept.
func (d Depths) For(s Speed) int64 {
	switch s {
	case High:
		return 0
	case Low:
		return d.Credit
	}
	return d.Medium
}

// Depths is what holds for payments in an asset.
func (inv *Invoice) Depths(asset string) Depths {
	if o, ok := inv.Option(asset); ok && o.Depths != nil {
		return *o.Depths
	}
	return Standard
}

// BlockGrace is how long after the window a block may first show a payment that counts,
// on a chain that is seen in blocks only: the buyer paid in time, and had to wait for a
// block. None comes within an hour once in 400 times on Bitcoin.
const BlockGrace = time.Hour

// Closes is when an unpaid invoice is over: with its window, or with the longest grace
// of a chain that it can be paid on.
func (inv *Invoice) Closes() time.Time {
	var most int64
	for i := range inv.Terms.Options {
		most = max(most, inv.Terms.Options[i].Grace)
	}
	return inv.Expires.Add(time.Duration(most) * time.Millisecond)
}

// deadline is until when a payment in an asset counts.
func (inv *Invoice) deadline(asset string) time.Time {
	if o, ok := inv.Option(asset); ok {
		return inv.Expires.Add(time.Duration(o.Grace) * time.Millisecond)
	}
	return inv.Expires
}

// Target is the number of confirmations that completes the invoice, in the way to
// pay that is shown.
func (inv *Invoice) Target() int64 { return inv.Depths(inv.Chosen().Asset).Credit }

// trusted reports whether what waits of the due amount is sure enough to count
// without a confirmation.
func (inv *Invoice) trusted() bool {
	asset := inv.PaymentAsset()
	least := inv.Depths(asset).Trust
	for i := range inv.Credits {
		c := &inv.Credits[i]
		if c.State == Pending && c.Asset == asset && inv.inTime(c) && c.Score < least {
			return false
		}
	}
	return true
}
