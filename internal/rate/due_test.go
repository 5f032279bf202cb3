package rate

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/money"
	"pgregory.net/rapid"
)

func cur(t rapid.TB, code string) *money.Currency {
	t.Helper()
	c, ok := money.Lookup(code)
	if !ok {
		t.Fatalf("no currency %s", code)
	}
	return c
}

func units(t rapid.TB, s string) money.Units {
	t.Helper()
	u, err := money.ParseUnits(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestDueRoundsUpAndValueRoundsDown(t *testing.T) {
	for _, c := range []struct {
		priceCur, asset, rate string
		price, due, value     string // value is what due is worth
	}{
		{"USD", "BTC", "50000", "1000", "20000", "1000"},
		{"USD", "BTC", "55413.609335", "1000", "18047", "1000"},
		{"USD", "BTC", "30000", "1", "34", "1"},
		{"USD", "ETH", "3", "1000", "3333333333333333334", "1000"},
		{"USD", "USDC", "1", "1000", "10000000", "1000"},
		{"USD", "PAX", "1", "1000", "10000000000000000000", "1000"},
		{"JPY", "BTC", "7500000", "1500", "20000", "1500"},
		{"KWD", "BTC", "15350", "1000", "6515", "1000"},
		{"USD", "SHIB", "0.00001", "100", "100000000000000000000000", "100"},
		{"BTC", "BTC", "1", "12345", "12345", "12345"},
		// One cent is less than a satoshi here: the least unit is due, worth far more.
		{"USD", "BTC", "5000000000", "1", "1", "5000"},
		{"USD", "BTC", "50000", "0", "0", "0"},
	} {
		p, a, r := cur(t, c.priceCur), cur(t, c.asset), MustParse(c.rate)
		due, err := Due(units(t, c.price), p, a, r)
		if err != nil || due.String() != c.due {
			t.Errorf("%s %s at %s = %s %s, %v; want %s", c.price, c.priceCur, c.rate, due, c.asset, err, c.due)
			continue
		}
		value, err := Value(due, a, p, r)
		if err != nil || value.String() != c.value {
			t.Errorf("%s %s at %s is worth %s, %v; want %s", due, c.asset, c.rate, value, err, c.value)
		}
	}
}

func TestConversionsThatCannotBe(t *testing.T) {
	usd, eth := cur(t, "USD"), cur(t, "ETH")
	if _, err := Due(money.NewUnits(1), usd, eth, Rate{}); !errors.Is(err, ErrNone) {
		t.Errorf("without a rate: %v", err)
	}
	if _, err := Value(money.NewUnits(1), eth, usd, Rate{}); !errors.Is(err, ErrNone) {
		t.Errorf("without a rate: %v", err)
	}
	most := units(t, "1"+strings.Repeat("0", 77))
	if _, err := Due(most, usd, eth, MustParse("1")); !errors.Is(err, money.ErrRange) {
		t.Errorf("beyond 256 bits: %v", err)
	}
	if _, err := Value(most, cur(t, "USD"), eth, MustParse("1")); !errors.Is(err, money.ErrRange) {
		t.Errorf("beyond 256 bits: %v", err)
	}
}

func anyRate(t *rapid.T) Rate {
	text := rapid.StringMatching(`([1-9][0-9]{0,9}|0)\.[0-9]{0,11}[1-9]`).Draw(t, "rate")
	r, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// worth is amount of asset at r in priceCur, exactly.
func worth(amount money.Units, asset, priceCur *money.Currency, r Rate) *big.Rat {
	x, _ := new(big.Rat).SetString(r.String())
	x.Mul(x, new(big.Rat).SetInt(amount.Big()))
	x.Mul(x, new(big.Rat).SetFrac(money.Pow10(priceCur.Decimals), money.Pow10(asset.Decimals)))
	return x
}

func TestDueIsTheLeastThatCoversThePrice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		priceCur := rapid.SampledFrom(money.All()).Draw(t, "price currency")
		asset := rapid.SampledFrom(money.All()).Draw(t, "asset")
		price := units(t, rapid.StringMatching(`[1-9][0-9]{0,20}`).Draw(t, "price"))
		r := anyRate(t)
		due, err := Due(price, priceCur, asset, r)
		if err != nil {
			t.Fatal(err)
		}
		want := new(big.Rat).SetInt(price.Big())
		if worth(due, asset, priceCur, r).Cmp(want) < 0 {
			t.Fatalf("%s %s is worth less than %s %s", due, asset.Code, price, priceCur.Code)
		}
		less, err := due.Sub(money.NewUnits(1))
		if err != nil {
			t.Fatalf("nothing due for %s", price)
		}
		if worth(less, asset, priceCur, r).Cmp(want) >= 0 {
			t.Fatalf("one unit less than %s %s would do", due, asset.Code)
		}
		if back, err := Value(due, asset, priceCur, r); err == nil && back.Cmp(price) < 0 {
			t.Fatalf("%s %s is valued %s, below %s", due, asset.Code, back, price)
		}
	})
}

// Shares round down: what the parts are worth is never more than the whole.
func TestPartsAreNeverWorthMoreThanTheWhole(t *testing.T) {
	btc, usd := cur(t, "BTC"), cur(t, "USD")
	rapid.Check(t, func(t *rapid.T) {
		r := anyRate(t)
		var sum, parts money.Units
		for _, n := range rapid.SliceOfN(rapid.Uint64Range(0, 1e9), 1, 10).Draw(t, "parts") {
			part := money.NewUnits(n)
			value, err := Value(part, btc, usd, r)
			if err != nil {
				t.Fatal(err)
			}
			if sum, err = sum.Add(part); err != nil {
				t.Fatal(err)
			}
			if parts, err = parts.Add(value); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := Value(sum, btc, usd, r)
		if err != nil || parts.Cmp(whole) > 0 {
			t.Fatalf("parts %s, whole %s, %v", parts, whole, err)
		}
	})
}
