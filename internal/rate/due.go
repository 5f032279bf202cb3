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
	return due(price, priceCur, asset, num, den)
}

// Due is what to pay in asset for price, reckoned with the dollar values of both
// and not with their quotient, which may have endless digits: 10 EUR at 1.1 USD
// are exactly 22,000 sat at 50,000 USD. It is rounded up like the function Due.
func (t *Table) Due(price money.Units, priceCur, asset *money.Currency) (money.Units, error) {
	a, err := t.lookup(asset.Code)
	if err != nil {
		return money.Units{}, err
	}
	p, err := t.lookup(priceCur.Code)
	if err != nil {
		return money.Units{}, err
	}
	num, den := a.usd.fraction()
	pnum, pden := p.usd.fraction()
	return due(price, priceCur, asset, num.Mul(num, pden), den.Mul(den, pnum))
}

// due rounds price · den/num, in whole units of asset, up.
func due(price money.Units, priceCur, asset *money.Currency, num, den *big.Int) (money.Units, error) {
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

// Convert is what amount of from is worth in to, rounded down: who is paid gets
// no more than what was given for it (MoneyExact: shares round down).
func (t *Table) Convert(amount money.Units, from, to *money.Currency) (money.Units, error) {
	f, err := t.lookup(from.Code)
	if err != nil {
		return money.Units{}, err
	}
	g, err := t.lookup(to.Code)
	if err != nil {
		return money.Units{}, err
	}
	if f.usd.Cmp(g.usd) == 0 && from.Decimals == to.Decimals {
		return amount, nil
	}
	num, den := f.usd.fraction()
	gnum, gden := g.usd.fraction()
	n := amount.Big()
	n.Mul(n, num.Mul(num, gden)).Mul(n, money.Pow10(to.Decimals))
	d := den.Mul(den, gnum)
	d.Mul(d, money.Pow10(from.Decimals))
	return money.FromBig(n.Quo(n, d))
}
