package watch

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is what everybody in a test reads the time from.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// random is a ChaCha8 stream that several goroutines may read.
type random struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (r *random) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.Read(p)
}

// world is a server on a sandbox chain that can be switched off and on.
type world struct {
	t     testing.TB
	ctx   context.Context
	dir   string
	db    string // the database's URL; empty is a file in dir
	clock *clock
	rand  io.Reader
	coin  *bitcoin.Chain // what the shop takes
	chain *sandbox.Chain
	src   chain.Source // what the watcher reads; the chain unless a test puts something before it
	store *store.Store
	app   *app.App
	watch *Watcher
	shop  *merchant.Merchant
	token *merchant.Token

	journal app.Journal // kept beside the database; nil unless a test has one
	seed    []byte      // of the shop's wallet
	kind    bitcoin.Kind
	signer  *hot.Signer
	sender  chain.Sender // what payments out are handed to; the chain unless a test puts something before it
	step    func(string) error
	patient bool // as with every back end but the sandbox
}

// Signer makes the shop's wallet a hot one.
func (w *world) Signer(*merchant.Wallet) (chain.Signer, bool) { return w.signer, w.signer != nil }

// foundation is the folder of a new sandbox chain, made once.
var foundation = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "watch-foundation-")
	if err != nil {
		return "", err
	}
	c, err := sandbox.Open(sandbox.Config{Dir: dir, Now: func() time.Time { return start }, Rand: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		return "", err
	}
	return dir, c.Close()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := foundation(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func newWorld(t testing.TB) *world { return newWorldOn(t, "") }

func newWorldOn(t testing.TB, db string, adjust ...func(*world)) *world {
	t.Helper()
	w := &world{
		t: t, db: db, ctx: t.Context(), dir: t.TempDir(), coin: bitcoin.Regtest, kind: bitcoin.BIP84,
		clock: &clock{t: start}, rand: &random{r: rand.NewChaCha8([32]byte{2})},
	}
	for _, f := range adjust {
		f(w)
	}
	founded, err := foundation()
	w.check(err)
	w.check(os.CopyFS(filepath.Join(w.dir, "chain"), os.DirFS(founded)))
	w.chain, err = sandbox.Open(sandbox.Config{Dir: filepath.Join(w.dir, "chain"), Now: w.clock.now, Rand: w.rand})
	w.check(err)
	t.Cleanup(func() { w.check(w.chain.Close()) })
	w.src, w.sender = w.chain, w.chain
	w.on()
	t.Cleanup(w.off)
	w.openShop()
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// on starts the server on its database, and reads the chain.
func (w *world) on() {
	w.t.Helper()
	w.open()
	w.sync()
}

// open starts the server on its database.
func (w *world) open() {
	w.t.Helper()
	var err error
	w.store, err = store.Open(w.ctx, w.db, w.dir)
	w.check(err)
	w.app = w.newApp()
	w.check(w.app.CheckJournal(w.ctx))
	w.watch = w.newWatch(w.app, w.src)
}

func (w *world) newWatch(a *app.App, src chain.Source) *Watcher {
	w.t.Helper()
	f, err := New(Config{App: a, Source: src, Patient: w.patient})
	w.check(err)
	return f
}

// trusting takes any payment that waits for good at high speed: most stories are about
// what becomes of it afterwards.
var trusting = invoice.Depths{Medium: 1, Credit: invoice.CreditDepth}

func (w *world) newApp() *app.App {
	out := spending.New(w.coin)
	return app.New(app.Config{
		Store: w.store, Rates: feed.Static(rate.Fixed(start)), Now: w.clock.now, Rand: w.rand, AllowHTTP: true, Signers: w, Journal: w.journal,
		Step: func(name string) error {
			if w.step == nil {
				return nil
			}
			return w.step(name)
		},
		Assets: []app.Asset{{
			Code: w.coin.Code, Chain: w.coin.Code, Network: "regtest", Keys: bitcoin.NewKeys(w.coin), Unconfirmed: true, Depths: trusting, Spending: out, Sender: w.sender,
		}},
	})
}

// off stops it.
func (w *world) off() {
	if w.store != nil {
		w.check(w.store.Close())
		w.store, w.app, w.watch = nil, nil, nil
	}
}

func (w *world) openShop() {
	w.t.Helper()
	var err error
	w.shop, _, err = w.app.CreateMerchant(w.ctx, "Shop", merchant.Settings{})
	w.check(err)
	w.seed = make([]byte, 32)
	_, _ = w.rand.Read(w.seed)
	w.signer, err = hot.New(hot.Config{Chain: w.coin, Kind: string(cmp.Or(w.kind, bitcoin.BIP84)), Seed: hot.NewSeed(bytes.Clone(w.seed)), Now: w.clock.now})
	w.check(err)
	_, err = w.app.AddWallet(w.ctx, w.shop.ID, w.coin.Code, string(cmp.Or(w.kind, bitcoin.BIP84)), w.signer.XPub(), "")
	w.check(err)
	w.token = &merchant.Token{Token: "t" + w.shop.ID, Merchant: w.shop.ID, Facade: merchant.POS, State: merchant.Active, Created: w.clock.now()}
	w.check(w.store.Update(w.ctx, func(tx *store.Tx) error { return tx.AddToken(w.token) }))
}

// sync reads the chain once.
func (w *world) sync() {
	w.t.Helper()
	w.check(w.watch.Sync(w.ctx))
}

// due is what an invoice of 10 USD asks for at the fixed rate: 20,000 satoshi.
const due = 20_000

func (w *world) invoice(speed invoice.Speed) *invoice.Invoice {
	w.t.Helper()
	inv, err := w.app.CreateInvoice(w.ctx, app.NewInvoice{
		Merchant: w.shop, Token: w.token, Price: "10", Order: invoice.Order{Currency: "USD", Speed: speed},
	})
	w.check(err)
	if got, _ := inv.Terms.Options[0].Due.Uint64(); got != due {
		w.t.Fatalf("%d satoshi are due, not %d", got, due)
	}
	return inv
}

func (w *world) pay(inv *invoice.Invoice, amount uint64) (txid string) {
	w.t.Helper()
	txid, err := w.chain.Pay(w.ctx, sandbox.PayOptions{
		Outputs: []sandbox.Output{{Address: inv.Terms.Options[0].Address, Amount: amount}}, Replaceable: true,
	})
	w.check(err)
	return txid
}

func (w *world) replace(txid, to string) (id string) {
	w.t.Helper()
	amount := uint64(0)
	if to != "" {
		amount = due
	}
	id, err := w.chain.Replace(w.ctx, txid, sandbox.ReplaceOptions{To: to, Amount: amount, FeeRate: 20})
	w.check(err)
	return id
}

func (w *world) mine(n int) {
	w.t.Helper()
	_, err := w.chain.Mine(w.ctx, n)
	w.check(err)
}

func (w *world) reorg(depth int, opts sandbox.ReorgOptions) {
	w.t.Helper()
	_, err := w.chain.Reorg(w.ctx, depth, opts)
	w.check(err)
}

func (w *world) read(inv *invoice.Invoice) *invoice.Invoice {
	w.t.Helper()
	s, err := w.app.Invoice(w.ctx, inv.ID)
	w.check(err)
	return s.Invoice
}

// is checks an invoice's state, and that its live payments amount to sat.
func (w *world) is(inv *invoice.Invoice, want invoice.Status, sat uint64) {
	w.t.Helper()
	got := w.read(inv)
	if got.Status != want {
		w.t.Errorf("the invoice is %s, not %s; credits %+v", got.Status, want, got.Credits)
	}
	if sum, _ := got.Received().Uint64(); sum != sat {
		w.t.Errorf("received %d satoshi, not %d; credits %+v", sum, sat, got.Credits)
	}
}

// told lists the names of an invoice's events in order.
func (w *world) told(inv *invoice.Invoice) (names []string) {
	w.t.Helper()
	list, err := w.app.Timeline(w.ctx, inv.ID, 0)
	w.check(err)
	for i, e := range list {
		if e.Seq != int64(i+1) {
			w.t.Errorf("event %d has number %d", i+1, e.Seq)
		}
		names = append(names, e.Name)
	}
	return names
}

// atTip checks that the cursor is at the tip of the chain.
func (w *world) atTip() {
	w.t.Helper()
	tip, err := w.chain.Tip(w.ctx)
	w.check(err)
	at, err := w.app.Cursor(w.ctx, "BTC")
	w.check(err)
	if at != tip || w.watch.Status().Cursor != tip || w.watch.Status().Tip != tip {
		w.t.Errorf("the cursor is at %v, the status says %+v, the tip is %v", at, w.watch.Status(), tip)
	}
}
