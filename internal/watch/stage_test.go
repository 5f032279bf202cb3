package watch

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// node is what a server reads the chain from.
type node interface {
	// show has it hold the blocks and the mempool of a sandbox chain.
	show(c *sandbox.Chain)
	source() chain.Source
	sender() chain.Sender
	// empty restarts it without what waits.
	empty()
}

// platform is where histories are played.
type platform struct {
	name string
	coin *bitcoin.Chain
	// real nodes judge blocks by the true time: a history on them ends at present.
	real  bool
	blind bool // there is no mempool
	node  func(*stage) node
	// wrong is a node of another chain, and says is what is said of it.
	wrong func(*stage) chain.Source
	says  string
}

// line is one node with the chain that it follows. Whatever the node is, its chain is
// made by a sandbox chain, which can be told to do everything.
type line struct {
	chain *sandbox.Chain
	dir   string
	node  node
}

// stage is a server whose chain goes through a history.
type stage struct {
	*world
	platform platform
	line     *line   // the node that the server reads
	lines    []*line // all there are
	trip     *trip
	base     chain.Ref          // where the server began to follow
	bought   []*invoice.Invoice // as they were when they were made
	history  history
	killed   int // how often the server was, while it wrote
}

// trip is the randomness of a server. While its wire is set, the next byte that is
// asked for sets off what is tied to it.
type trip struct {
	io.Reader
	mu   sync.Mutex
	wire func()
}

func (r *trip) Read(p []byte) (int, error) {
	r.mu.Lock()
	once(&r.wire)
	r.mu.Unlock()
	return r.Reader.Read(p)
}

func (r *trip) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire = f
}

// lead is how long before a history its chain is founded: blocks that are made at once
// run ahead of the clock.
const lead = time.Hour

func newStage(t *testing.T, p platform, db string, h history, seed uint64) *stage {
	t.Helper()
	begin := start
	if p.real {
		begin = time.Now().UTC().Truncate(time.Second).Add(-cmp.Or(h.lasts, 3*time.Hour) - lead)
	}
	base := &random{r: rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 3})}
	s := &stage{platform: p, history: h, trip: &trip{Reader: base}, world: &world{
		t: t, db: db, ctx: t.Context(), dir: t.TempDir(), coin: p.coin, patient: true, clock: &clock{t: begin}, rand: base,
	}}
	s.found()
	s.line.node = p.node(s)
	s.clock.forward(lead)
	s.rand = s.trip
	t.Cleanup(func() {
		for _, l := range s.lines {
			s.check(l.chain.Close())
		}
	})
	t.Cleanup(s.off)
	s.open()
	if !s.tip() {
		s.beginHere()
	}
	s.sync()
	s.openShop()
	s.base = s.cursor()
	return s
}

// active is how many blocks real nodes count votes in before they know segregated
// witness.
const active = 440

// found begins the chain.
func (s *stage) found() {
	s.t.Helper()
	dir := filepath.Join(s.dir, "chain")
	if !s.platform.real {
		founded, err := foundation()
		s.check(err)
		s.check(os.CopyFS(dir, os.DirFS(founded)))
	}
	s.line = &line{dir: dir}
	s.lines = append(s.lines, s.line)
	s.line.open(s)
	tip, err := s.line.chain.Tip(s.ctx)
	s.check(err)
	if s.platform.real {
		_, err = s.line.chain.Mine(s.ctx, active-int(tip.Height))
		s.check(err)
	}
}

func (l *line) open(s *stage) {
	s.t.Helper()
	var err error
	l.chain, err = sandbox.Open(sandbox.Config{Dir: l.dir, Now: s.clock.now, Rand: s.trip.Reader})
	s.check(err)
	if l == s.line {
		s.world.chain = l.chain
	}
}

// on starts the server again, and lets it read the chain.
func (s *stage) on() {
	s.t.Helper()
	s.open()
	s.sync()
}

// open starts the server without a look at the chain.
func (s *stage) open() {
	s.t.Helper()
	s.line.node.show(s.line.chain)
	s.src, s.world.sender = s.line.node.source(), s.line.node.sender()
	s.world.open()
}

// stale is when peers tell a light client nothing about the tip: it would be yesterday's.
const stale = 20 * time.Hour

// tip is whether the node can say where the chain ends.
func (s *stage) tip() bool {
	s.t.Helper()
	if !s.platform.real || !s.platform.blind {
		return true
	}
	tip, err := s.line.chain.Tip(s.ctx)
	s.check(err)
	b, err := s.line.chain.Block(s.ctx, tip.Hash)
	s.check(err)
	return time.Since(b.Time) < stale
}

// sync has the node show what happened, and the server read it.
func (s *stage) sync() {
	s.t.Helper()
	if !s.tip() {
		return
	}
	s.check(s.read1())
}

// read1 has the node show what happened, and returns how reading it went.
func (s *stage) read1() error {
	s.t.Helper()
	s.line.node.show(s.line.chain)
	s.watch.Source = s.line.node.source()
	return s.watch.Sync(s.ctx)
}

// beginHere has the server begin at the tip, where nobody would tell it today what the
// tip was then.
func (s *stage) beginHere() {
	s.t.Helper()
	tip, err := s.line.chain.Tip(s.ctx)
	s.check(err)
	src, at := s.line.node.source(), chain.Ref{Hash: s.line.node.(daemon).best(), Height: tip.Height}
	s.check(s.store.Update(s.ctx, func(tx *store.Tx) error {
		return tx.StartCursor(store.Cursor{Chain: src.Chain(), Network: src.Network(), Genesis: src.Genesis(), Block: at, At: s.clock.now()})
	}))
}

func (s *stage) cursor() chain.Ref {
	s.t.Helper()
	at, err := s.app.Cursor(s.ctx, s.coin.Code)
	s.check(err)
	return at
}

// sell makes an invoice of 10 USD.
func (s *stage) sell(speed invoice.Speed) *invoice.Invoice {
	s.t.Helper()
	inv, err := s.app.CreateInvoice(s.ctx, app.NewInvoice{
		Merchant: s.shop, Token: s.token, Price: "10", Order: invoice.Order{Currency: "USD", Speed: speed},
	})
	s.check(err)
	asMade := *inv
	s.bought = append(s.bought, &asMade)
	return inv
}

// share is so many hundredths of what an invoice asks for.
func share(inv *invoice.Invoice, percent uint64) uint64 {
	due, _ := inv.Terms.Options[0].Due.Uint64()
	return due / 100 * percent
}

// place is an invoice's address as the sandbox chain writes it.
func (s *stage) place(inv *invoice.Invoice) string {
	s.t.Helper()
	script, err := bitcoin.AddressScript(inv.Terms.Options[0].Address, s.coin)
	s.check(err)
	address, err := btcutil.NewAddressWitnessPubKeyHash(script[2:], bitcoin.Regtest.Params)
	s.check(err)
	return address.EncodeAddress()
}

// pay sends shares of what invoices ask for in one transaction.
func (s *stage) pay(percent uint64, to ...*invoice.Invoice) (txid string) {
	s.t.Helper()
	o := sandbox.PayOptions{Replaceable: true, FeeRate: 3}
	for _, inv := range to {
		o.Outputs = append(o.Outputs, sandbox.Output{Address: s.place(inv), Amount: share(inv, percent)})
	}
	txid, err := s.line.chain.Pay(s.ctx, o)
	s.check(err)
	return txid
}

// instead makes what spends the same as a transaction: a share of what an invoice asks
// for, or nothing to any.
func (s *stage) instead(inv *invoice.Invoice, percent uint64) sandbox.ReplaceOptions {
	s.t.Helper()
	if inv == nil {
		return sandbox.ReplaceOptions{FeeRate: 20}
	}
	return sandbox.ReplaceOptions{To: s.place(inv), Amount: share(inv, percent), FeeRate: 20}
}

func (s *stage) replace(txid string, o sandbox.ReplaceOptions) string {
	s.t.Helper()
	id, err := s.line.chain.Replace(s.ctx, txid, o)
	s.check(err)
	return id
}

// spendElsewhere mines a block with something else that spends the same.
func (s *stage) spendElsewhere(txid string, o sandbox.ReplaceOptions) {
	s.t.Helper()
	_, _, err := s.line.chain.ConflictInBlock(s.ctx, txid, o)
	s.check(err)
}

func (s *stage) mine(n int) {
	s.t.Helper()
	_, err := s.line.chain.Mine(s.ctx, n)
	s.check(err)
}

func (s *stage) reorg(depth int, o sandbox.ReorgOptions) {
	s.t.Helper()
	_, err := s.line.chain.Reorg(s.ctx, depth, o)
	s.check(err)
}

// cut takes blocks off the tip: others take their place before anybody looks.
func (s *stage) cut(depth int) {
	s.t.Helper()
	_, err := s.line.chain.Invalidate(s.ctx, depth)
	s.check(err)
}

// ends checks an invoice's state, and that so many hundredths of what it asked for are
// there.
func (s *stage) ends(inv *invoice.Invoice, want invoice.Status, percent uint64) {
	s.t.Helper()
	got := s.world.read(inv)
	if sum, _ := got.Received().Uint64(); got.Status != want || sum != share(inv, percent) {
		s.t.Errorf("the invoice is %s with %d of %d, not %s with %d %%; credits %+v", got.Status, sum, share(inv, 100), want, percent, got.Credits)
	}
	s.told(inv) // numbered without gaps
}

// seen is like ends, where the mempool is seen.
func (s *stage) seen(inv *invoice.Invoice, want invoice.Status, percent uint64) {
	s.t.Helper()
	if !s.platform.blind {
		s.ends(inv, want, percent)
	}
}

// crash ends the server in the middle of reading a reorganisation: while it looks for
// the common ancestor, while it reads the branch, and while the database takes it all
// and is about to tell the first event.
// What the disk holds at that moment is what the next one starts from.
func (s *stage) crash(depth int) {
	s.t.Helper()
	if !s.tip() {
		return
	}
	for _, cut := range []int{1, 4 + depth, 4 + 2*depth} {
		s.line.node.show(s.line.chain)
		s.watch.Source = &source{Source: s.line.node.source(), fail: func(n int) error {
			if n == cut {
				return errLine
			}
			return nil
		}}
		if err := s.watch.Sync(s.ctx); !s.platform.blind && !errors.Is(err, errLine) {
			s.t.Fatalf("cut at call %d: %v", cut, err)
		}
		s.off()
		s.open()
	}
	ctx, kill := context.WithCancel(s.ctx)
	image := s.t.TempDir()
	s.trip.set(func() {
		s.killed++
		if s.db == "" {
			s.copyDatabase(image)
		}
		kill()
	})
	before := s.killed
	err := s.watch.Sync(ctx)
	s.trip.set(nil)
	if s.killed == before {
		s.check(err) // nothing was to be told: it is killed right after the commit
	}
	s.off()
	if s.db == "" && s.killed > before {
		s.dir = image
	}
	s.open()
}

// copyDatabase copies the files of the database as they are.
func (s *stage) copyDatabase(to string) {
	for _, name := range []string{"quittance.db", "quittance.db-wal"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			s.t.Error(err)
		}
	}
}

// fork makes a second node that has followed the same chain until now.
func (s *stage) fork() *line {
	s.t.Helper()
	s.check(s.line.chain.Close())
	other := &line{dir: s.t.TempDir() + "/chain"}
	s.check(os.CopyFS(other.dir, os.DirFS(s.line.dir)))
	s.line.open(s)
	s.lines = append(s.lines, other)
	other.open(s)
	other.node = s.platform.node(s)
	return other
}

// ask has the server read another node from now on.
func (s *stage) ask(l *line) {
	s.line, s.world.chain = l, l.chain
}

// loseMempool restarts the node without what waits, and returns that.
func (s *stage) loseMempool() (lost [][]byte) {
	s.t.Helper()
	s.line.node.show(s.line.chain)
	lost, err := s.line.chain.RawMempool(s.ctx)
	s.check(err)
	s.check(s.line.chain.Close())
	s.check(os.Remove(filepath.Join(s.line.dir, "mempool.log")))
	s.line.open(s)
	s.line.node.empty()
	return lost
}

func (s *stage) broadcast(raw [][]byte) {
	s.t.Helper()
	for _, tx := range raw {
		_, err := s.line.chain.Broadcast(s.ctx, tx)
		s.check(err)
	}
}
