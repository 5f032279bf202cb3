package watch

import (
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/settlement"
)

// A server ends just after it has handed its payments to the network, or knows them
// confirmed, and is away while blocks come or go: a payout, a refund and a settlement
// end where they would have, had it been there.
func TestPaymentsThatMoveWhileTheServerIsAwayAreFollowed(t *testing.T) {
	p := newPair(t, "")
	p.settings(func(s *merchant.Settings) {
		s.SettlementRail, s.SettlementAddress, s.SettlementMinimum = string(settlement.Wallet), elsewhere, 100
	})
	inv := p.sell()
	made, err := p.newPayout(p.app, "s", "10", "x")
	p.check(err)
	r, err := p.app.CreateRefund(p.ctx, app.NewRefund{Merchant: p.shop, Token: p.token, Invoice: inv.ID, Amount: "20", BuyerPays: true})
	p.check(err)
	_, err = p.app.ClaimRefund(p.ctx, r.ID, r.ClaimCode(1), stranger)
	p.check(err)
	p.check(p.app.FundPayouts(p.ctx))
	s, err := p.app.SettleNow(p.ctx, p.shop, "USD")
	p.check(err)
	is := func(want payout.Status, refunded refund.Status, settled settlement.Status) {
		t.Helper()
		got1, err1 := p.app.Payout(p.ctx, "", made.ID)
		got2, err2 := p.app.Refund(p.ctx, r.ID)
		got3, err3 := p.app.Settlement(p.ctx, "", s.ID)
		p.check(err1)
		p.check(err2)
		p.check(err3)
		if got1.Status != want || got2.Status != refunded || got3.Status != settled {
			t.Errorf("the payout is %s, the refund %s, the settlement %s", got1.Status, got2.Status, got3.Status)
		}
	}
	p.step = func(at string) error {
		if at == "sent/before" {
			return errCrash
		}
		return nil
	}
	_ = p.app.Spend(p.ctx)
	p.step = nil
	is(payout.Funded, refund.Created, settlement.New)
	p.mine(8)
	p.off()
	p.on()
	is(payout.Complete, refund.Success, settlement.Completed)
	p.verified()
	p.reorg(8, sandbox.ReorgOptions{Unmined: true})
	p.off()
	p.on()
	is(payout.Processing, refund.Pending, settlement.Processing)
	p.mine(6)
	p.sync()
	is(payout.Complete, refund.Success, settlement.Completed)
	p.verified()
	p.solvent()
}
