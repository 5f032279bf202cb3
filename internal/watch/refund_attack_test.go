package watch

import (
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// sellTo makes an invoice of 10 USD to somebody who can be reached.
func (w *world) sellTo(email string) *invoice.Invoice {
	w.t.Helper()
	inv, err := w.app.CreateInvoice(w.ctx, app.NewInvoice{
		Merchant: w.shop, Token: w.token, Price: "10", Order: invoice.Order{Currency: "USD", Speed: invoice.Medium, Buyer: &invoice.Buyer{Email: email}},
	})
	w.check(err)
	return inv
}

// refundOf is the only refund of an invoice, as it is now.
func (w *world) refundOf(inv *invoice.Invoice) *refund.Refund {
	w.t.Helper()
	list, err := w.app.RefundsOf(w.ctx, inv.ID)
	w.check(err)
	if len(list) != 1 {
		w.t.Fatalf("%d refunds", len(list))
	}
	return list[0]
}

// A payer pays an invoice twice, and takes the second payment back in a deep
// reorganisation before claiming what was too much: it is not paid out of what
// others have sent.
func TestAnOverpaymentThatIsGoneIsNotGivenBack(t *testing.T) {
	w := newWorld(t)
	for range 4 { // buyers whose money nobody decided about
		w.pay(w.invoice(invoice.Medium), due/2)
	}
	inv := w.sellTo("b@example.com")
	w.pay(inv, due)
	w.mine(6)
	twice := w.pay(inv, due)
	w.mine(6)
	w.sync()
	w.check(w.app.DecideUnapplied(w.ctx))
	over := w.refundOf(inv)
	if over.Terms.Reason != refund.Over {
		t.Fatalf("the refund is for %s", over.Terms.Reason)
	}
	w.reorg(6, sandbox.ReorgOptions{Unmined: true})
	_, _, err := w.chain.ConflictInBlock(w.ctx, twice, sandbox.ReplaceOptions{})
	w.check(err)
	w.mine(6)
	w.sync()
	_, err = w.app.ClaimRefund(w.ctx, over.ID, over.ClaimCode(over.State.Claims), stranger)
	w.check(err)
	w.check(w.app.PayRefunds(w.ctx))
	w.check(w.app.Spend(w.ctx))
	if n := len(w.transfers()); n != 0 {
		t.Errorf("%d transactions pay back what is not there", n)
	}
	if got := w.refundOf(inv); got.Status != refund.Created || got.State.Problem == "" {
		t.Errorf("the refund is %s: %q", got.Status, got.State.Problem)
	}
	w.verified()
}

// Several late payments, one after the other, are each credited by the policy.
func TestEachLatePaymentIsCredited(t *testing.T) {
	w := newWorld(t)
	_, err := w.app.ChangeMerchant(w.ctx, w.shop.ID, func(m *merchant.Merchant) error {
		m.Settings.OnLate, m.Settings.OnUnder = merchant.ToCredit, merchant.ToCredit
		return nil
	})
	w.check(err)
	inv := w.sellTo("b@example.com")
	w.clock.forward(inv.Expires.Sub(w.clock.now()) + 1)
	w.sync()
	for range 4 {
		w.clock.forward(1e9)
		w.pay(inv, 3000)
		w.mine(6)
		w.sync()
		w.check(w.app.DecideUnapplied(w.ctx))
		w.verified()
	}
	if got := w.balances()["unapplied BTC"]; got != "" {
		t.Errorf("%s satoshi were applied to nothing", got)
	}
	if got := w.balances()["merchant USD"]; got != "-600" {
		t.Errorf("the ledger has %s cents, not 600", got)
	}
}

// Buyers who never claim, and shops that cannot pay, do not keep others from theirs:
// what is looked at is what somebody waits for.
func TestUnclaimedRefundsStandInNobodysWay(t *testing.T) {
	w := newWorld(t)
	var claimed string
	for i := range 4 {
		inv := w.sellTo("b@example.com")
		w.pay(inv, due)
		w.mine(6)
		w.sync()
		r, err := w.app.CreateRefund(w.ctx, app.NewRefund{Merchant: w.shop, Token: w.token, Invoice: inv.ID, Amount: "10", BuyerPays: true, Reference: `"address":"x"`})
		w.check(err)
		if i < 3 {
			continue
		}
		claimed = r.ID
		w.check(w.store.Update(w.ctx, func(tx *store.Tx) error {
			r, err := tx.Refund(r.ID)
			if err != nil {
				return err
			}
			r.State.Address, r.State.Problem = stranger, `"order":"x"`
			r.State.To, err = w.app.CheckDestination("BTC", stranger)
			if err != nil {
				return err
			}
			return tx.SetRefund(r)
		}))
	}
	var ids []string
	look := func() {
		w.check(w.store.View(w.ctx, func(tx *store.Tx) (err error) { ids, err = tx.RefundsDue(); return err }))
	}
	if look(); len(ids) != 1 || ids[0] != claimed {
		t.Errorf("due are %v, and %s was claimed", ids, claimed)
	}
	w.check(w.app.PayRefunds(w.ctx))
	if look(); len(ids) != 0 {
		t.Errorf("due are %v, and all is under way", ids)
	}
}
