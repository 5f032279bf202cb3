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
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/internal/store/postgres"
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

// fury is one in how many steps goes wrong in each of two ways.
const fury = 10

// storm is a shop whose payments out meet every fault there is.
type storm struct {
	*world
	r      *rand.Rand
	calm   bool
	other  *app.App           // a second process on the same database
	inside bool               // a pause is being played
	paid   map[string]uint64  // what each address is to get, in satoshi
	sold   []*invoice.Invoice // complete, and not refunded yet
	stops  map[string]int     // crashes by step
	events map[string]int
}

func newStorm(t *testing.T, seed uint64, db string) *storm {
	s := &storm{r: rand.New(rand.NewPCG(seed, 1)), paid: map[string]uint64{}, stops: map[string]int{}, events: map[string]int{}, calm: true}
	s.world = newWorldOn(t, db)
	s.sender = &deaf{s.chain, s.r, s}
	s.step = s.at
	_, err := s.app.ChangeMerchant(s.ctx, s.shop.ID, func(m *merchant.Merchant) error {
		m.Settings.PayoutRuns, m.Settings.MaxRecipients, m.Settings.OnOver = "now", 1_000_000, merchant.ToCredit
		return nil
	})
	s.check(err)
	s.shop, err = s.app.FindMerchant(s.ctx, s.shop.ID)
	s.check(err)
	s.restart()
	return s
}

// restart begins both processes anew on the same file, as after a crash.
func (s *storm) restart() {
	s.off()
	s.store = store.New(&forgetful{s.engine(), func() bool { return !s.calm && s.r.IntN(25) == 0 }})
	s.app, s.other = s.newApp(), s.newApp()
	s.watch = s.newWatch(s.app, s.src)
	s.follow()
}

func (s *storm) engine() (e sqldb.Engine) {
	var err error
	if s.db != "" {
		e, err = postgres.Open(s.ctx, s.db)
	} else {
		e, err = sqlite.Open(s.ctx, filepath.Join(s.dir, "quittance.db"))
	}
	s.check(err)
	return e
}

// at is called at each named step: the process may end there, or be paused until
// another one has its lease.
func (s *storm) at(step string) error {
	if s.calm {
		return nil
	}
	switch n := s.r.IntN(fury); {
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
	s.check(s.app.DecideUnapplied(s.ctx)) // what is over is credited: the ledger pays from it
}

// payee is an address that nobody was paid at.
func (s *storm) payee(n int) string {
	acc, err := bitcoin.AccountFromSeed(make([]byte, 32), bitcoin.BIP84, bitcoin.Regtest, 7)
	s.check(err)
	addr, _, err := acc.Address(uint32(n))
	s.check(err)
	return addr
}

// queue asks for payments, payouts and refunds alike; each address is to get its
// amount once.
func (s *storm) queue(n int) {
	for range n {
		if len(s.sold) > 0 && s.r.IntN(3) == 0 {
			s.refund()
			continue
		}
		s.payout()
	}
}

// insist repeats what may have happened although its answer was lost. Each of the
// calls knows its repetition: by guid, by reference, by what is there.
func (s *storm) insist(do func() error) {
	s.t.Helper()
	for {
		err := do()
		if err == nil {
			return
		}
		if !errors.Is(err, sqldb.ErrUnknownOutcome) {
			s.t.Fatal(err)
		}
	}
}

// payout promises bitcoin to somebody new, who has an address already.
func (s *storm) payout() {
	address, sat := s.payee(len(s.paid)), uint64(10_000+s.r.IntN(20_000))
	s.paid[address] = sat
	id := fmt.Sprintf("recipient%013d", len(s.paid))
	s.insist(func() error {
		return s.store.Update(s.ctx, func(tx *store.Tx) error {
			if _, err := tx.Recipient(id); err == nil {
				return nil
			}
			return tx.AddRecipient(&recipient.Recipient{
				ID: id, Merchant: s.shop.ID, APIToken: s.token.Token, Token: "t" + id, Email: address + "@example.com", Status: recipient.Active, Created: s.clock.now(),
				State: recipient.State{Addresses: []recipient.Address{{
					Asset: "BTC", Address: address, Proof: recipient.Proof{Kind: recipient.ByTestAmount, Test: "t"}, Given: s.clock.now(), From: s.clock.now(),
				}}},
			})
		})
	})
	s.insist(func() error {
		_, err := s.app.CreatePayout(s.ctx, app.PayoutRequest{Merchant: s.shop, Token: s.token, Signature: address}, app.NewPayout{
			Recipient: id, Amount: fmt.Sprintf("0.%08d", sat), Terms: payout.Terms{Currency: "BTC", LedgerCurrency: "USD", Effective: s.clock.now(), Reference: address},
		})
		return err
	})
}

// refund gives half of what somebody bought back.
func (s *storm) refund() {
	inv := s.sold[len(s.sold)-1]
	s.sold = s.sold[:len(s.sold)-1]
	address := s.payee(len(s.paid))
	s.paid[address] = due / 2
	var f *refund.Refund
	s.insist(func() (err error) {
		f, err = s.app.CreateRefund(s.ctx, app.NewRefund{Merchant: s.shop, Token: s.token, Invoice: inv.ID, Amount: "5", GUID: "refund of " + inv.ID})
		return err
	})
	s.insist(func() error {
		_, err := s.app.ClaimRefund(s.ctx, f.ID, f.ClaimCode(f.State.Claims), address)
		return err
	})
}

// sell completes some invoices.
func (s *storm) sell(n int) {
	for range n {
		inv, err := s.app.CreateInvoice(s.ctx, app.NewInvoice{
			Merchant: s.shop, Token: s.token, Price: "10", Order: invoice.Order{Currency: "USD", Speed: invoice.Medium, Buyer: &invoice.Buyer{Email: "b@example.com"}},
		})
		s.check(err)
		s.world.pay(inv, due)
		s.sold = append(s.sold, inv)
		if len(s.sold)%40 == 0 {
			s.mine(1)
		}
	}
	s.mine(6)
	s.follow()
}

// turn lets a process spend, and begins it anew if it crashed.
func (s *storm) turn() {
	who := s.app
	if s.r.IntN(2) == 0 {
		who = s.other
	}
	err := errors.Join(ignore(who.PayRefunds(s.ctx)), ignore(who.FundPayouts(s.ctx)), who.Spend(s.ctx))
	if s.r.IntN(3) == 0 {
		if list := s.transfers(); len(list) > 0 {
			s.chain.SetFeeRate(uint64(2000 + s.r.IntN(20_000)))
			raised := who.BumpTransfer(s.ctx, list[len(list)-1-s.r.IntN(min(3, len(list)))].ID, 0)
			switch {
			case raised == nil:
				s.events["fee raised"]++
			case errors.Is(raised, errCrash):
				err = raised
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

// ignore passes over an answer that was lost: the next round looks again.
func ignore(err error) error {
	if errors.Is(err, sqldb.ErrUnknownOutcome) {
		return nil
	}
	return err
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
		s.check(s.app.PayRefunds(s.ctx))
		s.check(s.app.FundPayouts(s.ctx))
		s.check(s.app.Spend(s.ctx))
		s.mine(1)
		s.follow()
		open := slices.ContainsFunc(s.transfers(), func(t *transfer.Transfer) bool { return t.State != transfer.Confirmed && t.State != transfer.Dropped })
		if !open && s.promised() == 0 {
			return
		}
	}
	if n := s.promised(); n > 0 {
		s.t.Errorf("%d payouts and refunds did not come to their end", n)
	}
	for _, t := range s.transfers() {
		if t.State != transfer.Confirmed {
			s.t.Errorf("transfer %s is %s: %s%s", t.ID, t.State, t.Problem, s.describe(t))
		}
	}
}

// promised counts the payouts and refunds that are not over. All of them are to
// succeed.
func (s *storm) promised() (n int) {
	s.check(s.store.View(s.ctx, func(tx *store.Tx) error {
		n = 0
		list, err := tx.ListPayouts(store.PayoutFilter{Limit: 100_000})
		for _, p := range list {
			if p.Status != payout.Complete {
				n++
			}
		}
		if err != nil {
			return err
		}
		return tx.EachRefund(func(f *refund.Refund) error {
			if f.Status != refund.Success {
				n++
			}
			return nil
		})
	}))
	return n
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
		to, err := bitcoin.AddressScript(addr, bitcoin.Regtest)
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
	stops := map[string]int{}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { payoutOnce(t, seed, payouts, "", stops) })
	}
	if len(stops) < 12 && os.Getenv("QUITTANCE_SEED") == "" {
		t.Errorf("crashes came at %d steps only: %v", len(stops), stops)
	}
	if len(seeds) > 1 {
		t.Run("PostgreSQL", func(t *testing.T) { payoutOnce(t, 7, payouts, pgtest.Open(t), stops) })
	}
}

func payoutOnce(t *testing.T, seed uint64, payouts int, db string, stops map[string]int) {
	s := newStorm(t, seed, db)
	s.fund(2 + payouts/400)
	s.sell(payouts / 3)
	s.calm = false
	for len(s.paid) < payouts {
		if s.r.IntN(3) == 0 {
			s.queue(min(1+s.r.IntN(12+payouts/400), payouts-len(s.paid)))
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
	for step, n := range s.stops {
		stops[step] += n
	}
	t.Logf("seed %d: %d payouts and refunds in %d transfers; crashes %v; %v", seed, len(s.paid), len(s.transfers()), s.stops, s.events)
}
