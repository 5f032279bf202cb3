package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/store/sqlite"
	"github.com/quittance/quittance/internal/transfer"
)

// errCrash is where a process ends in the middle of its work.
var errCrash = errors.New("crash")

// forgetful is a database whose answer to a commit is sometimes lost, although
// the commit landed.
type forgetful struct {
	sqldb.Engine
	lose func() bool
}

func (f *forgetful) Update(ctx context.Context, fn func(sqldb.Conn) error) error {
	err := f.Engine.Update(ctx, fn)
	if err == nil && f.lose() {
		return sqldb.ErrUnknownOutcome
	}
	return err
}

// deaf is a network whose answers get lost, and which refuses now and then.
type deaf struct {
	chain.Sender
	r *rand.Rand
	w *storm
}

func (d *deaf) Send(ctx context.Context, raw []byte) error {
	switch n := d.r.IntN(8); {
	case d.w.calm:
	case n == 0:
		return errors.New("the connection was cut before the request")
	case n == 1:
		return &chain.Rejected{Reason: "mempool full"}
	case n < 4:
		_ = d.Sender.Send(ctx, raw)
		return errors.New("the connection was cut after the request")
	}
	return d.Sender.Send(ctx, raw)
}

// storm is a shop whose payments out meet every fault there is.
type storm struct {
	*world
	r      *rand.Rand
	calm   bool
	other  *app.App // a second process on the same database
	inside bool     // a pause is being played
	paid   map[string]uint64
	stops  map[string]int // crashes by step
	events map[string]int
}

func newStorm(t *testing.T, seed uint64) *storm {
	s := &storm{r: rand.New(rand.NewPCG(seed, 1)), paid: map[string]uint64{}, stops: map[string]int{}, events: map[string]int{}, calm: true}
	s.world = newWorld(t)
	s.sender = &deaf{s.chain, s.r, s}
	s.step = s.at
	s.restart()
	return s
}

// restart begins both processes anew on the same file, as after a crash.
func (s *storm) restart() {
	s.off()
	engine, err := sqlite.Open(s.ctx, filepath.Join(s.dir, "quittance.db"))
	s.check(err)
	s.store = store.New(&forgetful{engine, func() bool { return !s.calm && s.r.IntN(25) == 0 }})
	s.app, s.other = s.newApp(), s.newApp()
	s.watch = s.newWatch(s.app, s.src)
	s.follow()
}

// at is called at each named step: the process may end there, or be paused until
// another one has its lease.
func (s *storm) at(step string) error {
	if s.calm {
		return nil
	}
	switch n := s.r.IntN(30); {
	case n == 0:
		s.stops[step]++
		return errCrash
	case n == 1 && !s.inside:
		s.inside = true
		s.clock.forward(2 * time.Minute)
		_ = s.other.Spend(s.ctx) // whatever comes of it, the first one goes on later
		s.inside = false
		s.events["paused past its lease"]++
	}
	return nil
}

// follow reads the chain; a lost answer is no reason to stop.
func (s *storm) follow() {
	for range 50 {
		if err := s.watch.Sync(s.ctx); err == nil {
			return
		}
	}
	s.t.Fatal("the chain cannot be followed")
}

// fund fills the wallet with coins that belong to nobody yet.
func (s *storm) fund(coins int) {
	for range coins {
		s.world.pay(s.invoice(invoice.Medium), 20_000_000)
	}
	s.mine(6)
	s.follow()
}

// payee is an address that nobody was paid at.
func (s *storm) payee(n int) string {
	acc, err := bitcoin.AccountFromSeed(make([]byte, 32), bitcoin.BIP84, "regtest", 7)
	s.check(err)
	addr, _, err := acc.Address(uint32(n))
	s.check(err)
	return addr
}

// queue asks for payments; each address is to get its amount once.
func (s *storm) queue(n int) {
	for range n {
		i := len(s.paid)
		addr, sat := s.payee(i), uint64(1000+s.r.IntN(20_000))
		s.paid[addr] = sat
		s.enqueue(fmt.Sprintf("%05d", i), addr, sat)
	}
}

func (s *storm) enqueue(id, address string, sat uint64) {
	for {
		err := s.store.Update(s.ctx, func(tx *store.Tx) error {
			if _, err := tx.Order(id); err == nil {
				return nil
			}
			wallets, err := tx.Wallets(s.shop.ID)
			if err != nil {
				return err
			}
			to, err := s.app.Assets[0].Spending.Destination(address)
			if err != nil {
				return err
			}
			e := ledger.New(ledger.Reserve, "order/"+id, s.shop.ID, s.clock.now()).
				Debit(ledger.Unapplied, "BTC", money.NewUnits(sat)).Credit(ledger.Reserved, "BTC", money.NewUnits(sat))
			e.ID = "e" + id
			if err := tx.Post(e); err != nil {
				return err
			}
			return tx.AddOrder(&transfer.Order{
				ID: id, Merchant: s.shop.ID, Wallet: wallets[0].ID, Asset: "BTC", Chain: "BTC", Kind: transfer.Proof, Resource: "r" + id, Address: address, To: to,
				Currency: "BTC", Value: money.NewUnits(sat), Gross: money.NewUnits(sat), State: transfer.Queued, Created: s.clock.now(),
			})
		})
		if err == nil {
			return
		}
		if !errors.Is(err, sqldb.ErrUnknownOutcome) {
			s.t.Fatal(err)
		}
	}
}

// turn lets a process spend, and begins it anew if it crashed.
func (s *storm) turn() {
	who := s.app
	if s.r.IntN(2) == 0 {
		who = s.other
	}
	err := who.Spend(s.ctx)
	if s.r.IntN(6) == 0 {
		if list := s.transfers(); len(list) > 0 {
			s.chain.SetFeeRate(uint64(2000 + s.r.IntN(20_000)))
			if berr := who.BumpTransfer(s.ctx, list[s.r.IntN(min(3, len(list)))].ID, 0); berr == nil {
				s.events["fee raised"]++
			}
		}
	}
	if errors.Is(err, errCrash) {
		calm := s.calm
		s.calm = true
		s.restart()
		s.calm = calm
		s.events["restart"]++
	}
	s.clock.forward(time.Duration(s.r.IntN(90)) * time.Second)
}

// weather moves the chain.
func (s *storm) weather() {
	switch s.r.IntN(8) {
	case 0, 1, 2:
		s.mine(1 + s.r.IntN(3))
	case 3:
		s.reorg(1+s.r.IntN(3), sandbox.ReorgOptions{Unmined: s.r.IntN(2) == 0})
		s.events["reorganisation"]++
	}
	s.follow()
}

// settleAll lets everything come to an end without further faults.
func (s *storm) settleAll() {
	s.calm = true
	s.restart()
	for range 600 {
		s.clock.forward(11 * time.Minute)
		s.check(s.app.Spend(s.ctx))
		s.mine(1)
		s.follow()
		open := slices.ContainsFunc(s.transfers(), func(t *transfer.Transfer) bool { return t.State != transfer.Confirmed && t.State != transfer.Dropped })
		var queued []*transfer.Order
		s.check(s.store.View(s.ctx, func(tx *store.Tx) (err error) {
			wallets, err := tx.Wallets("")
			if err != nil {
				return err
			}
			queued, err = tx.QueuedOrders(wallets[0].ID, s.clock.now(), 10)
			return err
		}))
		if !open && len(queued) == 0 {
			return
		}
	}
	for _, t := range s.transfers() {
		if t.State != transfer.Confirmed {
			s.t.Errorf("transfer %s is %s: %s%s", t.ID, t.State, t.Problem, s.describe(t))
		}
	}
}

// describe tells all about a transfer that did not come to its end.
func (s *storm) describe(t *transfer.Transfer) (text string) {
	text = fmt.Sprintf("; current %d, foreign %+v, anew %v", t.Current, t.Foreign, t.Anew)
	for i, a := range t.Attempts {
		text += fmt.Sprintf("\n  attempt %d: %.8s signed %v sent %v seen %v place %v change %d", i, a.Txid, !a.Signed.IsZero(), a.Sent, a.Seen, a.Place, a.Change)
		for _, in := range a.Inputs {
			s.check(s.store.View(s.ctx, func(tx *store.Tx) error {
				c, err := tx.Coin("BTC", in.Outpoint)
				if err == nil {
					text += fmt.Sprintf("\n    spends %.8s:%d %s, spent by %.8s in %d, for %s", c.Txid, c.Vout, c.State, c.SpentBy, c.SpentIn.Height, c.Transfer)
				}
				return err
			}))
		}
	}
	return text
}

// confirmed adds up what each payee got in the best chain.
func (s *storm) confirmed() map[string][]uint64 {
	got := map[string][]uint64{}
	tip, err := s.chain.Tip(s.ctx)
	s.check(err)
	byScript := map[string]string{}
	for addr := range s.paid {
		to, err := bitcoin.AddressScript(addr, "regtest")
		s.check(err)
		byScript[string(to)] = addr
	}
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := s.chain.HashAt(s.ctx, h)
		s.check(err)
		b, err := s.chain.Block(s.ctx, hash)
		s.check(err)
		for i := range b.Txs {
			for _, p := range b.Txs[i].Payments {
				if addr, ok := byScript[string(p.To)]; ok {
					sat, _ := p.Amount.Uint64()
					got[addr] = append(got[addr], sat)
				}
			}
		}
	}
	return got
}

// verified evaluates every invariant against the chain.
func (w *world) verified() {
	w.t.Helper()
	_, err := w.app.Verify(w.ctx, app.VerifyOptions{Sources: map[string]chain.Source{"BTC": w.chain}, Report: func(f app.Finding) {
		if f.Breach != "" {
			w.t.Errorf("%s: %s", f.Name, f.Breach)
		}
	}})
	w.check(err)
}

// The campaign payout-once: whatever crashes, is paused, is swallowed or
// reorganised on the way, each payee gets exactly one confirmed payment of exactly
// the amount. QUITTANCE_PAYOUTS sets how many in each history, QUITTANCE_SEED plays
// one history alone.
func TestPayoutOnce(t *testing.T) {
	payouts, seeds := 150, []uint64{1, 2, 3, 4, 5, 6}
	if n, err := strconv.Atoi(os.Getenv("QUITTANCE_PAYOUTS")); err == nil {
		payouts, seeds = n, seeds[:1]
	}
	if n, err := strconv.ParseUint(os.Getenv("QUITTANCE_SEED"), 10, 64); err == nil {
		seeds = []uint64{n}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { payoutOnce(t, seed, payouts) })
	}
}

func payoutOnce(t *testing.T, seed uint64, payouts int) {
	s := newStorm(t, seed)
	s.fund(2 + payouts/400)
	s.calm = false
	for len(s.paid) < payouts {
		if s.r.IntN(3) == 0 {
			s.queue(min(1+s.r.IntN(12), payouts-len(s.paid)))
		}
		s.turn()
		s.weather()
	}
	for range 20 {
		s.turn()
		s.weather()
	}
	s.settleAll()
	got := s.confirmed()
	for addr, sat := range s.paid {
		if len(got[addr]) != 1 || got[addr][0] != sat {
			t.Errorf("%s was to get %d satoshi once and got %v", addr, sat, got[addr])
		}
	}
	s.verified()
	t.Logf("seed %d: %d payouts in %d transfers; crashes %v; %v", seed, len(s.paid), len(s.transfers()), s.stops, s.events)
}
