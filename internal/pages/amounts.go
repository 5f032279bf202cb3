package pages

import (
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// amount writes an amount in units of its currency, every digit of it, with a
// point: the same that is copied and that the wallet shows.
func amount(code string, u money.Units) string {
	c, ok := money.Lookup(code)
	if !ok {
		return u.String()
	}
	return money.Display(c, u)
}

// rateLine is the locked rate for people, such as "1 BTC = 63 250.10 USD".
func rateLine(inv *invoice.Invoice, asset string) string {
	to := inv.Terms.Order.Currency
	r := inv.Terms.Lock.Rates[asset][to]
	if r == "" {
		return ""
	}
	return "1 " + asset + " = " + shorten(r) + " " + to
}

// shorten groups the whole part of a decimal and leaves as many decimals as
// still tell something.
func shorten(number string) string {
	whole, frac, _ := strings.Cut(number, ".")
	if whole != "0" && len(frac) > 2 {
		frac = frac[:2]
	}
	if len(whole) > 4 {
		var groups []string
		for ; len(whole) > 3; whole = whole[:len(whole)-3] {
			groups = append(groups, whole[len(whole)-3:])
		}
		groups = append(groups, whole)
		slices.Reverse(groups)
		whole = strings.Join(groups, "\u202f")
	}
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}
