package rate

import (
	"errors"
	"math/big"

	"github.com/quittance/quittance/internal/money"
)

// ErrNone is a conversion with the zero Rate.
var ErrNone = errors.New("rate: no rate to convert with")

// Due is what to pay in asset for price, an amount of priceCur. The rate is
// units of priceCur per one asset: Table.Rate(asset, priceCur). The result is
// exact and rounded up to whole units of asset (MoneyExact: due rounds up), so
// it is never worth less than price and never a whole unit more than needed.
// It fails with ErrNone or money.ErrRange.
func Due(price money.Units, priceCur, asset *money.Currency, r Rate) (money.Units, error) {
	if r.IsZero() {
		return money.Units{}, ErrNone
	}
	num, den := r.fraction()
	n := price.Big()
	n.Mul(n, den).Mul(n, money.Pow10(asset.Decimals))
	d := num.Mul(num, money.Pow10(priceCur.Decimals))
	whole, rest := n.QuoRem(n, d, new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return money.FromBig(whole)
}

// Value is what amount of asset is worth in priceCur at r, units of priceCur
// per one asset. The result is exact and rounded down to whole units of
// priceCur (MoneyExact: shares round down). It fails with ErrNone or money.ErrRange.
func Value(amount money.Units, asset, priceCur *money.Currency, r Rate) (money.Units, error) {
	if r.IsZero() {
		return money.Units{}, ErrNone
	}
	num, den := r.fraction()
	n := amount.Big()
	n.Mul(n, num).Mul(n, money.Pow10(priceCur.Decimals))
	d := den.Mul(den, money.Pow10(asset.Decimals))
	return money.FromBig(n.Quo(n, d))
}
