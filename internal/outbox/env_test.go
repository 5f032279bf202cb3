package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

const apiToken = "4Muq1yQxKZ9Ltoken"

// plainKeys derives addresses that say which they are.
type plainKeys struct{}

func (plainKeys) Check(xpub, _ string) (string, error)  { return xpub, nil }
func (plainKeys) Origin(_, _, o string) (string, error) { return o, nil }
func (plainKeys) Address(xpub, _ string, i int64) (string, []byte, error) {
	a := fmt.Sprintf("%s-%d", xpub, i)
	return a, []byte(a), nil
}
func (plainKeys) URI(address string, amount money.Units, _, _ string) string {
	return "bitcoin:" + address + "?amount=" + amount.String()
}
func (plainKeys) Dust([]byte) money.Units { return money.NewUnits(294) }

// clock is a time that moves only when a test says so.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type env struct {
	tb       testing.TB
	dir      string
	app      *app.App
	clock    *clock
	merchant *merchant.Merchant
	render   *view.Renderer
}

func newEnv(tb testing.TB) *env {
	tb.Helper()
	e := &env{tb: tb, dir: tb.TempDir()}
	s := e.open()
	c := &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	assets := []app.Asset{{Code: "BTC", Chain: "BTC", Network: "regtest", Keys: plainKeys{}, Unconfirmed: true}}
	a := app.New(app.Config{
		Store: s, Rates: feed.Static(rate.Fixed(c.Now())), Assets: assets, Now: c.Now, AllowHTTP: true, PublicURL: "https://pay.example",
	})
	m, _, err := a.CreateMerchant(context.Background(), "Ärger & Söhne", merchant.Settings{})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := a.AddWallet(context.Background(), m.ID, "BTC", "bip84", "addr", ""); err != nil {
		tb.Fatal(err)
	}
	e.app, e.clock, e.merchant = a, c, m
	e.render = &view.Renderer{PublicURL: "https://pay.example", Assets: assets}
	return e
}

func (e *env) open() *store.Store {
	s, err := store.Open(context.Background(), "", e.dir)
	if err != nil {
		e.tb.Fatal(err)
	}
	e.tb.Cleanup(func() { s.Close() })
	return s
}

// reopen starts the program again on the same data.
func (e *env) reopen() {
	c := e.app.Config
	c.Store = e.open()
	e.app = app.New(c)
}

func (e *env) outbox(change ...func(*outbox.Config)) *outbox.Outbox {
	c := outbox.Config{
		App: e.app, Renderer: e.render, Version: "1.2.3", AllowHTTP: true, AllowPrivate: true, Now: e.clock.Now,
	}
	for _, f := range change {
		f(&c)
	}
	return outbox.New(c)
}

func (e *env) invoice(change func(*invoice.Order)) *invoice.Invoice {
	e.tb.Helper()
	o := invoice.Order{Currency: "USD", Extended: true, OrderID: "shop/42", PosData: `{"ref":"é😀"}`}
	change(&o)
	inv, err := e.app.CreateInvoice(context.Background(), app.NewInvoice{
		Merchant: e.merchant, Token: &merchant.Token{Token: apiToken, Merchant: e.merchant.ID, Facade: merchant.Full}, Order: o, Price: "10.50",
	})
	if err != nil {
		e.tb.Fatal(err)
	}
	return inv
}

// cancelled makes an invoice and cancels it: one notice, 1004, to url.
func (e *env) cancelled(url string) *invoice.Invoice {
	e.tb.Helper()
	inv := e.invoice(func(o *invoice.Order) { o.NotificationURL = url })
	if _, err := e.app.CancelInvoice(context.Background(), inv.ID, false); err != nil {
		e.tb.Fatal(err)
	}
	return inv
}

func (e *env) resend(id string) {
	e.tb.Helper()
	if err := e.app.ResendInvoice(context.Background(), id); err != nil {
		e.tb.Fatal(err)
	}
}

func (e *env) step(o *outbox.Outbox) {
	e.tb.Helper()
	if err := o.Step(context.Background()); err != nil {
		e.tb.Fatal(err)
	}
}

func (e *env) deliveries(resource string) []app.Delivered {
	e.tb.Helper()
	list, err := e.app.Deliveries(context.Background(), resource)
	if err != nil {
		e.tb.Fatal(err)
	}
	return list
}

func (e *env) update(f func(*store.Tx) error) {
	e.tb.Helper()
	if err := e.app.Store.Update(context.Background(), f); err != nil {
		e.tb.Fatal(err)
	}
}

// got is one request as a shop received it.
type got struct {
	header http.Header
	body   []byte
	ID     string // of the invoice
	Code   int64
}

// shop is a merchant's server. answer decides what each request gets; nil is 200.
type shop struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(got) int
	all    []got // requests that were answered with success
	tries  int
}

func newShop(tb testing.TB) *shop {
	s := &shop{}
	s.Server = httptest.NewServer(s)
	tb.Cleanup(s.Close)
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var b struct {
		Event struct{ Code int64 }
		Data  struct{ ID string }
	}
	_ = json.Unmarshal(body, &b)
	g := got{r.Header, body, b.Data.ID, b.Event.Code}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	status := http.StatusOK
	if s.answer != nil {
		status = s.answer(g)
	}
	if status == 0 {
		panic(http.ErrAbortHandler) // the connection breaks without an answer
	}
	if status < 300 {
		s.all = append(s.all, g)
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "answer %d", status)
}

func (s *shop) answers(f func(got) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *shop) received() []got {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]got(nil), s.all...)
}

func (s *shop) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// order says which invoices arrived, as indices into want.
func order(gots []got, want []string) (out []int) {
	index := map[string]int{}
	for i, id := range want {
		index[id] = i
	}
	for _, g := range gots {
		out = append(out, index[g.ID])
	}
	return out
}

// mailbox is a Mailer that keeps what it is given.
type mailbox struct {
	mu   sync.Mutex
	down bool
	all  []mail.Message
}

func (b *mailbox) Send(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errors.New("the mail server is away")
	}
	b.all = append(b.all, m)
	return nil
}
