package app

import (
	"math"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
)

// depths is how many confirmations an invoice needs in an asset: the merchant's rule
// for its value, else the chain's own; nil is the standard.
func (a *App) depths(in *NewInvoice, asset *Asset, table *rate.Table, price *money.Currency) (*invoice.Depths, error) {
	d := asset.Depths
	if d == (invoice.Depths{}) {
		d = invoice.Standard
	}
	if set := &in.Merchant.Settings; set.Confirm != "" {
		usd, _ := money.Lookup("USD")
		value, err := table.Convert(in.Order.Price, price, usd)
		if err != nil {
			return nil, noRates(err)
		}
		cents, ok := value.Uint64()
		if !ok || cents > math.MaxInt64 {
			cents = math.MaxInt64
		}
		if r, ok := set.ConfirmFor(asset.Code, int64(cents)); ok {
			if r.Asset == "*" {
				// Six blocks are little on a chain of a minute: a rule for every chain asks
				// for no less than each needs by itself.
				r.Medium, r.Credit = max(r.Medium, d.Medium), max(r.Credit, d.Credit)
			}
			d.Medium, d.Credit = r.Medium, r.Credit
			if r.Trust >= 0 {
				d.Trust = int(r.Trust)
			}
		}
	}
	if d == invoice.Standard {
		return nil, nil
	}
	return &d, nil
}

// score says how sure a payment that waits is. Where nobody was asked about it, what
// it signals itself and its fee have to do.
func (a *App) score(tx *chain.Tx, asset string) (int, []string) {
	s := tx.Standing
	if s == nil {
		s = &chain.Standing{Replaceable: tx.Replaceable, FeeRate: tx.FeeRate}
	}
	return invoice.Score(*s, a.lowFeeRate(asset))
}

// lowFeeRate, in the smallest unit per virtual byte, is where a payment is
// called slow. It is what relaying costs at least, so only the edge is flagged.
const lowFeeRate = 1.0

func (a *App) lowFeeRate(asset string) float64 {
	if x, ok := a.Asset(asset); ok && x.LowFeeRate > 0 {
		return x.LowFeeRate
	}
	return lowFeeRate
}
