package invoice

// Chosen is the way to pay that is shown to the buyer: the asset of the first
// payment, else the one the buyer or the merchant chose, else the first offered.
// An invoice always has at least one.
func (inv *Invoice) Chosen() *Option {
	for _, code := range []string{inv.PaymentAsset(), inv.State.Asset} {
		if o, ok := inv.Option(code); ok {
			return o
		}
	}
	return &inv.Terms.Options[0]
}
