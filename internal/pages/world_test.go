package pages

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

// world is a program on a real database whose chains are moved by hand.
type world struct {
	t        testing.TB
	app      *app.App
	store    *store.Store
	raw      *sql.DB // the same file, past the store
	pages    *Pages
	mux      *http.ServeMux
	merchant *merchant.Merchant
	key      string
	token    *merchant.Token
	chain    *handChain

	mu  sync.Mutex
	now time.Time
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, adjust ...func(*app.Config, *Config)) *world {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	st, err := store.Open(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	raw, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "quittance.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	w := &world{t: t, store: st, raw: raw, now: epoch}
	w.chain = &handChain{w: w, name: "BTC"}
	ac := app.Config{
		Store: st, Rates: feed.Static(rate.Fixed(epoch)), Now: w.clock, PublicURL: "https://pay.example.com", AllowHTTP: true, Sandbox: w.chain,
		Assets: []app.Asset{
			{Code: "BTC", Chain: "BTC", Network: "regtest", Keys: keys{"bitcoin"}, Unconfirmed: true},
			{Code: "LTC", Chain: "LTC", Network: "regtest", Keys: keys{"litecoin"}, Unconfirmed: true},
		},
	}
	pc := Config{Sandbox: true, Now: w.clock, Poll: 20 * time.Millisecond}
	for _, f := range adjust {
		f(&ac, &pc)
	}
	w.app = app.New(ac)
	pc.App, pc.Renderer = w.app, &view.Renderer{PublicURL: ac.PublicURL, Assets: ac.Assets}
	if w.pages, err = New(pc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.pages.Close)
	w.mux = http.NewServeMux()
	w.pages.Register(w.mux)
	w.merchant, w.key = w.newMerchant("Café Größenwahn")
	if w.token, err = w.app.OfferToken(ctx, w.merchant.ID, merchant.POS, "till", true); err != nil {
		t.Fatal(err)
	}
	w.chain.start(ctx)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) newMerchant(name string) (*merchant.Merchant, string) {
	w.t.Helper()
	ctx := context.Background()
	m, key, err := w.app.CreateMerchant(ctx, name, merchant.Settings{})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, code := range []string{"BTC", "LTC"} {
		seed := []byte(fmt.Sprintf("%-64s", name+code))[:64]
		account, err := bitcoin.AccountFromSeed(seed, bitcoin.BIP84, bitcoin.Regtest, uint32(i))
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.app.AddWallet(ctx, m.ID, code, "bip84", account.XPub(), ""); err != nil {
			w.t.Fatal(err)
		}
	}
	return m, key
}

// order is an invoice of 20 USD; adjust changes it.
func (w *world) order(adjust ...func(*invoice.Order)) *invoice.Invoice {
	w.t.Helper()
	in := app.NewInvoice{Merchant: w.merchant, Token: w.token, Price: "20.00", Order: invoice.Order{Currency: "USD", PaymentCurrencies: []string{"BTC"}}}
	for _, f := range adjust {
		f(&in.Order)
	}
	inv, err := w.app.CreateInvoice(context.Background(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return inv
}

func (w *world) do(method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

func (w *world) get(target string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.do("GET", target, nil, headers...)
}

// keys derives real regtest addresses.
type keys struct{ scheme string }

func (keys) Check(xpub, kind string) (string, error) {
	a, err := bitcoin.ParseAccount(xpub, bitcoin.Kind(kind), bitcoin.Regtest)
	if err != nil {
		return "", err
	}
	return a.XPub(), nil
}

func (keys) Origin(_, _, origin string) (string, error) { return origin, nil }

func (keys) Address(xpub, kind string, index int64) (string, []byte, error) {
	a, err := bitcoin.ParseAccount(xpub, bitcoin.Kind(kind), bitcoin.Regtest)
	if err != nil {
		return "", nil, err
	}
	return a.Address(uint32(index))
}

func (k keys) URI(address string, amount money.Units, label, message string) string {
	return k.scheme + strings.TrimPrefix(bitcoin.PaymentURI(bitcoin.Regtest, address, amount, label, message), "bitcoin")
}

func (keys) Dust(destination []byte) money.Units {
	return money.NewUnits(bitcoin.DustLimit(destination, bitcoin.Regtest))
}

// handChain is a chain that does what a test says: each payment waits until a
// block is mined.
type handChain struct {
	w    *world
	name string

	mu      sync.Mutex
	tip     chain.Ref
	n       int
	waiting []*chain.Tx
}

func (c *handChain) start(ctx context.Context) {
	c.tip = chain.Ref{Hash: "genesis", Height: 0}
	for _, name := range []string{"BTC", "LTC"} {
		cur := store.Cursor{Chain: name, Network: "regtest", Genesis: "genesis", Block: c.tip, At: epoch}
		if err := c.w.store.Update(ctx, func(tx *store.Tx) error { return tx.StartCursor(cur) }); err != nil {
			c.w.t.Fatal(err)
		}
	}
}

func (c *handChain) Pay(ctx context.Context, address string, amount uint64) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	script, err := bitcoin.AddressScript(address, bitcoin.Regtest)
	if err != nil {
		return "", err
	}
	c.n++
	tx := &chain.Tx{
		ID:       hex.EncodeToString([]byte(fmt.Sprintf("%032d", c.n))),
		Spends:   []chain.Outpoint{{Txid: fmt.Sprintf("faucet-%d", c.n)}},
		Payments: []chain.Payment{{To: script, Asset: c.name, Amount: money.NewUnits(amount)}},
	}
	c.waiting = append(c.waiting, tx)
	return tx.ID, c.follow(ctx, app.Progress{Unconfirmed: []*chain.Tx{tx}, Hits: []app.Hit{{Tx: tx, Payment: &tx.Payments[0]}}})
}

func (c *handChain) Mine(ctx context.Context, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		b := &chain.Block{Ref: chain.Ref{Hash: fmt.Sprintf("block-%d", c.tip.Height+1), Height: c.tip.Height + 1}, Prev: c.tip.Hash, Time: c.w.clock()}
		hits := app.BlockHits{Block: b}
		for _, tx := range c.waiting {
			b.Txs = append(b.Txs, *tx)
			hits.Hits = append(hits.Hits, app.Hit{Tx: tx, Payment: &tx.Payments[0]})
		}
		c.waiting = nil
		if err := c.follow(ctx, app.Progress{New: []app.BlockHits{hits}}); err != nil {
			return err
		}
		c.tip = b.Ref
	}
	return nil
}

// replace spends the inputs of the last waiting payment elsewhere.
func (c *handChain) replace(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.waiting[len(c.waiting)-1]
	c.waiting = c.waiting[:len(c.waiting)-1]
	tx := &chain.Tx{ID: last.ID[:60] + "ffff", Spends: last.Spends}
	return c.follow(ctx, app.Progress{Unconfirmed: []*chain.Tx{tx}})
}

func (c *handChain) follow(ctx context.Context, p app.Progress) error {
	p.Chain, p.From, p.ReadAt, p.Complete = c.name, c.tip, c.w.clock(), true
	return c.w.app.FollowChain(ctx, p)
}

func (c *handChain) Settle(context.Context) error { return nil }

// closeWindows lets the settlement clock tick after the chains were read.
func (w *world) closeWindows() {
	w.t.Helper()
	ctx := context.Background()
	if err := w.chain.follow(ctx, app.Progress{}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.app.CloseWindows(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pay(inv *invoice.Invoice, amount uint64) {
	w.t.Helper()
	if _, err := w.chain.Pay(context.Background(), inv.Terms.Options[0].Address, amount); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mine(n int) {
	w.t.Helper()
	if err := w.chain.Mine(context.Background(), n); err != nil {
		w.t.Fatal(err)
	}
}

func due(inv *invoice.Invoice) uint64 {
	n, _ := inv.Terms.Options[0].Due.Uint64()
	return n
}

// lives brings a fresh invoice into each phase of its life.
var lives = []struct {
	phase phase
	live  func(w *world, inv *invoice.Invoice)
}{
	{open, func(*world, *invoice.Invoice) {}},
	{partial, func(w *world, inv *invoice.Invoice) { w.pay(inv, due(inv)/4) }},
	{closing, func(w *world, _ *invoice.Invoice) { w.pass(16 * time.Minute) }},
	{paid, func(w *world, inv *invoice.Invoice) { w.pay(inv, due(inv)) }},
	{confirmed, func(w *world, inv *invoice.Invoice) { w.pay(inv, due(inv)); w.mine(2) }},
	{complete, func(w *world, inv *invoice.Invoice) { w.pay(inv, due(inv)); w.mine(6) }},
	{expired, func(w *world, _ *invoice.Invoice) { w.pass(16 * time.Minute); w.closeWindows() }},
	{expiredPartial, func(w *world, inv *invoice.Invoice) {
		w.pay(inv, due(inv)/4)
		w.pass(16 * time.Minute)
		w.closeWindows()
	}},
	{late, func(w *world, inv *invoice.Invoice) {
		w.pass(16 * time.Minute)
		w.closeWindows()
		w.pay(inv, due(inv))
	}},
	{invalid, func(w *world, inv *invoice.Invoice) {
		w.pay(inv, due(inv))
		if err := w.chain.replace(context.Background()); err != nil {
			w.t.Fatal(err)
		}
	}},
	{cancelled, func(w *world, inv *invoice.Invoice) { w.cancel(inv) }},
	{declined, func(w *world, inv *invoice.Invoice) { w.pay(inv, due(inv)); w.cancel(inv) }},
}

func (w *world) cancel(inv *invoice.Invoice) {
	w.t.Helper()
	if _, err := w.app.CancelInvoice(context.Background(), inv.ID, true); err != nil {
		w.t.Fatal(err)
	}
}
