package bitcoin

import (
	"net/url"
	"strings"

	"github.com/quittance/quittance/internal/money"
)

// decimals is how many decimal places one coin has.
const decimals = 8

// PaymentURI builds a BIP 21 link, with the chain's own scheme. The amount is in
// satoshi and is written in coins with plain decimals; a zero amount and empty
// texts are left out. A CashAddr brings its prefix along, which is the scheme.
func PaymentURI(c *Chain, addr string, amount money.Units, label, message string) string {
	var params []string
	add := func(name, value string) {
		if value != "" {
			params = append(params, name+"="+percentEncode(value))
		}
	}
	if !amount.IsZero() {
		add("amount", coins(amount))
	}
	add("label", label)
	add("message", message)
	if c.CashPrefix == "" {
		addr = c.Scheme + ":" + addr
	}
	if len(params) == 0 {
		return addr
	}
	return addr + "?" + strings.Join(params, "&")
}

// coins writes satoshi as whole coins without trailing zeros: 150000000 is "1.5".
func coins(amount money.Units) string {
	digits := amount.String()
	if len(digits) <= decimals {
		digits = strings.Repeat("0", decimals+1-len(digits)) + digits
	}
	whole, fraction := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	fraction = strings.TrimRight(fraction, "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// percentEncode encodes for RFC 3986, where a plus sign is not a space.
func percentEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
