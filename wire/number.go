package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Number is a JSON number literal, kept as text so that no digit is lost. It
// also reads a JSON string, because some clients quote their numbers.
type Number string

// MarshalJSON writes the literal; the empty Number is 0.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("0"), nil
	}
	return []byte(n), nil
}

// UnmarshalJSON reads a number or a string that holds one.
func (n *Number) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*n = Number(s)
		return nil
	}
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') {
		return fmt.Errorf("%s is not a number", b)
	}
	*n = Number(b)
	return nil
}

// FalseOr is a text, or JSON false when it is empty.
type FalseOr string

// MarshalJSON writes false for the empty text.
func (f FalseOr) MarshalJSON() ([]byte, error) {
	if f == "" {
		return []byte("false"), nil
	}
	return json.Marshal(string(f))
}

// UnmarshalJSON reads false, null or a text.
func (f *FalseOr) UnmarshalJSON(b []byte) error {
	if s := string(bytes.TrimSpace(b)); s == "false" || s == "null" {
		*f = ""
		return nil
	}
	return json.Unmarshal(b, (*string)(f))
}
