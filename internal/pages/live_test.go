package pages

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// watcher reads one live stream.
type watcher struct {
	t    *testing.T
	body io.ReadCloser
	scan *bufio.Scanner
}

func (w *world) watch(t *testing.T, srv *httptest.Server, id string) *watcher {
	t.Helper()
	res, err := srv.Client().Get(srv.URL + "/invoice/live?id=" + id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("answered %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &watcher{t, res.Body, bufio.NewScanner(res.Body)}
}

// until reads on to a line with a text.
func (w *watcher) until(text string) {
	w.t.Helper()
	for w.scan.Scan() {
		if strings.Contains(w.scan.Text(), text) {
			return
		}
	}
	w.t.Fatalf("the stream ended before %q", text)
}

func (w *world) serve(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(w.mux)
	t.Cleanup(srv.Close)
	t.Cleanup(w.pages.Close)
	return srv
}

func TestTheStreamFollowsTheInvoice(t *testing.T) {
	// Nothing but the App's events can wake the stream here.
	w := newWorld(t, func(_ *app.Config, c *Config) { c.Poll = time.Hour })
	inv := w.order()
	s := w.watch(t, w.serve(t), inv.ID)
	s.until(`"phase":"open"`)
	w.pay(inv, due(inv)/4)
	s.until(`"phase":"partial"`)
	w.pay(inv, due(inv)-due(inv)/4)
	s.until(`"phase":"paid"`)
	w.mine(1)
	s.until(`"status":"confirmed"`)
	w.mine(1)
	s.until(`"confirmations":2`)
	w.mine(4)
	s.until(`"status":"complete"`)
}

// Another process changes the database and this one is not told.
func TestTheStreamSeesWhatOtherProcessesDo(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	s := w.watch(t, w.serve(t), inv.ID)
	s.until(`"status":"new"`)
	err := w.store.Update(context.Background(), func(tx *store.Tx) error {
		now, err := tx.Invoice(inv.ID)
		if err != nil {
			return err
		}
		now.Status = invoice.Expired
		return tx.SetInvoice(now)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.until(`"status":"expired"`)
}

func TestASilentStreamIsKeptAlive(t *testing.T) {
	w := newWorld(t, func(_ *app.Config, c *Config) { c.KeepAlive = time.Millisecond })
	s := w.watch(t, w.serve(t), w.order().ID)
	s.until(": still here")
	s.until(": still here")
}

func TestStreamsEndWithTheServer(t *testing.T) {
	w := newWorld(t)
	s := w.watch(t, w.serve(t), w.order().ID)
	s.until("event: state")
	w.pages.Close()
	w.pages.Close()
	if _, err := io.ReadAll(s.body); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}

func TestStreamsAreCountedPerAddress(t *testing.T) {
	h := newHub()
	var leave []func()
	for range maxStreamsPerAddr {
		_, l, ok := h.join("x", "a")
		if !ok {
			t.Fatal("refused too early")
		}
		leave = append(leave, l)
	}
	if _, _, ok := h.join("y", "a"); ok {
		t.Error("one address has no end of streams")
	}
	if _, l, ok := h.join("x", "b"); !ok {
		t.Error("another address is refused")
	} else {
		l()
	}
	for _, l := range leave {
		l()
	}
	if len(h.subs) > 0 || len(h.addrs) > 0 || h.total != 0 {
		t.Errorf("something is left: %d invoices, %d addresses, %d streams", len(h.subs), len(h.addrs), h.total)
	}
}

func TestAskingOnlyForTheHeadersDoesNotHang(t *testing.T) {
	w := newWorld(t)
	if got := w.do("HEAD", "/invoice/live?id="+w.order().ID, nil); got.Code != http.StatusOK || got.Body.Len() > 0 {
		t.Errorf("answered %d %s", got.Code, got.Body)
	}
}

func TestTooManyStreamsAreSentToPolling(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	for range maxStreamsPerAddr {
		if _, _, ok := w.pages.live.join(inv.ID, "192.0.2.1"); !ok {
			t.Fatal("refused too early")
		}
	}
	got := w.get("/invoice/live?id=" + inv.ID) // from 192.0.2.1
	if got.Code != http.StatusTooManyRequests || !strings.Contains(got.Body.String(), "/invoice/state") {
		t.Errorf("answered %d %s", got.Code, got.Body)
	}
}
