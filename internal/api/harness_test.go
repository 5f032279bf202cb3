package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/api/bitauth"
	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
	"github.com/quittance/quittance/internal/watch"
)

const publicURL = "https://pay.example.com"

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a whole server on a real database and, once it is asked for, a real
// sandbox chain, under a clock that the test moves.
type world struct {
	t     testing.TB
	dir   string
	store *store.Store
	raw   *sql.DB // the same file, past the store
	app   *app.App
	front *Server
	http  *httptest.Server
	play  *play
	sms   *inbox

	signers map[string]chain.Signer // by wallet
	given   int                     // texts that fresh has given out; guarded by mu

	mu  sync.Mutex
	now time.Time

	hashed struct{ version, rows string } // what rows said last

	shop     *merchant.Merchant
	merchant *client // of the shop, paired, merchant facade
	pos      *client // of the shop, paired, pos facade
	till     *client // of the shop, pos facade without signatures
	payout   *client // of the shop, payout facade
	rival    *client // another merchant's merchant facade
	// rivalPayout is the other merchant's payout facade.
	rivalPayout *client
}

type setup struct {
	app app.Config
	api Config
}

func newWorld(t testing.TB, adjust ...func(*setup)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: epoch, sms: &inbox{}}
	var err error
	if w.store, err = store.Open(t.Context(), "", w.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if w.raw, err = sql.Open("sqlite", "file:"+filepath.Join(w.dir, "quittance.db")+"?_pragma=busy_timeout(10000)"); err != nil {
		t.Fatal(err)
	}
	w.raw.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = w.raw.Close() })
	w.play = &play{w: w}
	w.signers = map[string]chain.Signer{}
	out := spending.New(bitcoin.Regtest)
	s := setup{
		app: app.Config{
			Store: w.store, Rates: feed.Static(rate.Fixed(epoch)), SMS: w.sms, Sandbox: w.play, Now: w.clock, PublicURL: publicURL, AllowHTTP: true,
			Assets: []app.Asset{{
				Code: "BTC", Chain: "BTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest), Unconfirmed: true, Spending: out, Sender: w.play,
			}},
			Signers: w,
		},
		api: Config{BaseURLs: []string{publicURL}, PlainHTTP: true},
	}
	for _, f := range adjust {
		f(&s)
	}
	w.app = app.New(s.app)
	s.api.App, s.api.Renderer = w.app, &view.Renderer{PublicURL: publicURL, Assets: s.app.Assets}
	w.front = New(s.api)
	w.http = httptest.NewServer(w.front)
	t.Cleanup(func() { w.front.Close(); w.http.Close() })
	w.shop = w.newMerchant("Shop", 1)
	w.merchant = w.pair(w.shop, merchant.Full, 1)
	w.pos = w.pair(w.shop, merchant.POS, 2)
	w.payout = w.pair(w.shop, merchant.Payout, 3)
	w.till = w.openTill(w.shop)
	other := w.newMerchant("Rival", 2)
	w.rival = w.pair(other, merchant.Full, 4)
	w.rivalPayout = w.pair(other, merchant.Payout, 5)
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

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newMerchant(name string, seed byte) *merchant.Merchant {
	w.t.Helper()
	m, _, err := w.app.CreateMerchant(w.t.Context(), name, merchant.Settings{})
	w.must(err)
	account, err := bitcoin.AccountFromSeed(bytes.Repeat([]byte{seed}, 64), bitcoin.BIP84, bitcoin.Regtest, 0)
	w.must(err)
	wallet, err := w.app.AddWallet(w.t.Context(), m.ID, "BTC", "bip84", account.XPub(), "")
	w.must(err)
	w.signers[wallet.ID], err = hot.New(hot.Config{Chain: bitcoin.Regtest, Kind: "bip84", Seed: hot.NewSeed(bytes.Repeat([]byte{seed}, 64)), Now: w.clock})
	w.must(err)
	return m
}

// Signer makes every wallet a hot one.
func (w *world) Signer(wallet *merchant.Wallet) (chain.Signer, bool) {
	s, ok := w.signers[wallet.ID]
	return s, ok
}

// spend has everything that waits to leave leave.
func (w *world) spend() {
	w.t.Helper()
	w.must(w.app.DecideUnapplied(w.t.Context()))
	w.must(w.app.PayRefunds(w.t.Context()))
	w.must(w.app.Spend(w.t.Context()))
}

// settings changes the shop's defaults.
func (w *world) settings(s merchant.Settings) {
	w.t.Helper()
	_, err := w.app.ChangeMerchant(w.t.Context(), w.shop.ID, func(m *merchant.Merchant) error {
		m.Settings = s
		return nil
	})
	w.must(err)
}

// pair makes a client and pairs it the way the SDKs do: the client asks, the
// merchant approves.
func (w *world) pair(m *merchant.Merchant, f merchant.Facade, key byte) *client {
	w.t.Helper()
	c := w.newClient(key)
	a := c.do("POST", "/tokens", fields{"id": c.sin(), "facade": string(f), "label": "paired"})
	token := a.list()[0].(map[string]any)
	_, err := w.app.ApprovePairing(w.t.Context(), token["pairingCode"].(string), m.ID)
	w.must(err)
	c.token = token["token"].(string)
	return c
}

func (w *world) openTill(m *merchant.Merchant) *client {
	w.t.Helper()
	t, err := w.app.OfferToken(w.t.Context(), m.ID, merchant.POS, "till", true)
	w.must(err)
	return &client{w: w, token: t.Token}
}

func (w *world) newClient(key byte) *client {
	w.t.Helper()
	digest := sha256.Sum256([]byte{key})
	s, err := bitauth.NewSigner(digest[:])
	w.must(err)
	return &client{w: w, signer: s}
}

// client asks as one identity would; without a signer it does not sign.
type client struct {
	w      *world
	signer *bitauth.Signer
	token  string
}

func (c *client) sin() string {
	id, err := bitauth.ParseIdentity(c.signer.Identity())
	c.w.must(err)
	return id.SIN()
}

type fields map[string]any

// with copies fields and changes some; a nil value takes one away.
func (f fields) with(more fields) fields {
	out := fields{}
	for _, m := range []fields{f, more} {
		for k, v := range m {
			out[k] = v
			if v == nil {
				delete(out, k)
			}
		}
	}
	return out
}

// get and del put the token into the query, post and put into the body.
func (c *client) get(path string) *answer { return c.do("GET", c.query(path), nil) }
func (c *client) del(path string) *answer { return c.do("DELETE", c.query(path), nil) }
func (c *client) post(path string, f fields) *answer {
	return c.do("POST", path, f.with(fields{"token": c.token}))
}
func (c *client) put(path string, f fields) *answer {
	return c.do("PUT", path, f.with(fields{"token": c.token}))
}

func (c *client) query(path string) string {
	if c.token == "" {
		return path
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + "token=" + c.token
}

// do sends one request. A string body is sent as it is.
func (c *client) do(method, path string, body any) *answer {
	c.w.t.Helper()
	raw := encode(c.w.t, body)
	req, err := http.NewRequest(method, c.w.http.URL+path, bytes.NewReader(raw))
	c.w.must(err)
	req.Header.Set("X-Accept-Version", "2.0.0")
	req.Header.Set("Content-Type", "application/json")
	if c.signer != nil {
		c.sign(req, c.w.http.URL+path, raw)
	}
	return c.w.send(req)
}

func (c *client) sign(req *http.Request, signedURL string, body []byte) {
	req.Header.Set("X-Identity", c.signer.Identity())
	req.Header.Set("X-Signature", c.signer.Sign(signedURL, body))
}

func encode(t testing.TB, body any) []byte {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(b)
	case []byte:
		return b
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// send sends any request and checks the answer against the documents.
func (w *world) send(req *http.Request) *answer {
	w.t.Helper()
	resp, err := w.http.Client().Do(req)
	w.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	w.must(err)
	a := &answer{t: w.t, status: resp.StatusCode, header: resp.Header, raw: raw}
	if req.Method != http.MethodHead {
		a.decode()
		if err := conforms(req.Method, req.URL.EscapedPath(), a); err != nil {
			w.t.Fatalf("%s %s → %d %s: %v", req.Method, req.URL.Path, a.status, raw, err)
		}
	}
	return a
}

// answer is a response that has passed all general checks.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    []byte
	value  any            // whatever it is
	body   map[string]any // the value, if it is an object
	bare   []any          // the value, if it is a list
}

func (a *answer) decode() {
	d := json.NewDecoder(bytes.NewReader(a.raw))
	d.UseNumber()
	if err := d.Decode(&a.value); err != nil {
		a.t.Helper()
		a.t.Fatalf("the answer is not JSON: %v: %.200q", err, a.raw)
	}
	a.body, _ = a.value.(map[string]any)
	a.bare, _ = a.value.([]any)
}

// ok insists on success and returns data as an object.
func (a *answer) ok() map[string]any {
	a.t.Helper()
	o, _ := a.data().(map[string]any)
	return o
}

func (a *answer) list() []any {
	a.t.Helper()
	l, ok := a.data().([]any)
	if !ok {
		a.t.Fatalf("data is not a list: %s", a.raw)
	}
	return l
}

func (a *answer) data() any {
	a.t.Helper()
	if a.status != http.StatusOK {
		a.t.Fatalf("status %d: %s", a.status, a.raw)
	}
	return a.body["data"]
}

func (a *answer) code() string {
	s, _ := a.body["code"].(string)
	return s
}

func (a *answer) message() string {
	s, _ := a.body["message"].(string)
	return s
}

// refused insists on an error with this status and code.
func (a *answer) refused(status int, code string) *answer {
	a.t.Helper()
	if a.status != status || a.code() != code {
		a.t.Fatalf("got %d %s, want %d with code %s", a.status, a.raw, status, code)
	}
	return a
}

// play is the sandbox's money: a real chain and a real watcher, opened when the
// first test action needs them.
type play struct {
	w       *world
	once    sync.Once
	chain   *sandbox.Chain
	watcher *watch.Watcher
}

func (p *play) open() {
	p.once.Do(func() {
		var err error
		p.chain, err = sandbox.Open(sandbox.Config{Dir: filepath.Join(p.w.dir, "sandbox"), Now: p.w.clock})
		p.w.must(err)
		p.w.t.Cleanup(func() { _ = p.chain.Close() })
		p.watcher, err = watch.New(watch.Config{App: p.w.app, Source: p.chain})
		p.w.must(err)
		p.w.must(p.watcher.Sync(context.Background()))
	})
}

func (p *play) Pay(ctx context.Context, address string, amount uint64) (string, error) {
	p.open()
	return p.chain.Pay(ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: address, Amount: amount}}, Replaceable: true})
}

func (p *play) Mine(ctx context.Context, n int) error {
	p.open()
	if _, err := p.chain.Mine(ctx, n); err != nil {
		return err
	}
	return p.Settle(ctx)
}

func (p *play) Settle(ctx context.Context) error {
	p.open()
	return p.watcher.Sync(ctx)
}

// Send, FeeRate and Unspent make the sandbox chain the network that money leaves to.
func (p *play) Send(ctx context.Context, raw []byte) error { p.open(); return p.chain.Send(ctx, raw) }

func (p *play) Cost(ctx context.Context, txid string) (chain.Cost, error) {
	p.open()
	return p.chain.Cost(ctx, txid)
}

func (p *play) FeeRate(ctx context.Context, n int) (uint64, error) { return 2000, nil }

func (p *play) Unspent(ctx context.Context, coins []chain.Outpoint) ([]chain.Outpoint, error) {
	p.open()
	return p.chain.Unspent(ctx, coins)
}

// inbox keeps the text messages that would have gone out.
type inbox struct {
	mu    sync.Mutex
	texts map[string]string // by number
	fail  error
}

func (i *inbox) Send(_ context.Context, number, text string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.texts == nil {
		i.texts = map[string]string{}
	}
	i.texts[number] = text
	return i.fail
}

// lastCode is the code that was sent to a number.
func (i *inbox) lastCode(number string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	text := i.texts[number]
	return text[strings.LastIndexByte(text, ' ')+1:]
}

var order = fields{"price": 10, "currency": "USD"}

// create makes an invoice and returns it.
func (c *client) create(more fields) map[string]any {
	c.w.t.Helper()
	return c.post("/invoices", order.with(more)).ok()
}

func id(inv map[string]any) string { return inv["id"].(string) }

// address is where an invoice is paid, from its payment link.
func address(t testing.TB, inv map[string]any) (string, uint64) {
	t.Helper()
	link := inv["paymentCodes"].(map[string]any)["BTC"].(map[string]any)["BIP21"].(string)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	due, err := inv["paymentTotals"].(map[string]any)["BTC"].(json.Number).Int64()
	if err != nil {
		t.Fatal(err)
	}
	return u.Opaque, uint64(due)
}

// payExactly pays a part (in hundredths) of what an invoice asks for.
func (w *world) payShare(inv map[string]any, percent uint64) {
	w.t.Helper()
	to, due := address(w.t, inv)
	_, err := w.play.Pay(w.t.Context(), to, due*percent/100)
	w.must(err)
	w.must(w.play.Settle(w.t.Context()))
}

// rows is a hash over every row of the database. Left out are the counters that
// a reading or a refused order may move without any meaning: the index up to
// which addresses are reserved (reserved ones are skipped, never reused) and the
// number of committed groups.
func (w *world) rows() string {
	w.t.Helper()
	// The version of the file tells whether any other connection committed.
	version := w.column(`SELECT CAST(data_version AS TEXT) FROM pragma_data_version`)[0]
	if version == w.hashed.version {
		return w.hashed.rows
	}
	w.hashed.version, w.hashed.rows = version, w.hashRows()
	return w.hashed.rows
}

func (w *world) hashRows() string {
	w.t.Helper()
	h := sha256.New()
	tables := w.column(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('commit_group', 'commit_mark', 'lease') ORDER BY name`)
	for _, table := range tables {
		var keep []string
		for _, c := range w.column(`SELECT name FROM pragma_table_info('` + table + `')`) {
			if table != "wallet" || c != "next_index" {
				keep = append(keep, `quote("`+c+`")`)
			}
		}
		fmt.Fprintln(h, table)
		for _, row := range w.column(`SELECT ` + strings.Join(keep, ` || ',' || `) + ` AS r FROM ` + table + ` ORDER BY r`) {
			fmt.Fprintln(h, row)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (w *world) column(query string) (out []string) {
	w.t.Helper()
	rows, err := w.raw.Query(query)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var s string
		w.must(rows.Scan(&s))
		out = append(out, s)
	}
	w.must(rows.Err())
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
