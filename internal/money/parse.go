package money

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Limits of a decimal number from outside.
const (
	MaxDigits   = 32 // digits before any exponent, zeros included
	MaxExponent = 18 // either sign
)

var (
	// ErrSyntax is text that is not a decimal number within the limits.
	ErrSyntax = errors.New("money: not a decimal number")
	// ErrNegative is a number below zero, minus zero included.
	ErrNegative = errors.New("money: negative amount")
	// ErrDecimals is a number with more decimals than its currency has.
	ErrDecimals = errors.New("money: too many decimals")
)

// AmountError is why ParseDecimal refused a number. Its text is a sentence
// fit to show to the sender; it unwraps to ErrSyntax, ErrNegative or ErrDecimals.
type AmountError struct {
	Kind     error
	Sentence string
}

func (e *AmountError) Error() string { return e.Sentence }

// Unwrap returns the kind of the refusal.
func (e *AmountError) Unwrap() error { return e.Kind }

// ParseDecimal reads a JSON number, or the same as text, in units of c and
// returns it in smallest units. At most MaxDigits digits and an exponent from
// -MaxExponent to MaxExponent are read. More decimals than c has are refused,
// unless they are zeros or the noise of binary floating point
// (0.30000000000000004 USD is 0.30). The error is an *AmountError.
func ParseDecimal(c *Currency, s string) (Units, error) {
	d, err := scanDecimal(s)
	if err != nil {
		return Units{}, err
	}
	shift := d.exp + c.Decimals
	if shift >= 0 {
		return FromBig(d.coef.Mul(d.coef, Pow10(shift)))
	}
	whole, rest := divRound(d.coef, Pow10(-shift))
	if rest.Sign() != 0 && !d.isNoise(rest, -shift) {
		return Units{}, &AmountError{ErrDecimals, fmt.Sprintf(
			"%s (%s) has %s, %s has more", c.Name, c.Code, decimalsText(c.Decimals), s)}
	}
	return FromBig(whole)
}

func decimalsText(n int) string {
	switch n {
	case 0:
		return "no decimals"
	case 1:
		return "1 decimal"
	}
	return strconv.Itoa(n) + " decimals"
}

// decimal is coef * 10^exp; digits counts the significant digits as written.
type decimal struct {
	coef   *big.Int
	exp    int
	digits int
}

// isNoise reports whether rest, in units of 10^-shift of the smallest unit, is
// what binary floating point adds: written with at least 15 significant digits
// (no real amount is, no noisy one is shorter), at most 1e-9 of the number and at
// most a tenth of the smallest unit.
func (d decimal) isNoise(rest *big.Int, shift int) bool {
	if d.digits < 15 {
		return false
	}
	rest = new(big.Int).Abs(rest)
	relative := new(big.Int).Mul(rest, big.NewInt(1_000_000_000))
	tenth := new(big.Int).Mul(rest, big.NewInt(10))
	return relative.Cmp(d.coef) <= 0 && tenth.Cmp(Pow10(shift)) <= 0
}

// divRound returns the whole number nearest to n/d and n minus that times d.
func divRound(n, d *big.Int) (whole, rest *big.Int) {
	whole, rest = new(big.Int).QuoRem(n, d, new(big.Int))
	if new(big.Int).Lsh(rest, 1).Cmp(d) >= 0 {
		whole.Add(whole, big.NewInt(1))
		rest.Sub(rest, d)
	}
	return whole, rest
}

// scanDecimal reads the number grammar of RFC 8259 section 6.
func scanDecimal(s string) (decimal, error) {
	if strings.HasPrefix(s, "-") {
		return decimal{}, &AmountError{ErrNegative, "Amount must not be negative"}
	}
	mantissa, exponent, hasExp := cutExponent(s)
	exp := 0
	if hasExp {
		var err error
		if exp, err = scanExponent(exponent); err != nil {
			return decimal{}, err
		}
	}
	whole, frac, hasPoint := strings.Cut(mantissa, ".")
	digits := whole + frac
	switch {
	case !allDigits(whole), hasPoint && !allDigits(frac), len(whole) > 1 && whole[0] == '0':
		return decimal{}, &AmountError{ErrSyntax, "Amount is not a number"}
	case len(digits) > MaxDigits:
		return decimal{}, &AmountError{ErrSyntax, fmt.Sprintf("Amount has more than %d digits", MaxDigits)}
	}
	coef, _ := new(big.Int).SetString(digits, 10)
	return decimal{coef, exp - len(frac), len(strings.TrimLeft(digits, "0"))}, nil
}

func cutExponent(s string) (mantissa, exponent string, found bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func scanExponent(s string) (int, error) {
	sign := 1
	switch {
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	case strings.HasPrefix(s, "-"):
		s, sign = s[1:], -1
	}
	if !allDigits(s) {
		return 0, &AmountError{ErrSyntax, "Amount is not a number"}
	}
	n, err := strconv.Atoi(s)
	if err != nil || len(s) > 4 || n > MaxExponent {
		return 0, &AmountError{ErrSyntax, fmt.Sprintf("Amount has an exponent beyond %d", MaxExponent)}
	}
	return sign * n, nil
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
