package rate

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"17725.64": "17725.64", "1": "1", "1.500": "1.5", "9.28e-06": "0.00000928", "1E3": "1000",
		"0.000000000000000001": "0.000000000000000001", "007.0": "7", "100000": "100000",
	} {
		r, err := Parse(text)
		if err != nil || r.String() != want {
			t.Errorf("%s = %s, %v; want %s", text, r, err, want)
		}
	}
	for _, bad := range []string{
		"", "0", "0.000", "0e5", "-1", "+1", "NaN", "nan", "Infinity", "-Inf", "inf", "sNaN", "1e999", "1e",
		".5", "5.", " 1", "1 ", "1,5", "0x1p3", "1_0", "null", `"1"`, strings.Repeat("1", 41),
		strings.Repeat("0", 100), "1e-100", "１",
	} {
		if r, err := Parse(bad); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q = %s, %v", bad, r, err)
		}
	}
}

func TestARateIsAPlainJSONNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRate(t).Div(anyRate(t)).Round()
		text, err := json.Marshal(r)
		if err != nil || strings.ContainsAny(string(text), "eE+\"") {
			t.Fatalf("%s, %v", text, err)
		}
		significant := strings.Trim(strings.Replace(string(text), ".", "", 1), "0")
		if len(significant) > Digits {
			t.Fatalf("%s has %d digits", text, len(significant))
		}
		var back Rate
		if err := json.Unmarshal(text, &back); err != nil || back.Cmp(r) != 0 {
			t.Fatalf("%s read as %s, %v", text, back, err)
		}
	})
}

func TestNoRateIsZero(t *testing.T) {
	var none Rate
	if !none.IsZero() || none.String() != "0" || !none.Inverse().IsZero() || !none.Round().IsZero() {
		t.Error("the zero value is a rate")
	}
}

// closeTo reports whether a and b differ by at most 1e-15 of b.
func closeTo(a, b Rate) bool {
	x, _ := new(big.Rat).SetString(a.String())
	y, _ := new(big.Rat).SetString(b.String())
	difference := x.Sub(x, y)
	difference.Abs(difference).Quo(difference, y)
	return difference.Cmp(big.NewRat(1, 1_000_000_000_000_000)) <= 0
}

func mustRate(t rapid.TB, table *Table, base, quote string) Rate {
	t.Helper()
	r, err := table.Rate(base, quote)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInversesAndCrossesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := Static(noon, map[string]Rate{"BTC": anyRate(t), "ETH": anyRate(t), "EUR": anyRate(t)})
		codes := []string{"BTC", "ETH", "EUR", "USD"}
		a := rapid.SampledFrom(codes).Draw(t, "a")
		b := rapid.SampledFrom(codes).Draw(t, "b")
		c := rapid.SampledFrom(codes).Draw(t, "c")
		ab, ba := mustRate(t, table, a, b), mustRate(t, table, b, a)
		if !closeTo(ab.Mul(ba), one) {
			t.Fatalf("%s/%s = %s and back %s", a, b, ab, ba)
		}
		if ac := mustRate(t, table, a, c); !closeTo(ab.Mul(mustRate(t, table, b, c)), ac) {
			t.Fatalf("%s/%s/%s is not %s", a, b, c, ac)
		}
		if aa := mustRate(t, table, a, a); aa.Cmp(one) != 0 {
			t.Fatalf("%s in itself is %s", a, aa)
		}
	})
}
