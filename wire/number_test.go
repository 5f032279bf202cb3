package wire

import (
	"encoding/json"
	"testing"
)

func TestANumberKeepsItsDigits(t *testing.T) {
	for in, want := range map[string]string{
		`10`: `10`, `"10.00"`: `10.00`, `10000000000000000000`: `10000000000000000000`, `0.1`: `0.1`, `-3`: `-3`,
	} {
		var n Number
		if err := json.Unmarshal([]byte(in), &n); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if b, err := json.Marshal(n); err != nil || string(b) != want {
			t.Errorf("%s became %s (%v)", in, b, err)
		}
	}
	for _, in := range []string{`true`, `[1]`, `{}`} {
		var n Number
		if err := json.Unmarshal([]byte(in), &n); err == nil {
			t.Errorf("%s was read as the number %s", in, n)
		}
	}
}

func TestNoExceptionIsFalse(t *testing.T) {
	for in, want := range map[string]FalseOr{`false`: "", `null`: "", `"paidPartial"`: "paidPartial"} {
		var f FalseOr
		if err := json.Unmarshal([]byte(in), &f); err != nil || f != want {
			t.Errorf("%s: %q %v", in, f, err)
		}
	}
	if b, _ := json.Marshal(FalseOr("")); string(b) != "false" {
		t.Errorf("no exception is written as %s", b)
	}
}
