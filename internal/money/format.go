package money

import "strings"

// Format writes u in units of c with all its decimals: "10.00", "0.00018000", "1500".
func Format(c *Currency, u Units) string {
	digits := u.String()
	if c.Decimals == 0 {
		return digits
	}
	if missing := c.Decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - c.Decimals
	return digits[:point] + "." + digits[point:]
}

// FormatShort writes u without trailing zeros: "0.000296", "10", "0".
func FormatShort(c *Currency, u Units) string { return trim(Format(c, u), 0) }

// Display writes u for people: at least c.Precision decimals and as many more
// as the amount has, so that no digit is lost: "0.000180", "10.00", "19.988650".
func Display(c *Currency, u Units) string { return trim(Format(c, u), c.Precision) }

// Number writes u as a JSON number literal in units of c, without exponent and
// without trailing zeros: 10, 10.5.
func Number(c *Currency, u Units) string { return FormatShort(c, u) }

// trim cuts zeros off the end of a decimal but leaves keep decimals.
func trim(s string, keep int) string {
	point := strings.IndexByte(s, '.')
	if point < 0 {
		return s
	}
	end := len(s)
	for end > point+1+keep && s[end-1] == '0' {
		end--
	}
	if end == point+1 {
		end = point
	}
	return s[:end]
}
