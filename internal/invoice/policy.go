package invoice

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
