package watch

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// A payer floods an address with a thousand outputs that cost more to spend than
// they are worth: what leaves does not pay for them.
func TestAFloodOfDustIsNotSpentAtALoss(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	flood := make([]sandbox.Output, 500)
	for i := range flood {
		flood[i] = sandbox.Output{Address: inv.Terms.Options[0].Address, Amount: 400}
	}
	for range 2 {
		_, err := w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: flood})
		w.check(err)
	}
	w.pay(w.invoice(invoice.Medium), 1_000_000)
	w.mine(6)
	w.sync()
	w.chain.SetFeeRate(10_000)
	w.order("a", stranger, 500_000)
	w.check(w.app.Spend(w.ctx))
	a := w.only().Attempt()
	if fee, _ := a.Fee.Uint64(); len(a.Inputs) != 1 || fee > 2000 {
		t.Errorf("%d inputs cost %d satoshi", len(a.Inputs), fee)
	}
	w.settled()
	w.verified()
	w.solvent()
}

// estimating is a network whose fees cannot be told.
type estimating struct {
	chain.Sender
	err error
}

func (e *estimating) FeeRate(ctx context.Context, blocks int) (uint64, error) {
	if e.err != nil {
		return 0, e.err
	}
	return e.Sender.FeeRate(ctx, blocks)
}

// Where nothing is sent, no fee is asked for: periods close while the node is away.
func TestABookSettlementNeedsNoNode(t *testing.T) {
	w := newWorld(t)
	w.off()
	away := &estimating{Sender: w.chain}
	w.sender = away
	w.on()
	inv := w.sellTo("b@example.com")
	w.pay(inv, due)
	w.mine(6)
	w.sync()
	m, err := w.app.ChangeMerchant(w.ctx, w.shop.ID, func(m *merchant.Merchant) error { m.Settings.SettlementMinimum = 100; return nil })
	w.check(err)
	away.err = errors.New("the node is away")
	s, err := w.app.SettleNow(w.ctx, m, "USD")
	if err != nil || s == nil {
		t.Errorf("no settlement: %v", err)
	}
	w.verified()
}

// The fee quoted with a preview is what the buyer bears, although the network asks
// for ten times as much when it is sent; the difference is the shop's.
func TestAQuotedFeeHoldsWhenFeesRise(t *testing.T) {
	w := newWorld(t)
	inv := w.sellTo("b@example.com")
	w.pay(inv, due)
	w.pay(w.invoice(invoice.Medium), 500_000)
	w.mine(6)
	w.sync()
	r, err := w.app.CreateRefund(w.ctx, app.NewRefund{Merchant: w.shop, Token: w.token, Invoice: inv.ID, Amount: "10", BuyerPays: true, Preview: true})
	w.check(err)
	w.chain.SetFeeRate(50_000)
	_, err = w.app.ConfirmRefund(w.ctx, r.ID)
	w.check(err)
	_, err = w.app.ClaimRefund(w.ctx, r.ID, r.ClaimCode(1), stranger)
	w.check(err)
	w.check(w.app.Spend(w.ctx))
	w.settled()
	net, err := money.NewUnits(due).Sub(r.Terms.AssetFee)
	w.check(err)
	sat, _ := net.Uint64()
	if n := w.receipts(stranger, sat); n != 1 {
		t.Errorf("the buyer did not get %d satoshi", sat)
	}
	if paid := w.only().Attempt().Fee; paid.Cmp(r.Terms.AssetFee) <= 0 {
		t.Errorf("the network got %s for a quote of %s: the test shows nothing", paid, r.Terms.AssetFee)
	}
	w.verified()
	w.solvent()
}

// Something is booked between the end of a period and the moment when it is closed,
// which takes the network's fee: the period holds what it says.
func TestAPeriodThatIsClosedLateHoldsWhatItSays(t *testing.T) {
	w := newWorld(t)
	m, err := w.app.ChangeMerchant(w.ctx, w.shop.ID, func(m *merchant.Merchant) error {
		m.Settings.SettlementRail, m.Settings.SettlementAddress, m.Settings.SettlementMinimum = "wallet", elsewhere, 100
		return nil
	})
	w.check(err)
	sell := func() {
		inv := w.invoice(invoice.Medium)
		w.pay(inv, due)
		w.mine(6)
		w.sync()
	}
	sell()
	for range 3 {
		end := time.Date(2026, 3, w.clock.now().Day()+1, 9, 0, 10, 0, time.UTC)
		w.clock.forward(end.Sub(w.clock.now()))
		sell()
		w.check(w.app.Settle(w.ctx))
		w.check(w.app.Spend(w.ctx))
		w.settled()
		w.verified()
	}
	list, err := w.app.Settlements(w.ctx, store.SettlementFilter{Merchant: m.ID, Limit: 10})
	w.check(err)
	if len(list) != 3 {
		t.Errorf("%d periods were closed", len(list))
	}
}
