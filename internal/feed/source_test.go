package feed

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
)

// documented is one source with an answer in its documented form and what to
// read out of it: "asset quote price seconds", seconds 0 if it gives no time.
var documented = []struct {
	source func(base string) Source
	file   string
	path   string
	want   []string
}{
	{Kraken, "kraken.json", "/0/public/Ticker", []string{
		"BTC USD 61250 -", "DOGE USD 0.12 -", "ETH USD 3010.4 -", "USDT USD 1.0001 -"}},
	{Coinbase, "coinbase.json", "/v2/exchange-rates", []string{
		"AED USD 0.25 -",
		"BTC USD 62500 -", "DOGE USD 0.125 -", "ETH USD 3200 -", "EUR USD 1.25 -", "EUROC USD 1.25 -", "GUSD USD 1 -",
		"POL USD 0.4 -", "SHIB USD 0.0000125 -", "USDC USD 1 -"}},
	{Bitstamp, "bitstamp.json", "/api/v2/ticker/", []string{
		"BTC USD 61245 2026-03-02T11:59:55Z", "EUROC USD 1.161 2026-03-02T11:59:40Z"}},
	{CoinGecko, "coingecko.json", "/api/v3/simple/price", []string{
		"BTC USD 61244.123456789 2026-03-02T11:59:20Z", "ETH USD 3010.25 2026-03-02T11:59:21Z",
		"SHIB USD 0.00001234 2026-03-02T11:59:22Z", "USDT USD 1.0001 2026-03-02T11:59:23Z"}},
	{Binance, "binance.json", "/api/v3/ticker/price", []string{
		"BTC USDT 61244.01 -", "ETH USDT 3010.11 -", "POL USDT 0.4012 -"}},
	{ECB, "ecb.xml", "/stats/eurofxref/eurofxref-daily.xml", []string{
		"EUR CHF 0.932 2026-03-02T13:00:00Z", "EUR IDR 18950.4 2026-03-02T13:00:00Z",
		"EUR JPY 171.25 2026-03-02T13:00:00Z", "EUR USD 1.165 2026-03-02T13:00:00Z"}},
}

func answer(t testing.TB, file string) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func lines(votes []rate.Vote) []string {
	var list []string
	for _, v := range votes {
		at := "-"
		if !v.At.IsZero() {
			at = v.At.Format(time.RFC3339)
		}
		list = append(list, strings.Join([]string{v.Asset, v.Quote, v.Price.Round().String(), at}, " "))
	}
	slices.Sort(list)
	return list
}

// serve answers every request with status and body, and returns its address.
func serve(t testing.TB, status int, body []byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestDocumentedAnswersAreRead(t *testing.T) {
	for _, d := range documented {
		var path string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path = r.URL.Path
			_, _ = w.Write(answer(t, d.file))
		}))
		source := d.source(s.URL)
		votes, err := source.Fetch(context.Background(), plain)
		s.Close()
		if err != nil {
			t.Errorf("%s: %v", source.Name(), err)
		}
		if got := lines(votes); !slices.Equal(got, d.want) {
			t.Errorf("%s:\n%s\nwant\n%s", source.Name(), strings.Join(got, "\n"), strings.Join(d.want, "\n"))
		}
		if path != d.path {
			t.Errorf("%s asked %s, want %s", source.Name(), path, d.path)
		}
		for _, v := range votes {
			if v.Source != source.Name() {
				t.Errorf("a vote of %s signed %q", source.Name(), v.Source)
			}
		}
	}
}

// bend replaces old by new in a good answer; the test is void if old is not there.
func bend(t *testing.T, file, old, new string) []byte {
	t.Helper()
	body := answer(t, file)
	if !bytes.Contains(body, []byte(old)) {
		t.Fatalf("%s has no %q", file, old)
	}
	return bytes.ReplaceAll(body, []byte(old), []byte(new))
}

// Prices that are none are left out; the other prices of the answer count.
func TestBadPricesAreLeftOut(t *testing.T) {
	prices := []string{"-61250", "0", "0.0", "NaN", "Infinity", "", "61 250", "1e999", "0x10", "61,250", "null", "abc",
		strings.Repeat("9", 100)}
	for _, c := range []struct {
		n         int // in documented
		old       string
		missing   string
		mayRefuse bool // the broken price breaks the form of the answer
	}{
		{0, "61250.10000", "BTC", false},
		{0, "61249.90000", "BTC", false},
		{1, "0.000016", "BTC", false},
		{2, "61240", "BTC", false},
		{2, "1772452795", "BTC", false},
		{3, "61244.123456789", "BTC", true},
		{3, "1772452760", "BTC", true},
		{4, "61244.01000000", "BTC", false},
		{5, "1.1650", "USD", false},
	} {
		d := documented[c.n]
		for _, price := range prices {
			source := d.source(serve(t, http.StatusOK, bend(t, d.file, c.old, price)))
			votes, err := source.Fetch(context.Background(), plain)
			if err != nil && !c.mayRefuse {
				t.Errorf("%s with %q: %v", source.Name(), price, err)
			}
			if err == nil && len(votes) == 0 {
				t.Errorf("%s with %q: nothing and no error", source.Name(), price)
			}
			for _, v := range votes {
				if v.Asset == c.missing || v.Asset == "EUR" && v.Quote == c.missing {
					t.Errorf("%s with %q: %s", source.Name(), price, v.Price)
				}
			}
		}
	}
}

func TestACrossedBookIsNoPrice(t *testing.T) {
	source := Kraken(serve(t, http.StatusOK, bend(t, "kraken.json", "61250.10000", "61000.00000")))
	votes, err := source.Fetch(context.Background(), plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range votes {
		if v.Asset == "BTC" {
			t.Errorf("BTC at %s", v.Price)
		}
	}
}

func TestAnswersInAnotherFormAreRefused(t *testing.T) {
	html := "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
	for _, d := range documented {
		whole := answer(t, d.file)
		bodies := map[string][]byte{
			"nothing":           nil,
			"an HTML page":      []byte(html),
			"half of it":        whole[:len(whole)/2],
			"all but the end":   bytes.TrimSpace(whole)[:len(bytes.TrimSpace(whole))-1],
			"it twice":          append(bytes.Clone(whole), whole...),
			"text after it":     append(bytes.Clone(whole), "garbage"...),
			"null":              []byte("null"),
			"an empty object":   []byte("{}"),
			"an empty list":     []byte("[]"),
			"a number":          []byte("1"),
			"a string":          []byte(`"61250"`),
			"bytes":             bytes.Repeat([]byte{0xff, 0x00}, 100),
			"deep nesting":      bytes.Repeat([]byte("["), 20000),
			"the biggest there": append(bytes.Clone(whole), bytes.Repeat([]byte(" "), MaxAnswer)...),
		}
		for name, body := range bodies {
			source := d.source(serve(t, http.StatusOK, body))
			if votes, err := source.Fetch(context.Background(), plain); !errors.Is(err, ErrAnswer) || len(votes) > 0 {
				t.Errorf("%s: %s gave %v, %v", source.Name(), name, lines(votes), err)
			}
		}
		for _, status := range []int{204, 301, 302, 400, 403, 418, 429, 451, 500, 503} {
			source := d.source(serve(t, status, whole))
			if votes, err := source.Fetch(context.Background(), plain); err == nil {
				t.Errorf("%s: status %d gave %v", source.Name(), status, lines(votes))
			}
		}
	}
}

func TestAnswersOfTheWrongThingAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		source func(string) Source
		body   []byte
	}{
		"an error of Kraken":         {Kraken, []byte(`{"error":["EQuery:Unknown asset pair"]}`)},
		"an error beside a result":   {Kraken, bend(t, "kraken.json", `"error":[]`, `"error":["EGeneral:Internal error"]`)},
		"pairs nobody asked for":     {Kraken, bend(t, "kraken.json", "USD", "EUR")},
		"numbers for strings":        {Kraken, bend(t, "kraken.json", `"61250.10000"`, `61250.1`)},
		"rates of another currency":  {Coinbase, bend(t, "coinbase.json", `"currency":"USD"`, `"currency":"EUR"`)},
		"an error of Binance":        {Binance, []byte(`{"code":-1121,"msg":"Invalid symbol."}`)},
		"symbols in no USDT":         {Binance, []byte(`[{"symbol":"BTCUSDC","price":"61250.0"}]`)},
		"an error of Coingecko":      {CoinGecko, []byte(`{"status":{"error_code":429,"error_message":"Rate limit"}}`)},
		"prices in euros":            {CoinGecko, []byte(`{"bitcoin":{"eur":50000,"last_updated_at":1772452760}}`)},
		"prices in strings":          {CoinGecko, []byte(`{"bitcoin":{"usd":"61250","last_updated_at":1772452760}}`)},
		"prices without a time":      {CoinGecko, []byte(`{"bitcoin":{"usd":61250}}`)},
		"pairs in euros":             {Bitstamp, bend(t, "bitstamp.json", "/USD", "/EUR")},
		"a table without a day":      {ECB, bend(t, "ecb.xml", "2026-03-02", "yesterday")},
		"a table of two days":        {ECB, bend(t, "ecb.xml", "</Cube>\n\t</Cube>", "</Cube><Cube time='2026-03-01'/></Cube>")},
		"another document":           {ECB, bend(t, "ecb.xml", "Envelope", "Message")},
		"entities that grow":         {ECB, []byte(`<!DOCTYPE x [<!ENTITY a "aaaa">]><Envelope><Cube><Cube time="&a;"/></Cube></Envelope>`)},
		"currencies that are coins":  {ECB, []byte(`<Envelope><Cube><Cube time="2026-03-02"><Cube currency="BTC" rate="1"/></Cube></Cube></Envelope>`)},
		"the euro in itself":         {ECB, []byte(`<Envelope><Cube><Cube time="2026-03-02"><Cube currency="EUR" rate="2"/></Cube></Cube></Envelope>`)},
		"codes in the wrong letters": {ECB, []byte(`<Envelope><Cube><Cube time="2026-03-02"><Cube currency="usd" rate="2"/></Cube></Cube></Envelope>`)},
	} {
		votes, err := c.source(serve(t, http.StatusOK, c.body)).Fetch(context.Background(), plain)
		if !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v, %v", name, lines(votes), err)
		}
	}
}

func TestEverySourceHasItsOwnNameAndAnHTTPSAddress(t *testing.T) {
	names := map[string]bool{}
	for _, s := range All() {
		if names[s.Name()] {
			t.Errorf("two sources called %s", s.Name())
		}
		names[s.Name()] = true
		if u := s.(*source).url; !strings.HasPrefix(u, "https://") {
			t.Errorf("%s is at %s", s.Name(), u)
		}
	}
	for _, list := range []map[string]string{krakenPairs, coingeckoIDs} {
		for name, code := range list {
			if c, ok := money.Lookup(code); !ok || c.Code != code || c.IsFiat() {
				t.Errorf("%s stands for %s", name, code)
			}
		}
	}
	for code := range binanceAssets {
		if c, ok := money.Lookup(code); !ok || c.Code != code || c.IsFiat() {
			t.Errorf("binance has %s", code)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, d := range documented {
		f.Add(answer(f, d.file))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range documented {
			votes, _ := d.source("").(*source).parse(body)
			for _, v := range votes {
				if v.Price.IsZero() || v.Asset == "" || v.Quote == "" {
					t.Errorf("%+v", v)
				}
			}
		}
	})
}
