package money

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/holiman/uint256"
)

// ErrRange is returned when a result does not fit in 256 bits or would be negative.
var ErrRange = errors.New("money: amount out of range")

// Units is a whole, non-negative number of the smallest unit of one currency
// (cent, satoshi, wei), from 0 to 2^256-1. The zero value is zero.
type Units struct{ n uint256.Int }

// NewUnits returns n smallest units.
func NewUnits(n uint64) Units { return Units{*uint256.NewInt(n)} }

// ParseUnits reads a plain decimal whole number such as "18000". Signs, spaces,
// fractions and exponents are refused with ErrRange.
func ParseUnits(s string) (Units, error) {
	if s == "" || len(s) > 78 {
		return Units{}, ErrRange
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return Units{}, ErrRange
		}
	}
	n, err := uint256.FromDecimal(s)
	if err != nil {
		return Units{}, ErrRange
	}
	return Units{*n}, nil
}

// Add returns a+b, or ErrRange on overflow.
func (a Units) Add(b Units) (Units, error) {
	var z uint256.Int
	if _, over := z.AddOverflow(&a.n, &b.n); over {
		return Units{}, ErrRange
	}
	return Units{z}, nil
}

// Sub returns a-b, or ErrRange when b is greater than a.
func (a Units) Sub(b Units) (Units, error) {
	if a.Cmp(b) < 0 {
		return Units{}, ErrRange
	}
	var z uint256.Int
	z.Sub(&a.n, &b.n)
	return Units{z}, nil
}

// Cmp compares a and b: -1, 0 or 1.
func (a Units) Cmp(b Units) int { return a.n.Cmp(&b.n) }

// IsZero reports whether a is nothing.
func (a Units) IsZero() bool { return a.n.IsZero() }

// Uint64 returns the amount and whether it fits.
func (a Units) Uint64() (uint64, bool) { return a.n.Uint64(), a.n.IsUint64() }

// String is the plain decimal form, without separators.
func (a Units) String() string { return a.n.Dec() }

// MarshalJSON writes a plain integer literal, whatever its size.
func (a Units) MarshalJSON() ([]byte, error) { return []byte(a.n.Dec()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Units) UnmarshalJSON(b []byte) error {
	u, err := ParseUnits(string(b))
	if err != nil {
		return fmt.Errorf("money: %q is not a whole amount: %w", b, err)
	}
	*a = u
	return nil
}

// Value stores the amount as decimal text: 256 bits fit in no SQL integer.
func (a Units) Value() (driver.Value, error) { return a.n.Dec(), nil }

// Scan reads what Value stored.
func (a *Units) Scan(src any) error {
	var s string
	switch v := src.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return fmt.Errorf("money: cannot read an amount from %T", src)
	}
	u, err := ParseUnits(s)
	if err != nil {
		return fmt.Errorf("money: stored amount %q: %w", s, err)
	}
	*a = u
	return nil
}
