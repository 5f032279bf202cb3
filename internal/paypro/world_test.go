package paypro

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	btcwire "github.com/btcsuite/btcd/wire"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/internal/watch"
	"github.com/quittance/quittance/wire"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// due is what an invoice of 10 USD asks for at the fixed rate, and coin what each of
// the payer's coins is worth.
const (
	due  = 20_000
	coin = 100_000
)

var engines = map[string]func(*testing.T) string{
	"SQLite": func(*testing.T) string { return "" }, "PostgreSQL": func(t *testing.T) string { return pgtest.Open(t) },
}

// world is a server on a sandbox chain and a wallet with coins of its own.
type world struct {
	t      testing.TB
	dir    string
	db     string
	chain  *sandbox.Chain
	gate   *gate
	noPool bool
	starts int // of servers, each with randomness of its own
	store  *store.Store
	app    *app.App
	watch  *watch.Watcher
	keys   *Keyring
	server *Server
	mux    *http.ServeMux
	shop   *merchant.Merchant
	token  *merchant.Token
	step   func(string) error
	coins  []btcwire.OutPoint // confirmed, not used yet
	key    *btcec.PrivateKey
	ours   []byte // the payer's script

	mu  sync.Mutex
	now time.Time
}

// gate stands before the network, and may keep a payment or an answer back.
type gate struct {
	chain.Sender
	before, after error
}

func (g *gate) Send(ctx context.Context, raw []byte) error {
	if g.before != nil {
		return g.before
	}
	if err := g.Sender.Send(ctx, raw); err != nil {
		return err
	}
	return g.after
}

// blind is a back end that sees blocks only.
type blind struct{ backEnd }

type backEnd interface {
	chain.Source
	chain.Inspector
}

func (blind) Inspect(context.Context, *chain.Draft) (*chain.Inspection, error) {
	return nil, chain.ErrNoMempool
}
func (blind) Mempool(context.Context) ([]string, error) { return nil, chain.ErrNoMempool }

var foundation = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "paypro-foundation-")
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

func newWorld(t testing.TB, adjust ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: start}
	for _, f := range adjust {
		f(w)
	}
	founded, err := foundation()
	w.check(err)
	w.check(os.CopyFS(filepath.Join(w.dir, "chain"), os.DirFS(founded)))
	w.chain, err = sandbox.Open(sandbox.Config{Dir: filepath.Join(w.dir, "chain"), Now: w.clock, Rand: rand.NewChaCha8([32]byte{2})})
	w.check(err)
	t.Cleanup(func() { w.check(w.chain.Close()) })
	w.gate = &gate{Sender: w.chain}
	w.on()
	t.Cleanup(func() { _ = w.store.Close() })
	w.openShop()
	w.openWallet()
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
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

// on starts the server, again if it ran before.
func (w *world) on() {
	w.t.Helper()
	if w.store != nil {
		w.check(w.store.Close())
	}
	var err error
	w.store, err = store.Open(w.t.Context(), w.db, w.dir)
	w.check(err)
	w.app, w.server, w.mux = w.newServer(w.store, w.dir)
	w.keys = w.server.Keys
	w.watch, err = watch.New(watch.Config{App: w.app, Source: w.source()})
	w.check(err)
	w.sync()
}

func (w *world) source() chain.Source {
	if w.noPool {
		return blind{w.chain}
	}
	return w.chain
}

// newServer is one of several servers that a database may have.
func (w *world) newServer(st *store.Store, dir string) (*app.App, *Server, *http.ServeMux) {
	w.t.Helper()
	out := spending.New(bitcoin.Regtest)
	btc := app.Asset{
		Code: "BTC", Chain: "BTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest), Unconfirmed: !w.noPool, Spending: out, Sender: w.gate, Inspector: w.chain,
	}
	if w.noPool {
		btc.Inspector = blind{w.chain}
	}
	// Nothing of this one can be looked at.
	ltc := app.Asset{Code: "LTC", Chain: "LTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest), Unconfirmed: true}
	a := app.New(app.Config{
		Store: st, Rates: feed.Static(rate.Fixed(start)), Now: w.clock, AllowHTTP: true, Assets: []app.Asset{btc, ltc},
		Step: func(name string) error {
			if w.step == nil {
				return nil
			}
			return w.step(name)
		},
	})
	w.starts++
	random := &seeded{r: rand.NewChaCha8(sha256.Sum256([]byte{byte(w.starts)}))}
	keys := &Keyring{File: filepath.Join(dir, "keys.jsonl"), App: a, Network: "regtest", Now: w.clock, Rand: random}
	w.check(keys.Keep(w.t.Context()))
	s := &Server{App: a, Keys: keys, PublicURL: "https://pay.example.com", Signatures: filepath.Join(dir, "signatures"), Log: slog.New(slog.DiscardHandler)}
	mux := http.NewServeMux()
	s.Register(mux)
	mux.Handle("GET /i/{id}", s)
	return a, s, mux
}

type seeded struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (s *seeded) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(p)
}

func (w *world) openShop() {
	w.t.Helper()
	var err error
	w.shop, _, err = w.app.CreateMerchant(w.t.Context(), "Café", merchant.Settings{})
	w.check(err)
	for i, code := range []string{"BTC", "LTC"} {
		account, err := bitcoin.AccountFromSeed(bytes.Repeat([]byte{9}, 32), bitcoin.BIP84, bitcoin.Regtest, uint32(i))
		w.check(err)
		_, err = w.app.AddWallet(w.t.Context(), w.shop.ID, code, "bip84", account.XPub(), "")
		w.check(err)
	}
	w.token = &merchant.Token{Token: "t" + w.shop.ID, Merchant: w.shop.ID, Facade: merchant.POS, State: merchant.Active, Created: w.clock()}
	w.check(w.store.Update(w.t.Context(), func(tx *store.Tx) error { return tx.AddToken(w.token) }))
}

// openWallet gives the payer ten coins in a block.
func (w *world) openWallet() {
	w.t.Helper()
	w.key, _ = btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	address, err := btcutil.NewAddressWitnessPubKeyHash(btcutil.Hash160(w.key.PubKey().SerializeCompressed()), &chaincfg.RegressionNetParams)
	w.check(err)
	w.ours, err = txscript.PayToAddrScript(address)
	w.check(err)
	w.fund(address.EncodeAddress(), 10)
	w.mine(1)
	w.sync()
}

// fund pays n coins to an address and returns them; they wait for a block.
func (w *world) fund(address string, n int) (made []btcwire.OutPoint) {
	w.t.Helper()
	outs := make([]sandbox.Output, n)
	for i := range outs {
		outs[i] = sandbox.Output{Address: address, Amount: coin}
	}
	txid, err := w.chain.Pay(w.t.Context(), sandbox.PayOptions{Outputs: outs})
	w.check(err)
	hash, err := chainhash.NewHashFromStr(txid)
	w.check(err)
	for i := range outs {
		made = append(made, btcwire.OutPoint{Hash: *hash, Index: uint32(i)})
	}
	w.coins = append(w.coins, made...)
	return made
}

func (w *world) sync() { w.t.Helper(); w.check(w.watch.Sync(w.t.Context())) }

func (w *world) mine(n int) {
	w.t.Helper()
	_, err := w.chain.Mine(w.t.Context(), n)
	w.check(err)
}

func (w *world) invoice(adjust ...func(*invoice.Order)) *invoice.Invoice {
	w.t.Helper()
	in := app.NewInvoice{Merchant: w.shop, Token: w.token, Price: "10", Order: invoice.Order{Currency: "USD"}}
	for _, f := range adjust {
		f(&in.Order)
	}
	inv, err := w.app.CreateInvoice(w.t.Context(), in)
	w.check(err)
	return inv
}

func (w *world) read(inv *invoice.Invoice) *invoice.Invoice {
	w.t.Helper()
	s, err := w.app.Invoice(w.t.Context(), inv.ID)
	w.check(err)
	return s.Invoice
}

// is checks an invoice's status and what it has received, in satoshi.
func (w *world) is(inv *invoice.Invoice, want invoice.Status, sat uint64) {
	w.t.Helper()
	got := w.read(inv)
	if sum, _ := got.Received().Uint64(); got.Status != want || sum != sat {
		w.t.Errorf("the invoice is %s with %d satoshi, not %s with %d; credits %+v", got.Status, sum, want, sat, got.Credits)
	}
}

func script(t testing.TB, address string) []byte {
	t.Helper()
	s, err := bitcoin.AddressScript(address, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// draft is a payment of one coin to an invoice, 1,000 satoshi of it for the network,
// not signed.
func (w *world) draft(inv *invoice.Invoice) *btcwire.MsgTx {
	w.t.Helper()
	tx := btcwire.NewMsgTx(2)
	tx.AddTxIn(btcwire.NewTxIn(&w.coins[0], nil, nil))
	w.coins = w.coins[1:]
	tx.AddTxOut(btcwire.NewTxOut(due, script(w.t, inv.Terms.Options[0].Address)))
	tx.AddTxOut(btcwire.NewTxOut(coin-due-1000, w.ours))
	return tx
}

// sign signs all inputs, which are the payer's own coins.
func (w *world) sign(tx *btcwire.MsgTx) *btcwire.MsgTx { return w.signAt(tx, coin) }

// signAt signs inputs that are worth something else.
func (w *world) signAt(tx *btcwire.MsgTx, coin int64) *btcwire.MsgTx {
	w.t.Helper()
	fetcher := txscript.NewCannedPrevOutputFetcher(w.ours, coin)
	hashes := txscript.NewTxSigHashes(tx, fetcher)
	for i := range tx.TxIn {
		witness, err := txscript.WitnessSignature(tx, hashes, i, coin, w.ours, txscript.SigHashAll, w.key, true)
		w.check(err)
		tx.TxIn[i].Witness = witness
	}
	return tx
}

func (w *world) signed(inv *invoice.Invoice) *btcwire.MsgTx { return w.sign(w.draft(inv)) }

func text(tx *btcwire.MsgTx) string {
	var b bytes.Buffer
	_ = tx.Serialize(&b)
	return hex.EncodeToString(b.Bytes())
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	w *world
}

// ask sends a step as a wallet does. The type of a GET is what it accepts.
func (w *world) ask(inv *invoice.Invoice, kind, body string) answer {
	w.t.Helper()
	return w.askOf(w.mux, inv.ID, kind, body, nil)
}

func (w *world) askOf(h http.Handler, id, kind, body string, more http.Header) answer {
	w.t.Helper()
	r := httptest.NewRequest("POST", "/i/"+id, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	if kind == wire.PaymentOptionsType {
		r = httptest.NewRequest("GET", "/i/"+id, nil)
		r.Header.Set("Accept", kind)
	}
	r.Header.Set("x-paypro-version", "2")
	for name, v := range more {
		r.Header[name] = v
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return answer{rec, w}
}

func payment(tx string) string {
	b, _ := json.Marshal(map[string]any{"chain": "BTC", "transactions": []any{map[string]string{"tx": tx}}})
	return string(b)
}

func (w *world) verify(inv *invoice.Invoice, tx *btcwire.MsgTx) answer {
	w.t.Helper()
	return w.ask(inv, wire.PaymentVerificationType, payment(text(tx)))
}

func (w *world) pay(inv *invoice.Invoice, tx *btcwire.MsgTx) answer {
	w.t.Helper()
	return w.ask(inv, wire.PaymentType, payment(text(tx)))
}

// ok is the answer of a step that went well, whose signature holds.
func (a answer) ok() map[string]any {
	t := a.w.t
	t.Helper()
	if a.Code != http.StatusOK {
		t.Fatalf("answered %d: %s", a.Code, a.Body)
	}
	a.proven()
	var m map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// proven checks the headers as a wallet does, with nothing but the published keys.
func (a answer) proven() {
	t, h := a.w.t, a.Header()
	t.Helper()
	digest := sha256.Sum256(a.Body.Bytes())
	if _, sum, _ := strings.Cut(h.Get("digest"), "="); sum != hex.EncodeToString(digest[:]) {
		t.Errorf("digest %q of %s", h.Get("digest"), a.Body)
	}
	if h.Get("x-signature-type") != "ecc" || h.Get("signature") != h.Get("x-signature") {
		t.Errorf("headers %v", h)
	}
	raw, err := hex.DecodeString(h.Get("signature"))
	if err != nil || len(raw) != 64 {
		t.Fatalf("signature %q: %v", h.Get("signature"), err)
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(raw[:32]) || s.SetByteSlice(raw[32:]) || s.IsOverHalfOrder() {
		t.Error("the signature is not in its low form")
	}
	rec := httptest.NewRecorder()
	a.w.mux.ServeHTTP(rec, httptest.NewRequest("GET", "/signingKeys/paymentProtocol.json", nil))
	var keys wire.SigningKeys
	if err := json.Unmarshal(rec.Body.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	for _, text := range keys.PublicKeys {
		public, _ := hex.DecodeString(text)
		key, err := secp256k1.ParsePubKey(public)
		if err != nil {
			t.Fatal(err)
		}
		address, _ := btcutil.NewAddressPubKeyHash(btcutil.Hash160(public), &chaincfg.RegressionNetParams)
		if address.EncodeAddress() == h.Get("x-identity") && ecdsa.NewSignature(&r, &s).Verify(digest[:], key) {
			return
		}
	}
	t.Errorf("no published key has signed this: %v", h)
}

// refused checks a refusal in plain text that changed nothing of an invoice.
func (a answer) refused(code int, words string) {
	a.w.t.Helper()
	if a.Code != code || !strings.Contains(a.Body.String(), words) || !strings.HasPrefix(a.Header().Get("Content-Type"), "text/plain") {
		a.w.t.Errorf("answered %d %q (%s), not %d with %q", a.Code, a.Body, a.Header().Get("Content-Type"), code, words)
	}
}

var errCrash = errors.New("the process ends here")

// record is all that is stored of an invoice.
func (w *world) record(inv *invoice.Invoice) string {
	w.t.Helper()
	b, err := json.Marshal(w.read(inv))
	w.check(err)
	return string(b)
}
