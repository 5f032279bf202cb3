package watch

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
)

// pair is a shop that two processes serve: each has its own connections to the
// database.
type pair struct {
	*world
	apps  [2]*app.App
	payee string // a recipient who can be paid
	n     int
}

// onBothEngines plays a test with two processes on a SQLite file and on PostgreSQL.
func onBothEngines(t *testing.T, play func(*testing.T, *pair)) {
	t.Run("sqlite", func(t *testing.T) { play(t, newPair(t, "")) })
	t.Run("postgres", func(t *testing.T) { play(t, newPair(t, pgtest.Open(t))) })
}

func newPair(t *testing.T, db string) *pair {
	p := &pair{world: newWorldOn(t, db)}
	p.settings(func(s *merchant.Settings) { s.PayoutRuns = "now" })
	if db == "" {
		db = filepath.Join(p.dir, "quittance.db")
	}
	second, err := store.Open(p.ctx, db, p.dir)
	p.check(err)
	t.Cleanup(func() { p.check(second.Close()) })
	first := p.store
	p.apps[0] = p.app
	p.store = second
	p.apps[1] = p.newApp()
	p.store = first
	p.recipient()
	return p
}

func (p *pair) settings(change func(*merchant.Settings)) {
	p.t.Helper()
	_, err := p.app.ChangeMerchant(p.ctx, p.shop.ID, func(m *merchant.Merchant) error { change(&m.Settings); return nil })
	p.check(err)
	p.shop, err = p.app.FindMerchant(p.ctx, p.shop.ID)
	p.check(err)
}

func (p *pair) recipient() {
	p.t.Helper()
	list, err := p.app.SubmitRecipients(p.ctx, app.NewRecipients{Merchant: p.shop, Token: p.token, List: []recipient.Invitation{{Email: "a@example.com"}}})
	p.check(err)
	p.payee = list[0].ID
	p.check(p.store.Update(p.ctx, func(tx *store.Tx) error {
		r, err := tx.Recipient(p.payee)
		if err != nil {
			return err
		}
		r.Status, r.State.Addresses = recipient.Active, []recipient.Address{{Asset: "BTC", Address: stranger, Proof: recipient.Proof{Kind: recipient.ByTestAmount, Test: "t"}, Given: p.clock.now(), From: p.clock.now()}}
		return tx.SetRecipient(r)
	}))
}

// both lets the two processes do something at the same moment.
func (p *pair) both(do func(i int, a *app.App) error) (errs [2]error) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i, a := range p.apps {
		group.Go(func() {
			<-start
			errs[i] = do(i, a)
		})
	}
	close(start)
	group.Wait()
	return errs
}

// sell completes an invoice of 100 USD.
func (p *pair) sell() *invoice.Invoice {
	p.t.Helper()
	inv, err := p.app.CreateInvoice(p.ctx, app.NewInvoice{
		Merchant: p.shop, Token: p.token, Price: "100", Order: invoice.Order{Currency: "USD", Speed: invoice.Medium, Buyer: &invoice.Buyer{Email: "b@example.com"}},
	})
	p.check(err)
	p.pay(inv, 10*due)
	p.mine(6)
	p.sync()
	return inv
}

// owed is what the shop's ledger in dollars has, in cents.
func (p *pair) owed() (cents int64) {
	p.t.Helper()
	p.check(p.store.View(p.ctx, func(tx *store.Tx) error {
		have, err := tx.Balance(p.shop.ID, ledger.Merchant, "USD")
		u, _ := have.Abs().Uint64()
		cents = -int64(u) * int64(have.Sign())
		return err
	}))
	return cents
}

func (p *pair) newPayout(a *app.App, signature, amount, reference string) (*payout.Payout, error) {
	return a.CreatePayout(p.ctx, app.PayoutRequest{Merchant: p.shop, Token: p.token, Signature: signature}, app.NewPayout{
		Recipient: p.payee, Amount: amount, Terms: payout.Terms{Currency: "USD", LedgerCurrency: "USD", Effective: p.clock.now(), Reference: reference},
	})
}

// taker takes more than half of 100 USD out of the ledger, once.
type taker func(p *pair) func(a *app.App) error

var takers = map[string]taker{
	"payout": func(p *pair) func(*app.App) error {
		p.n++
		_, err := p.newPayout(p.app, fmt.Sprint("signature", p.n), "60", fmt.Sprint("payout ", p.n))
		p.check(err)
		return func(a *app.App) error {
			return a.FundPayouts(p.ctx)
		}
	},
	"refund": func(p *pair) func(*app.App) error {
		inv := p.sell()
		p.drain(10_000)
		return func(a *app.App) error {
			_, err := a.CreateRefund(p.ctx, app.NewRefund{Merchant: p.shop, Token: p.token, Invoice: inv.ID, Amount: "70", Immediate: true, BuyerPays: true})
			return err
		}
	},
	"settlement": func(p *pair) func(*app.App) error {
		return func(a *app.App) error { _, err := a.SettleNow(p.ctx, p.shop, "USD"); return err }
	},
	"exchange": func(p *pair) func(*app.App) error {
		usd, _ := money.Lookup("USD")
		eur, _ := money.Lookup("EUR")
		return func(a *app.App) error {
			_, err := a.ExchangeLedger(p.ctx, p.shop, usd, eur, money.NewUnits(8000), 0)
			return err
		}
	},
}

// drain leaves so many cents in the ledger.
func (p *pair) drain(cents int64) {
	p.t.Helper()
	usd, _ := money.Lookup("USD")
	if d := cents - p.owed(); d != 0 {
		p.check(p.app.AdjustLedger(p.ctx, p.shop, usd, money.NewDelta(d), "test"))
	}
}

// Two who look at one balance at the same time, each to take more than half of it,
// never both pass (threats, ReserveFirst).
func TestTwoBalanceChecksAtTheSameTimeNeverBothPass(t *testing.T) {
	names := []string{"payout", "refund", "settlement", "exchange"}
	onBothEngines(t, func(t *testing.T, p *pair) {
		for i, one := range names {
			for _, other := range names[i:] {
				for range 3 {
					do := [2]func(*app.App) error{takers[one](p), takers[other](p)}
					p.drain(10_000)
					errs := p.both(func(i int, a *app.App) error { return do[i](a) })
					if left := p.owed(); left < 0 || left > 5000 {
						t.Errorf("%s and %s: 100.00 became %d cents: %v", one, other, left, errs)
					}
					p.cancelNew()
				}
			}
		}
		p.verified()
	})
}

// cancelNew withdraws the payouts that were not funded.
func (p *pair) cancelNew() {
	p.t.Helper()
	var list []*payout.Payout
	p.check(p.store.View(p.ctx, func(tx *store.Tx) (err error) {
		list, err = tx.NewPayouts()
		return err
	}))
	for _, waits := range list {
		_, err := p.app.CancelPayout(p.ctx, waits.ID)
		p.check(err)
	}
}

// Two clients ask for the same payout at the same moment, say a person and a
// script: with a reference it is one payout, without one of the two is held.
func TestTheSamePayoutAskedForTwiceAtOnceIsOne(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *pair) {
		for round := range 12 {
			for _, reference := range []string{fmt.Sprint("salary ", round), ""} {
				var made [2]*payout.Payout
				errs := p.both(func(i int, a *app.App) (err error) {
					made[i], err = p.newPayout(a, fmt.Sprint("signature ", round, reference, i), "10", reference)
					return err
				})
				p.check(errors.Join(errs[0], errs[1]))
				if reference != "" && made[0].ID != made[1].ID {
					t.Errorf("round %d: two payouts with one reference", round)
				}
				if reference == "" && (made[0].State.Held == "") == (made[1].State.Held == "") {
					t.Errorf("round %d: held %q and %q", round, made[0].State.Held, made[1].State.Held)
				}
			}
			p.clock.forward(time.Hour)
		}
	})
}
