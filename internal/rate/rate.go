package rate

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Digits is the most significant digits a rate out of a Table has.
const Digits = 17

// ErrSyntax is text that is not a positive decimal number.
var ErrSyntax = errors.New("rate: not a positive decimal number")

// Rate is an exact, positive decimal: units of a quote currency per one unit of
// a base currency. The zero value is no rate. Rates are values and never change.
type Rate struct{ d apd.Decimal }

// inner is precise enough that a rate derived over two crosses is right in all
// of its Digits. Rates are rounded half-even: no side of a trade gains by it.
var inner = context(34)

func context(precision uint32) *apd.Context {
	c := apd.BaseContext.WithPrecision(precision)
	c.Rounding = apd.RoundHalfEven
	return c
}

// Parse reads a positive decimal number in the grammar of JSON, of at most 40
// digits and an exponent of at most two digits. Signs, spaces, NaN, infinities
// and zero are refused with ErrSyntax.
func Parse(s string) (Rate, error) {
	if !isNumber(s) {
		return Rate{}, fmt.Errorf("%w: %.60q", ErrSyntax, s)
	}
	d, _, err := apd.NewFromString(s)
	if err != nil || d.Sign() <= 0 {
		return Rate{}, fmt.Errorf("%w: %.60q", ErrSyntax, s)
	}
	return Rate{*d}, nil
}

func isNumber(s string) bool {
	if len(s) > 48 {
		return false
	}
	mantissa, exponent := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
	}
	whole, frac, point := strings.Cut(mantissa, ".")
	return digits(whole, 40) && (!point || digits(frac, 40)) && digits(exponent, 2)
}

func digits(s string, most int) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// MustParse is Parse for constants; it panics on an error.
func MustParse(s string) Rate {
	r, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return r
}

// IsZero reports whether r is no rate at all.
func (r Rate) IsZero() bool { return r.d.Sign() <= 0 }

// Cmp compares two rates: -1, 0 or 1.
func (r Rate) Cmp(o Rate) int { return r.d.Cmp(&o.d) }

// String is a plain decimal number, a JSON literal without exponent or trailing
// zeros: "17725.64". No rate is "0".
func (r Rate) String() string {
	if r.IsZero() {
		return "0"
	}
	var d apd.Decimal
	d.Reduce(&r.d)
	return d.Text('f')
}

// MarshalJSON writes String as a number.
func (r Rate) MarshalJSON() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Rate) UnmarshalJSON(b []byte) error {
	if string(b) == "0" {
		*r = Rate{}
		return nil
	}
	p, err := Parse(string(b))
	if err == nil {
		*r = p
	}
	return err
}

// Mul is r*o: from A in B and B in C to A in C.
func (r Rate) Mul(o Rate) Rate { return calc(inner.Mul, r, o) }

// Div is r/o; no rate if o is none.
func (r Rate) Div(o Rate) Rate {
	if o.IsZero() {
		return Rate{}
	}
	return calc(inner.Quo, r, o)
}

// Inverse is 1/r: units of base per one quote.
func (r Rate) Inverse() Rate { return one.Div(r) }

// Round keeps Digits significant digits.
func (r Rate) Round() Rate {
	var z apd.Decimal
	if _, err := outer.Round(&z, &r.d); err != nil {
		return Rate{}
	}
	return Rate{z}
}

var (
	one   = MustParse("1")
	outer = context(Digits)
)

type operation func(d, x, y *apd.Decimal) (apd.Condition, error)

func calc(op operation, x, y Rate) Rate {
	var z apd.Decimal
	if _, err := op(&z, &x.d, &y.d); err != nil {
		return Rate{}
	}
	return Rate{z}
}

// fraction returns r as an exact numerator and denominator.
func (r Rate) fraction() (num, den *big.Int) {
	num, den = new(big.Int).Set(r.d.Coeff.MathBigInt()), big.NewInt(1)
	exp := int64(r.d.Exponent)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(exp, -exp)), nil)
	if exp >= 0 {
		return num.Mul(num, scale), den
	}
	return num, scale
}

// Mean is the middle between two rates.
func Mean(a, b Rate) Rate { return calc(inner.Add, a, b).Mul(half) }

var half = MustParse("0.5")
