package watch

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// ordersFor counts the payments that a resource has led to.
func (p *pair) ordersFor(resource string) (n int) {
	p.t.Helper()
	p.check(p.store.View(p.ctx, func(tx *store.Tx) error {
		list, err := tx.OrdersOf(resource)
		n = len(list)
		return err
	}))
	return n
}

// Two browsers with the same link confirm different addresses at the same moment:
// one of them counts, and the other is told.
func TestOneOfTwoClaimsCounts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *pair) {
		for range 4 {
			inv := p.sell()
			r, err := p.app.CreateRefund(p.ctx, app.NewRefund{Merchant: p.shop, Token: p.token, Invoice: inv.ID, Amount: "50", BuyerPays: true})
			p.check(err)
			errs := p.both(func(i int, a *app.App) error {
				_, err := a.ClaimRefund(p.ctx, r.ID, r.ClaimCode(r.State.Claims), []string{stranger, elsewhere}[i])
				return err
			})
			if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[0], errs[1]), fault.RefundInvalid) {
				t.Errorf("two claims at once: %v", errs)
			}
			p.check(errors.Join(p.app.PayRefunds(p.ctx), p.apps[1].PayRefunds(p.ctx)))
			if n := p.ordersFor(r.ID); n != 1 {
				t.Errorf("%d payments of one refund", n)
			}
			got, err := p.app.Refund(p.ctx, r.ID)
			p.check(err)
			if won := map[bool]string{true: stranger, false: elsewhere}[errs[0] == nil]; got.State.Address != won {
				t.Errorf("it goes to %s, and %s was confirmed", got.State.Address, won)
			}
		}
		p.check(p.app.Spend(p.ctx))
		p.settled()
		p.verified()
	})
}

// Whoever is first, a payout is either cancelled or funded, and funded once.
func TestAPayoutIsCancelledOrFunded(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *pair) {
		p.sell()
		p.sell()
		for i := range 8 {
			made, err := p.newPayout(p.app, fmt.Sprint("s", i), "10", fmt.Sprint("payout ", i))
			p.check(err)
			errs := p.both(func(i int, a *app.App) error {
				if i == 0 {
					return a.FundPayouts(p.ctx)
				}
				_, err := a.CancelPayout(p.ctx, made.ID)
				return err
			})
			p.check(errs[0])
			got, err := p.app.Payout(p.ctx, "", made.ID)
			p.check(err)
			want := map[bool]payout.Status{true: payout.Cancelled, false: payout.Funded}[errs[1] == nil]
			if orders := p.ordersFor(made.ID); got.Status != want || (orders == 1) != (want == payout.Funded) {
				t.Errorf("it is %s with %d payments; cancelled: %v", got.Status, orders, errs[1])
			}
			p.verified()
		}
	})
}

// Two funding runs, two clocks of the settlements and two spenders at the same
// moment do everything once.
func TestTwoServersDoEverythingOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *pair) {
		p.settings(func(s *merchant.Settings) {
			s.SettlementRail, s.SettlementAddress, s.SettlementMinimum = string(settlement.Wallet), elsewhere, 100
		})
		for i := range 4 {
			p.sell()
			var ids []string
			for j := range 3 {
				made, err := p.newPayout(p.app, fmt.Sprint("s", i, j), "7", fmt.Sprint("payout ", i, j))
				p.check(err)
				ids = append(ids, made.ID)
			}
			both := p.both(func(_ int, a *app.App) error { return a.FundPayouts(p.ctx) })
			p.check(errors.Join(both[0], both[1]))
			for _, id := range ids {
				if n := p.ordersFor(id); n != 1 {
					t.Errorf("%d payments of one payout", n)
				}
			}
			p.clock.forward(24 * 3600e9)
			both = p.both(func(_ int, a *app.App) error { return a.Settle(p.ctx) })
			p.check(errors.Join(both[0], both[1]))
			both = p.both(func(_ int, a *app.App) error { return a.Spend(p.ctx) })
			p.check(errors.Join(both[0], both[1]))
			p.settled()
			p.verified()
		}
		for i, n := range map[string]int{stranger: 12} {
			var got int
			for _, tr := range p.transfers() {
				if tr.State != transfer.Confirmed {
					t.Errorf("transfer %s is %s: %s", tr.ID, tr.State, tr.Problem)
				}
				for _, m := range tr.Members {
					if to, _ := p.app.Assets[0].Spending.AddressOf(m.To); to == i {
						got++
					}
				}
			}
			if got != n {
				t.Errorf("%d payments to %s, not %d", got, i, n)
			}
		}
	})
}

// Releasing a payout and cancelling it at the same moment do not both succeed, and
// one person who releases twice at the same moment is one person.
func TestAHeldPayoutIsReleasedOrCancelledAndByTwoPeople(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *pair) {
		p.settings(func(s *merchant.Settings) { s.PayoutApproveAbove = 100 })
		p.sell()
		key, err := p.app.AddApprover(p.ctx, p.shop.ID, "Ann")
		p.check(err)
		for i := range 6 {
			made, err := p.newPayout(p.app, fmt.Sprint("s", i), "10", fmt.Sprint("payout ", i))
			p.check(err)
			errs := p.both(func(_ int, a *app.App) error { _, err := a.ReleasePayout(p.ctx, made.ID, key); return err })
			got, err := p.app.Payout(p.ctx, "", made.ID)
			p.check(err)
			if got.State.Held == "" || len(got.State.Released) != 1 || (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("one person released it twice: %+v, %v", got.State, errs)
			}
		}
	})
}

// Within one process the lease is nobody's in particular: the spender's round, a
// person who raises a fee and one who exports the packet do not pay twice together.
func TestOneProcessThatSpendsInSeveralPlacesPaysOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *pair) {
		for range 4 {
			p.world.pay(p.invoice(invoice.Medium), 500_000)
		}
		p.mine(6)
		p.sync()
		for round := range 8 {
			sat := uint64(20_000 + round)
			p.order(fmt.Sprint("o", round), stranger, sat)
			var group sync.WaitGroup
			for i, do := range []func() error{
				func() error { return p.app.Spend(p.ctx) }, func() error { return p.app.Spend(p.ctx) }, func() error { return p.apps[1].Spend(p.ctx) },
				func() error { return p.meddle(p.app, uint64(9000+1000*round)) }, func() error { return p.meddle(p.apps[1], uint64(12_000+1000*round)) },
			} {
				group.Go(func() {
					if err := do(); i < 3 && err != nil && !errors.Is(err, store.ErrFenced) {
						t.Logf("spend: %v", err)
					}
				})
			}
			group.Wait()
			for range 3 {
				p.clock.forward(11 * 60e9)
				p.check(p.app.Spend(p.ctx))
				p.settled()
			}
			if n := p.receipts(stranger, sat); n != 1 {
				t.Errorf("round %d: paid %d times", round, n)
			}
			p.verified()
			p.solvent()
		}
	})
}

// meddle exports the packet of the newest transfer and raises its fee, as far as
// that is possible at the moment.
func (p *pair) meddle(a *app.App, rate uint64) error {
	list, err := a.Transfers(p.ctx, "", 1)
	if err != nil || len(list) == 0 {
		return err
	}
	_, err1 := a.ExportPacket(p.ctx, list[0].ID)
	return errors.Join(err1, a.BumpTransfer(p.ctx, list[0].ID, rate))
}
