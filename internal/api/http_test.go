package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPathsInEverySpelling(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		path   string
		status int
	}{
		{"/rates", 200}, {"/rates/", 200}, {"/rates/btc/", 200}, {"/rates/BTC/usd", 200}, {"/rates/usdc_M", 200},
		{"/currencies/", 200}, {"/supportedwallets", 200}, {"/supportedWallets/", 200}, {"/SUPPORTEDWALLETS", 200},
		{"//BTC", 404}, {"/rates//BTC", 404}, {"/rates//", 404}, {"/", 404}, {"/Rates", 404}, {"/rates/BTC/USD/x", 404},
		{"/rates/%42TC", 200}, {"/rates/BTC%2FUSD", 404}, {"/nothing-here", 404},
	} {
		if a := w.till.do("GET", c.path, nil); a.status != c.status {
			t.Errorf("%s: %d, want %d", c.path, a.status, c.status)
		}
	}
	w.merchant.get(strings.Replace(wholeYear, "?", "/?", 1)).list()
	w.merchant.post("/invoices/", order).ok()
}

func TestAGuidMayHoldAnything(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(fields{"guid": "shop/2026 #17?ü"})
	got := w.merchant.get("/invoices/guid/shop%2F2026%20%2317%3F%C3%BC").ok()
	if id(got) != id(inv) {
		t.Errorf("found %v", got["id"])
	}
}

func TestMethods(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ method, path, code, allow string }{
		{"POST", "/rates", "010002", "GET, OPTIONS"},
		{"PUT", "/invoices", "030002", "POST, GET, OPTIONS"},
		{"PATCH", "/tokens", "000002", "POST, GET, OPTIONS"},
		{"GET", "/sessions", "020002", "POST, OPTIONS"},
		{"DELETE", "/invoices/x/notifications", "040002", "POST, OPTIONS"},
	} {
		a := w.till.do(c.method, c.path, nil).refused(http.StatusMethodNotAllowed, c.code)
		if a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: Allow %q", c.method, c.path, a.header.Get("Allow"))
		}
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	w := newWorld(t)
	inv := w.till.create(nil)
	for path, status := range map[string]int{"/rates": 200, "/invoices/" + id(inv): 200, "/nothing": 404, "/sessions": 405} {
		a := w.till.do("HEAD", path, nil)
		if a.status != status || len(a.raw) > 0 || a.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d %q %v", path, a.status, a.raw, a.header)
		}
	}
}

func TestCrossOriginCalls(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/invoices", "/rates", "/nothing"} {
		a := w.till.do("OPTIONS", path, nil)
		if a.data() != "Success" || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "X-Signature") ||
			!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "DELETE") {
			t.Errorf("%s: %v", path, a.header)
		}
	}
}

func TestAnyHostIsAnswered(t *testing.T) {
	w := newWorld(t)
	req, err := http.NewRequest("GET", w.http.URL+"/rates", nil)
	w.must(err)
	req.Host = "test.bitpay.com"
	w.send(req).list()
}

func TestPagesAnswerOnlyWhatTheyKnow(t *testing.T) {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /invoice", func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(http.StatusTeapot) })
	w := newWorld(t, func(s *setup) { s.api.Pages = pages })
	get := func(path, accept string) int {
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Accept", accept)
		rec := httptest.NewRecorder()
		w.front.ServeHTTP(rec, req)
		return rec.Code
	}
	if got := get("/invoice?id=x", "*/*"); got != http.StatusTeapot {
		t.Errorf("a page: %d", got)
	}
	w.till.do("GET", "/nothing-here", nil).refused(http.StatusNotFound, "020001") // in JSON, as every client needs it
	w.till.do("GET", "/invoice/../rates/", nil).refused(http.StatusNotFound, "020001")
	if got := get("/nothing", "text/html,*/*"); got != http.StatusNotFound {
		t.Errorf("no page: %d", got)
	}
}

func TestLimits(t *testing.T) {
	t.Run("of an address", func(t *testing.T) {
		w := newWorld(t, func(s *setup) { s.api.Limits = Limits{PerAddress: 1e-6, Burst: 2e7} })
		// Pairing five clients took five of the twenty.
		for range 15 {
			w.till.do("GET", "/rates", nil).list()
		}
		tooMany(t, w.till.do("GET", "/rates", nil), "020000")
		tooMany(t, w.merchant.post("/invoices", order), "010000")
		tooMany(t, w.till.do("GET", "/nothing", nil), "020000")
	})
	t.Run("of a merchant", func(t *testing.T) {
		w := newWorld(t, func(s *setup) { s.api.Limits = Limits{PerMerchant: 1e-6, Burst: 3e6} })
		for range 2 {
			w.merchant.post("/invoices", order).ok()
		}
		w.till.post("/invoices", order).ok() // the same merchant
		tooMany(t, w.merchant.post("/invoices", order), "010000")
		w.rival.post("/invoices", order).ok()
		w.till.do("GET", "/rates", nil).list()
	})
}

func tooMany(t *testing.T, a *answer, code string) {
	t.Helper()
	if a.refused(http.StatusTooManyRequests, code); a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestWhomALimitCounts(t *testing.T) {
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}, {"2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"}, {"pipe", "pipe"},
	} {
		if got := network(c.ip); got != c.want {
			t.Errorf("%s counts as %s, want %s", c.ip, got, c.want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Forwarded-For", "10.9.9.9, 192.0.2.7")
	if got := ClientAddress(r, true); got != "192.0.2.7" {
		t.Errorf("behind a trusted proxy: %s", got)
	}
	if got := ClientAddress(r, false); got != "127.0.0.1" {
		t.Errorf("a proxy nobody trusts: %s", got)
	}
	r.RemoteAddr = "198.51.100.1:1"
	if got := ClientAddress(r, true); got != "198.51.100.1" {
		t.Errorf("a stranger who claims to be a proxy: %s", got)
	}
}
