package rate

import (
	"testing"
	"time"

	"github.com/quittance/quittance/internal/money"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestTheSandboxPricesEveryCurrency(t *testing.T) {
	table := Fixed(noon)
	for _, c := range money.All() {
		for _, pair := range [][2]string{{"BTC", c.Code}, {c.Code, "USD"}, {c.Code, c.Code}} {
			r, err := table.Rate(pair[0], pair[1])
			if err != nil {
				t.Errorf("%s in %s: %v", pair[0], pair[1], err)
			} else if r.IsZero() {
				t.Errorf("%s in %s is zero", pair[0], pair[1])
			}
		}
	}
	if got, want := len(table.Codes()), len(money.All()); got != want {
		t.Errorf("%d codes, the currency table has %d", got, want)
	}
}

func TestTheSandboxRatesAreRound(t *testing.T) {
	table := Fixed(noon)
	for _, c := range []struct{ base, quote, want string }{
		{"BTC", "USD", "50000"},
		{"btc", "usdc_M", "50000"},
		{"BTC", "JPY", "7500000"},
		{"USD", "BTC", "0.00002"},
		{"EUR", "USD", "1.1"},
		{"ETH_arb", "ETH", "1"},
		{"MATIC_e", "POL", "1"},
		{"SHIB", "BTC", "0.0000000002"},
		{"USD", "USD", "1"},
	} {
		r, err := table.Rate(c.base, c.quote)
		if err != nil || r.String() != c.want {
			t.Errorf("%s in %s = %s, %v; want %s", c.base, c.quote, r, err, c.want)
		}
	}
}
