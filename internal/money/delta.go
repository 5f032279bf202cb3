package money

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
)

// Delta is a signed whole number of the smallest unit of one currency, from
// -(2^256-1) to 2^256-1. The zero value is zero; there is no minus zero.
type Delta struct {
	neg bool
	abs Units
}

// NewDelta returns n smallest units.
func NewDelta(n int64) Delta {
	if n < 0 {
		return Delta{true, NewUnits(uint64(-n))} // -n of the least int64 is itself, and right as uint64
	}
	return Delta{abs: NewUnits(uint64(n))}
}

// Delta is the amount as a signed number.
func (a Units) Delta() Delta { return Delta{abs: a} }

// ParseDelta reads a plain decimal whole number such as "-18000".
func ParseDelta(s string) (Delta, error) {
	text, neg := strings.CutPrefix(s, "-")
	u, err := ParseUnits(text)
	if err != nil || neg && u.IsZero() {
		return Delta{}, ErrRange
	}
	return Delta{neg, u}, nil
}

// Neg returns -d.
func (d Delta) Neg() Delta { return Delta{!d.neg && !d.abs.IsZero(), d.abs} }

// Add returns d+e, or ErrRange on overflow.
func (d Delta) Add(e Delta) (Delta, error) {
	if d.neg == e.neg {
		sum, err := d.abs.Add(e.abs)
		return Delta{d.neg, sum}, err
	}
	if d.abs.Cmp(e.abs) < 0 {
		d, e = e, d
	}
	rest, err := d.abs.Sub(e.abs)
	return Delta{d.neg && !rest.IsZero(), rest}, err
}

// Sub returns d-e, or ErrRange on overflow.
func (d Delta) Sub(e Delta) (Delta, error) { return d.Add(e.Neg()) }

// Cmp compares d and e: -1, 0 or 1.
func (d Delta) Cmp(e Delta) int {
	switch {
	case d.neg != e.neg && d.neg:
		return -1
	case d.neg != e.neg:
		return 1
	case d.neg:
		return e.abs.Cmp(d.abs)
	}
	return d.abs.Cmp(e.abs)
}

// Sign is -1, 0 or 1.
func (d Delta) Sign() int {
	switch {
	case d.neg:
		return -1
	case d.abs.IsZero():
		return 0
	}
	return 1
}

// IsZero reports whether d is nothing.
func (d Delta) IsZero() bool { return d.abs.IsZero() }

// Abs is the amount without its sign.
func (d Delta) Abs() Units { return d.abs }

// String is the plain decimal form: "-18000".
func (d Delta) String() string { return d.sign() + d.abs.String() }

func (d Delta) sign() string {
	if d.neg {
		return "-"
	}
	return ""
}

// MarshalJSON writes a plain integer literal.
func (d Delta) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Delta) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	return d.Scan(n.String())
}

// Value stores the amount as decimal text.
func (d Delta) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads what Value stored.
func (d *Delta) Scan(src any) error {
	var s string
	switch v := src.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return fmt.Errorf("money: cannot read a signed amount from %T", src)
	}
	v, err := ParseDelta(s)
	if err != nil {
		return fmt.Errorf("money: stored amount %.80q: %w", s, err)
	}
	*d = v
	return nil
}

// FormatDelta is Format with a sign.
func FormatDelta(c *Currency, d Delta) string { return d.sign() + Format(c, d.abs) }

// NumberDelta is Number with a sign: a JSON number literal in currency units.
func NumberDelta(c *Currency, d Delta) string { return d.sign() + Number(c, d.abs) }
