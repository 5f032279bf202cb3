package rate

import (
	"testing"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// The quotient of two prices may have endless digits; what is due does not pay
// for them.
func TestADueAmountIsReckonedFromBothDollarValues(t *testing.T) {
	table := Static(time.Unix(0, 0), map[string]Rate{"BTC": MustParse("50000"), "EUR": MustParse("1.1"), "JPY": MustParse("0.007")})
	btc, _ := money.Lookup("BTC")
	for _, c := range []struct {
		code  string
		price uint64
		want  uint64
	}{
		{"EUR", 1000, 22000}, // 10.00 EUR, exactly
		{"EUR", 1, 22},       // 0.01 EUR, exactly
		{"JPY", 1000, 14000}, // 1,000 JPY, exactly
		{"USD", 1, 20},       // 0.01 USD, exactly
		{"EUR", 333, 7326},   // 3.33 EUR, exactly
		{"JPY", 1, 14},       //
	} {
		cur, _ := money.Lookup(c.code)
		got, err := table.Due(money.NewUnits(c.price), cur, btc)
		if err != nil || got.Cmp(money.NewUnits(c.want)) != 0 {
			t.Errorf("%d of %s is %s sat (%v), want %d", c.price, c.code, got, err, c.want)
		}
	}
	third := Static(time.Unix(0, 0), map[string]Rate{"BTC": MustParse("30000")})
	usd, _ := money.Lookup("USD")
	if got, err := third.Due(money.NewUnits(100), usd, btc); err != nil || got.String() != "3334" {
		t.Errorf("1 USD at 30,000 is %s sat (%v), want 3334: rounded up", got, err)
	}
}
