package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/wire"
)

// market answers as two exchanges do, while it is up.
type market struct{ up atomic.Bool }

func (m *market) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !m.up.Load():
		w.WriteHeader(http.StatusBadGateway)
	case strings.HasPrefix(r.URL.Path, "/0/public/Ticker"): // Kraken
		_, _ = io.WriteString(w, `{"error":[],"result":{"XXBTZUSD":{"a":["50000"],"b":["50000"]}}}`)
	default: // Coinbase
		_, _ = io.WriteString(w, `{"data":{"currency":"USD","rates":{"BTC":"0.00002"}}}`)
	}
}

// liveServer is a server with live prices from these sources, and a client.
func liveServer(t *testing.T, sources ...feed.Source) (*program, *client.Client) {
	t.Helper()
	conf := &serveCmd{
		place: place{Data: t.TempDir()}, Sandbox: true, Listen: "127.0.0.1:0", Control: "127.0.0.1:0",
		Rates: "live", MaxConnections: 64, MailFrom: "Quittance <no-reply@localhost>", sources: sources,
	}
	p, err := start(t.Context(), conf, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	key, err := client.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(p.publicURL, key)
	token, err := c.RequestToken(t.Context(), client.Merchant, "shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.app.ApprovePairing(t.Context(), token.PairingCode, p.first.id); err != nil {
		t.Fatal(err)
	}
	return p, c
}

// readyz asks whether invoices can be taken, once the chain has been followed.
func readyz(t *testing.T, p *program) (status int, said string) {
	t.Helper()
	if err := p.sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(p.publicURL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func order(ctx context.Context, c *client.Client) (*wire.Invoice, error) {
	return c.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{Price: "10", Currency: "USD"})
}

// unpriced checks what a server without prices refuses, with which code and in
// which words, and what it still answers.
func unpriced(t *testing.T, p *program, c *client.Client) {
	t.Helper()
	if status, said := readyz(t, p); status != http.StatusServiceUnavailable || !strings.Contains(said, "no trustworthy exchange rate") {
		t.Errorf("/readyz answers %d: %s", status, said)
	}
	_, rates := c.Rates(t.Context(), "")
	_, pair := c.Rate(t.Context(), "BTC", "USD")
	_, invoice := order(t.Context(), c)
	for _, got := range []struct {
		what, code string
		err        error
	}{{"GET /rates", "020000", rates}, {"GET /rates/BTC/USD", "020000", pair}, {"POST /invoices", "010000", invoice}} {
		var refused *client.Error
		if !errors.As(got.err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.Code != got.code ||
			!strings.Contains(refused.Message, "exchange rate") {
			t.Errorf("without prices %s answers %v, want 503 with code %s and a sentence", got.what, got.err, got.code)
		}
	}
	if resp, err := http.Get(p.publicURL + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %v, %v", resp, err)
	}
	if list, err := c.Currencies(t.Context()); err != nil || len(list) == 0 {
		t.Errorf("%d currencies, %v", len(list), err)
	}
	if _, err := c.SINs(t.Context(), client.Merchant); err != nil {
		t.Errorf("reading tokens: %v", err)
	}
}

// A server whose sources cannot be reached starts, says that it takes no
// invoices, and takes them as soon as there are prices (rate sources down, then
// up again; no price is ever guessed).
func TestWithoutLivePricesNothingIsSoldAndTheyComeBack(t *testing.T) {
	m := &market{}
	exchange := httptest.NewServer(m)
	defer exchange.Close()
	p, c := liveServer(t, feed.Kraken(exchange.URL), feed.Coinbase(exchange.URL))
	poller, ok := p.app.Rates.(*feed.Poller)
	if !ok {
		t.Fatalf("prices come from a %T", p.app.Rates)
	}
	unpriced(t, p, c)

	m.up.Store(true)
	poller.Poll(t.Context())
	if status, said := readyz(t, p); status != http.StatusOK {
		t.Errorf("with prices /readyz answers %d: %s", status, said)
	}
	if r, err := c.Rate(t.Context(), "BTC", "USD"); err != nil || r.Rate != "50000" {
		t.Errorf("the rate is %v, %v", r, err)
	}
	made, err := order(t.Context(), c)
	if err != nil || made.PaymentTotals["BTC"] != "20000" {
		t.Fatalf("with prices the invoice is %v, %v", made, err)
	}

	// They fail again: what was read stays good for five minutes. Then nothing
	// is sold; what was sold is still read and paid.
	m.up.Store(false)
	poller.Poll(t.Context())
	if _, err := order(t.Context(), c); err != nil {
		t.Errorf("with prices of a moment ago: %v", err)
	}
	p.clock.skip(rate.DefaultPolicy().MaxAge + time.Second)
	unpriced(t, p, c)
	if inv, err := c.PayInvoice(t.Context(), made.ID, "complete"); err != nil || inv.Status != "complete" {
		t.Errorf("paying an invoice of before: %v, %v", inv, err)
	}

	m.up.Store(true)
	poller.Poll(t.Context())
	if _, err := order(t.Context(), c); err != nil {
		t.Errorf("with prices again: %v", err)
	}
}

// Nobody listens at the sources at all.
func TestAServerStartsWithoutItsRateSources(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p, c := liveServer(t, feed.Kraken(gone.URL), feed.Coinbase(gone.URL), feed.ECB(gone.URL))
	unpriced(t, p, c)
}
