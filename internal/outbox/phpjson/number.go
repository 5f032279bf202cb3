package phpjson

import (
	"fmt"
	"strconv"
	"strings"
)

// appendNumber writes a number as PHP does after reading the literal n: whole
// literals up to 64 bits as they are, everything else as the shortest text of
// the double it becomes (serialize_precision -1). From 10^17 up and below 10^-4
// doubles are in scientific form, always with a decimal point.
func appendNumber(out []byte, n string) ([]byte, error) {
	if !strings.ContainsAny(n, ".eE") {
		if i, err := strconv.ParseInt(n, 10, 64); err == nil {
			return strconv.AppendInt(out, i, 10), nil
		}
	}
	f, err := strconv.ParseFloat(n, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is beyond a double", n)
	}
	if f == 0 {
		return append(out, '0'), nil // PHP reads its own -0 back as 0
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	exp, err := strconv.Atoi(exponent)
	if err != nil {
		return nil, err
	}
	if exp >= -4 && exp < 17 {
		return strconv.AppendFloat(out, f, 'f', -1, 64), nil
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	return fmt.Appendf(out, "%se%+d", mantissa, exp), nil
}
