package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// signedGet asks for a list and signs another spelling of its URL.
func signedGet(w *world, host, target, signed string, adjust ...func(*http.Request)) int {
	req := httptest.NewRequest("GET", target, nil)
	req.Host = host
	w.merchant.sign(req, signed, nil)
	for _, f := range adjust {
		f(req)
	}
	rec := httptest.NewRecorder()
	w.front.ServeHTTP(rec, req)
	return rec.Code
}

func TestEveryAddressAClientMaySign(t *testing.T) {
	w := newWorld(t, func(s *setup) {
		s.api.BaseURLs, s.api.TrustProxy = []string{publicURL, "https://old.example.com:8443/"}, true
	})
	const target = "/tokens"
	proxied := func(r *http.Request) {
		r.RemoteAddr = "127.0.0.1:999"
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-Host", "shop.example")
	}
	direct := func(r *http.Request) { proxied(r); r.RemoteAddr = "198.51.100.7:999" }
	for _, c := range []struct {
		host, base string
		adjust     func(*http.Request)
		status     int
	}{
		{"internal:8080", publicURL, nil, 200},
		{"internal:8080", "https://pay.example.com:443", nil, 200},
		{"internal:8080", "https://old.example.com:8443", nil, 200},
		{"other.example", "https://other.example", nil, 200},
		{"other.example", "https://other.example:443", nil, 200},
		{"other.example:443", "https://other.example", nil, 200},
		{"other.example:443", "https://other.example:443", nil, 200},
		{"other.example:8443", "https://other.example:8443", nil, 200},
		{"[::1]:8443", "https://[::1]:8443", nil, 200},
		{"localhost:8080", "http://localhost:8080", nil, 200},
		{"localhost", "http://localhost:443", nil, 200},
		{"test.bitpay.com", "https://test.bitpay.com", nil, 200},
		{"127.0.0.1", "https://bitpay.com", nil, 200},
		{"127.0.0.1", "https://bitpay.com:443", nil, 200},
		{"internal", "https://shop.example", proxied, 200},
		{"internal", "https://shop.example", direct, 401},
		{"internal", "https://elsewhere.example", nil, 401},
		{"other.example", "https://other.example/", nil, 401},
		{"other.example", "", nil, 401},
	} {
		f := c.adjust
		if f == nil {
			f = func(*http.Request) {}
		}
		if got := signedGet(w, c.host, target, c.base+target, f); got != c.status {
			t.Errorf("host %s, signed %s: %d, want %d", c.host, c.base, got, c.status)
		}
	}
}

func TestPlainHTTPOnlyWhereItIsEnabled(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.api.PlainHTTP = true })
	w.front.PlainHTTP = false
	if got := signedGet(w, "shop.example", "/tokens", "http://shop.example/tokens"); got != http.StatusUnauthorized {
		t.Errorf("status %d", got)
	}
}

func TestEverySpellingOfAQuery(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, sent, signed string }{
		{"as received", "?b=2&a=1", "?b=2&a=1"},
		{"as received, with a plus", "?a=x+y", "?a=x+y"},
		{"PHP signs + and sends %20", "?a=x%20y&b=2", "?a=x+y&b=2"},
		{"PHP signs %7E and sends ~", "?a=~x&b=%2B", "?a=%7Ex&b=%2B"},
		{"PHP signs a list's brackets escaped", "?events[]=payment", "?events%5B%5D=payment"},
		{"C# signs what it then escapes", "?a=x%20y%3D%C3%BC&b=1", "?a=x y=ü&b=1"},
		{"C# leaves a plus alone", "?d=2026-01-01T00:00:00%2B02:00&e=a+b%20c", "?d=2026-01-01T00:00:00+02:00&e=a+b c"},
		{"a name without a value", "?a&b=%20", "?a&b=+"},
	} {
		if got := signedGet(w, "pay.example.com", "/tokens"+c.sent, publicURL+"/tokens"+c.signed); got != http.StatusOK {
			t.Errorf("%s: %d", c.name, got)
		}
	}
	for _, c := range []struct{ name, sent, signed string }{
		{"another order", "?b=2&a=1", "?a=1&b=2"}, {"another value", "?a=1", "?a=2"}, {"one left out", "?a=1&b=2", "?a=1"}, {"no query", "?a=1", ""},
	} {
		if got := signedGet(w, "pay.example.com", "/tokens"+c.sent, publicURL+"/tokens"+c.signed); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}

func TestTheRefusalsOfASignatureSayWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	ask := func(identity, signature string) *answer {
		req, err := http.NewRequest("GET", w.http.URL+"/tokens", nil)
		w.must(err)
		req.Header.Set("X-Identity", identity)
		req.Header.Set("X-Signature", signature)
		return w.send(req).refused(http.StatusUnauthorized, "020002")
	}
	good := w.merchant.signer.Sign(publicURL+"/elsewhere", nil)
	if a := ask("02", good); !strings.HasPrefix(a.message(), "Bad public key from identity") {
		t.Error(a.message())
	}
	for _, sig := range []string{"zz", "3006020101020100", good, good + "00", good[:len(good)-2]} {
		if a := ask(w.merchant.signer.Identity(), sig); !strings.HasPrefix(a.message(), "Invalid signature") {
			t.Error(a.message())
		}
	}
	if a := ask(w.merchant.signer.Identity(), ""); !strings.Contains(a.message(), "X-Signature") {
		t.Error(a.message())
	}
}

func TestIdentitiesInUpperCase(t *testing.T) {
	w := newWorld(t)
	status := signedGet(w, "pay.example.com", "/tokens", publicURL+"/tokens", func(r *http.Request) {
		r.Header.Set("X-Identity", strings.ToUpper(r.Header.Get("X-Identity")))
		r.Header.Set("X-Signature", strings.ToUpper(r.Header.Get("X-Signature")))
	})
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

func TestTheRawBodyIsSigned(t *testing.T) {
	w := newWorld(t)
	for i, body := range []string{
		`{"token":"%s","price":10,"currency":"USD"}`, "{ \"token\" : \"%s\",\r\n\t\"price\" : 1e1, \"currency\":\"USD\" }\n", `{"token":"%s","price":10,"currency":"USD","posData":"\u00fc ü \/"}`,
	} {
		if a := w.merchant.do("POST", "/invoices", fmt.Sprintf(body, w.merchant.token)); a.status != http.StatusOK {
			t.Errorf("body %d: %s", i, a.raw)
		}
	}
}
