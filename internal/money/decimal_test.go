package money

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func cur(t testing.TB, code string) *Currency {
	t.Helper()
	c, ok := Lookup(code)
	if !ok {
		t.Fatalf("no currency %s", code)
	}
	return c
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct{ code, text, want string }{
		{"USD", "10", "1000"},
		{"USD", "10.5", "1050"},
		{"USD", "10.50", "1050"},
		{"USD", "10.500000", "1050"},
		{"USD", "0", "0"},
		{"USD", "0.00", "0"},
		{"USD", "1e3", "100000"},
		{"USD", "1.5E+2", "15000"},
		{"USD", "1250e-2", "1250"},
		{"JPY", "1500", "1500"},
		{"JPY", "1500.0", "1500"},
		{"KWD", "1.234", "1234"},
		{"BTC", "0.00000001", "1"},
		{"BTC", "1e-8", "1"},
		{"ETH", "0.000000000000000001", "1"},
		{"ETH", "10", "10000000000000000000"},
		{"ETH", "1e18", "1000000000000000000000000000000000000"},
		{"ETH", "99999999999999999999999999999999e18",
			"99999999999999999999999999999999" + strings.Repeat("0", 36)},

		// What binary floating point makes of sums of decimals.
		{"USD", "0.30000000000000004", "30"},
		{"USD", "0.7999999999999999", "80"},
		{"USD", "1.0999999999999999", "110"},
		{"USD", "8.940000000000001", "894"},
		{"USD", "123456.78999999999", "12345679"},
		{"JPY", "2.9999999999999996", "3"},
		{"BTC", "0.060000000000000005", "6000000"},
		// With 18 decimals the same digits are an exact amount.
		{"ETH", "0.30000000000000004", "300000000000000040"},
	} {
		u, err := ParseDecimal(cur(t, c.code), c.text)
		if err != nil || u.String() != c.want {
			t.Errorf("%s %s = %s, %v; want %s", c.text, c.code, u, err, c.want)
		}
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, c := range []struct {
		code, text string
		kind       error
		sentence   string
	}{
		{"USD", "10.005", ErrDecimals, "US Dollar (USD) has 2 decimals, 10.005 has more"},
		{"JPY", "0.5", ErrDecimals, "Japanese Yen (JPY) has no decimals, 0.5 has more"},
		{"BTC", "0.000000001", ErrDecimals, "Bitcoin (BTC) has 8 decimals, 0.000000001 has more"},
		{"USD", "1e-18", ErrDecimals, ""},
		// Too far from a cent to be noise, or too short.
		{"USD", "0.30000000400000004", ErrDecimals, ""},
		{"USD", "0.00000000000000001", ErrDecimals, ""},
		{"JPY", "1234567890.5", ErrDecimals, ""},
		{"JPY", "123456789012345.5", ErrDecimals, ""},
		{"USD", "-1", ErrNegative, "Amount must not be negative"},
		{"USD", "-0", ErrNegative, ""},
		{"USD", "1e19", ErrSyntax, "Amount has an exponent beyond 18"},
		{"USD", "1e-19", ErrSyntax, ""},
		{"USD", "1e999999999", ErrSyntax, "Amount has an exponent beyond 18"},
		{"USD", "1e" + strings.Repeat("9", 5000), ErrSyntax, ""},
		{"USD", "1e" + strings.Repeat("0", 5000) + "1", ErrSyntax, ""},
		{"USD", strings.Repeat("9", 33), ErrSyntax, "Amount has more than 32 digits"},
		{"USD", "0." + strings.Repeat("0", 32), ErrSyntax, "Amount has more than 32 digits"},
		{"USD", "", ErrSyntax, "Amount is not a number"},
		{"USD", " 1", ErrSyntax, ""},
		{"USD", "1 ", ErrSyntax, ""},
		{"USD", "+1", ErrSyntax, ""},
		{"USD", "01", ErrSyntax, ""},
		{"USD", ".5", ErrSyntax, ""},
		{"USD", "5.", ErrSyntax, ""},
		{"USD", "1.2.3", ErrSyntax, ""},
		{"USD", "1e", ErrSyntax, ""},
		{"USD", "1e+", ErrSyntax, ""},
		{"USD", "1e1.5", ErrSyntax, ""},
		{"USD", "1,000", ErrSyntax, ""},
		{"USD", "NaN", ErrSyntax, ""},
		{"USD", "Infinity", ErrSyntax, ""},
		{"USD", "0x10", ErrSyntax, ""},
		{"USD", "1_000", ErrSyntax, ""},
		{"USD", "١٠", ErrSyntax, ""},
		{"USD", "null", ErrSyntax, ""},
		{"USD", "\"1\"", ErrSyntax, ""},
		{"USD", "1\x00", ErrSyntax, ""},
	} {
		u, err := ParseDecimal(cur(t, c.code), c.text)
		var refused *AmountError
		if !errors.As(err, &refused) || !errors.Is(err, c.kind) {
			t.Errorf("%.40q %s = %s, %v; want %v", c.text, c.code, u, err, c.kind)
			continue
		}
		if c.sentence != "" && err.Error() != c.sentence {
			t.Errorf("%.40q: %q, want %q", c.text, err, c.sentence)
		}
		if len(err.Error()) > 200 {
			t.Errorf("%.40q: a sentence of %d bytes", c.text, len(err.Error()))
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ code, units, format, short, display string }{
		{"USD", "1000", "10.00", "10", "10.00"},
		{"USD", "1050", "10.50", "10.5", "10.50"},
		{"USD", "5", "0.05", "0.05", "0.05"},
		{"USD", "0", "0.00", "0", "0.00"},
		{"JPY", "1500", "1500", "1500", "1500"},
		{"JPY", "0", "0", "0", "0"},
		{"KWD", "1200", "1.200", "1.2", "1.200"},
		{"BTC", "18000", "0.00018000", "0.00018", "0.000180"},
		{"BTC", "29600", "0.00029600", "0.000296", "0.000296"},
		{"BTC", "1", "0.00000001", "0.00000001", "0.00000001"},
		{"BTC", "100000000", "1.00000000", "1", "1.000000"},
		{"XRP", "7015685", "7.015685", "7.015685", "7.015685"},
		{"DOGE", "1998865000", "19.98865000", "19.98865", "19.988650"},
		{"DAI", "9990000000000000000", "9.990000000000000000", "9.99", "9.99"},
		{"DAI", "10000000000000000000", "10.000000000000000000", "10", "10.00"},
		{"ETH", "2505000000000000", "0.002505000000000000", "0.002505", "0.002505"},
		{"ETH", "2505000000000001", "0.002505000000000001", "0.002505000000000001", "0.002505000000000001"},
	} {
		u, err := ParseUnits(c.units)
		if err != nil {
			t.Fatal(err)
		}
		k := cur(t, c.code)
		if got := Format(k, u); got != c.format {
			t.Errorf("Format(%s, %s) = %s, want %s", c.code, c.units, got, c.format)
		}
		if got := FormatShort(k, u); got != c.short {
			t.Errorf("FormatShort(%s, %s) = %s, want %s", c.code, c.units, got, c.short)
		}
		if got := Display(k, u); got != c.display {
			t.Errorf("Display(%s, %s) = %s, want %s", c.code, c.units, got, c.display)
		}
		if got := Number(k, u); got != c.short || !json.Valid([]byte(got)) {
			t.Errorf("Number(%s, %s) = %s, want %s", c.code, c.units, got, c.short)
		}
	}
}

func anyUnits(t *rapid.T) Units {
	text := rapid.StringMatching(`[1-9][0-9]{0,30}|0`).Draw(t, "units")
	u, err := ParseUnits(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(All()).Draw(t, "currency")
		u := anyUnits(t)
		for _, write := range []func(*Currency, Units) string{Format, FormatShort, Display, Number} {
			text := write(c, u)
			if len(strings.ReplaceAll(text, ".", "")) > MaxDigits {
				continue // longer than the wire takes
			}
			back, err := ParseDecimal(c, text)
			if err != nil || back.Cmp(u) != 0 {
				t.Fatalf("%s %s units written %s, read %s, %v", c.Code, u, text, back, err)
			}
		}
	})
}

// Sums of cents done in binary floating point, as shops do them, are read as
// the cents that were meant.
func TestFloatSumsOfCentsAreRead(t *testing.T) {
	usd := cur(t, "USD")
	rapid.Check(t, func(t *rapid.T) {
		var cents uint64
		var sum float64
		for _, n := range rapid.SliceOfN(rapid.Uint64Range(1, 1_000_000), 1, 50).Draw(t, "cents") {
			cents += n
			sum += float64(n) / 100
		}
		text, err := json.Marshal(sum)
		if err != nil {
			t.Fatal(err)
		}
		u, err := ParseDecimal(usd, string(text))
		if err != nil || u.Cmp(NewUnits(cents)) != 0 {
			t.Fatalf("%s is %s, %v; want %d cents", text, u, err, cents)
		}
	})
}

func TestBigGoesThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := anyUnits(t)
		if back, err := FromBig(u.Big()); err != nil || back.Cmp(u) != 0 {
			t.Fatalf("%s became %s, %v", u, back, err)
		}
	})
	for _, text := range []string{"0", "115792089237316195423570985008687907853269984665640564039457584007913129639935"} {
		u, err := ParseUnits(text)
		if err != nil {
			t.Fatal(err)
		}
		b := u.Big()
		if _, err := FromBig(b.Neg(b)); (err == nil) != u.IsZero() {
			t.Errorf("minus %s: %v", text, err)
		}
	}
	if _, err := FromBig(Pow10(78)); !errors.Is(err, ErrRange) {
		t.Errorf("10^78: %v", err)
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"10", "0.30000000000000004", "1e18", "-1", "1e999999999", "NaN"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, code := range []string{"USD", "JPY", "BTC", "ETH"} {
			if _, err := ParseDecimal(cur(t, code), s); err == nil && !json.Valid([]byte(s)) {
				t.Errorf("%q was read", s)
			}
		}
	})
}
