package money

import (
	"regexp"
	"strings"
	"testing"
)

func TestTheTableHasTheCurrenciesOfTheWorld(t *testing.T) {
	fiatCount := 0
	for _, c := range All() {
		if c.IsFiat() {
			fiatCount++
		}
	}
	if fiatCount < 150 {
		t.Errorf("%d fiat currencies", fiatCount)
	}
	if first := All()[0].Code; first != "BTC" {
		t.Errorf("the first is %s", first)
	}
}

func TestNamesAndDigitsThatSDKsRelyOn(t *testing.T) {
	for _, want := range []struct {
		code, name          string
		decimals, precision int
		minimum             string
		chain, parent       string
	}{
		{"USD", "US Dollar", 2, 2, "0.01", "", ""},
		{"JPY", "Japanese Yen", 0, 0, "1", "", ""},
		{"KWD", "Kuwaiti Dinar", 3, 3, "0.001", "", ""},
		{"CLF", "Chilean Unit of Account (UF)", 4, 4, "0.0001", "", ""},
		{"BTC", "Bitcoin", 8, 6, "0.000006", "BTC", ""},
		{"ETH", "Ether", 18, 6, "0.000006", "ETH", ""},
		{"XRP", "Ripple", 6, 6, "0.000006", "XRP", ""},
		{"USDC", "Circle USD Coin", 6, 2, "0.01", "ETH", ""},
		{"USDC_m", "Circle USD Coin", 6, 2, "0.01", "MATIC", "USDC"},
		{"ETH_m", "Ether", 18, 6, "0.000006", "MATIC", "ETH"},
		{"MATIC_e", "Matic", 18, 6, "0.000006", "ETH", "MATIC"},
		{"GUSD", "Gemini US Dollar", 2, 2, "0.01", "ETH", ""},
		{"PAX", "Paxos Standard USD", 18, 2, "0.01", "ETH", ""},
		{"SHIB", "Shiba Inu", 18, 6, "20000", "ETH", ""},
	} {
		c, ok := Lookup(want.code)
		if !ok {
			t.Errorf("no %s", want.code)
			continue
		}
		if c.Name != want.name || c.Decimals != want.decimals || c.Precision != want.precision ||
			c.Minimum != want.minimum || c.Chain != want.chain || c.Parent != want.parent {
			t.Errorf("%s is %+v", want.code, *c)
		}
	}
}

// The currencies of ISO 4217 without exactly two decimals, all of them.
func TestMinorUnitsOfISO4217(t *testing.T) {
	want := map[string]int{"CLF": 4, "UYW": 4}
	for _, code := range strings.Fields("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF") {
		want[code] = 0
	}
	for _, code := range strings.Fields("BHD IQD JOD KWD LYD OMR TND") {
		want[code] = 3
	}
	for _, c := range All() {
		if !c.IsFiat() {
			continue
		}
		digits, special := want[c.Code]
		if !special {
			digits = 2
		}
		if c.Decimals != digits {
			t.Errorf("%s has %d decimals, want %d", c.Code, c.Decimals, digits)
		}
	}
}

func TestEveryRowIsWhole(t *testing.T) {
	code := regexp.MustCompile(`^[A-Z]{3,5}(_[a-z]+)?$`)
	seen := map[string]bool{}
	for _, c := range All() {
		upper := strings.ToUpper(c.Code)
		switch {
		case seen[upper]:
			t.Errorf("%s is there twice", c.Code)
		case !code.MatchString(c.Code):
			t.Errorf("odd code %q", c.Code)
		case c.Name == "" || c.Plural == "":
			t.Errorf("%s has no name", c.Code)
		case c.Precision > c.Decimals:
			t.Errorf("%s shows more decimals than it has", c.Code)
		case c.IsFiat() != (c.Chain == ""):
			t.Errorf("%s: kind %s, chain %q", c.Code, c.Kind, c.Chain)
		case strings.Contains(c.Code, "_") != (c.Parent != ""):
			t.Errorf("%s has parent %q", c.Code, c.Parent)
		}
		seen[upper] = true
		if u, err := ParseDecimal(c, c.Minimum); err != nil || u.IsZero() {
			t.Errorf("%s: minimum %q: %v", c.Code, c.Minimum, err)
		}
		if p, ok := Lookup(c.Unsuffixed()); !ok || p.Parent != "" {
			t.Errorf("%s stands for %q", c.Code, c.Unsuffixed())
		}
	}
}

func TestLookupIgnoresCase(t *testing.T) {
	for spelled, want := range map[string]string{"eur": "EUR", "usdc_M": "USDC_m", "USDC_M": "USDC_m", "Btc": "BTC"} {
		if c, ok := Lookup(spelled); !ok || c.Code != want {
			t.Errorf("Lookup(%q) = %v", spelled, c)
		}
	}
	for _, no := range []string{"", "XXX", "US", "USD ", "USDC_x", "BTC\x00", strings.Repeat("A", 1000)} {
		if c, ok := Lookup(no); ok {
			t.Errorf("Lookup(%q) = %s", no, c.Code)
		}
	}
}

func TestTheTableCannotBeReordered(t *testing.T) {
	All()[0] = nil
	if All()[0] == nil {
		t.Error("All hands out its own slice")
	}
}
