package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// orderState reads where an order is.
func (w *world) orderState(id string) (o *transfer.Order) {
	w.t.Helper()
	w.check(w.store.View(w.ctx, func(tx *store.Tx) (err error) {
		o, err = tx.Order(id)
		return err
	}))
	return o
}

// settled lets what was sent be buried.
func (w *world) settled() {
	w.t.Helper()
	w.sync()
	w.mine(6)
	w.sync()
}

// One payment among many that the signer will never sign fails, and no other.
func TestOfARefusedBatchOnlyTheOffenderFails(t *testing.T) {
	for _, at := range []int{0, 4, 8} {
		w := newWorld(t)
		w.bound(hot.Policy{MaxPayment: 50_000})
		w.pay(w.invoice(invoice.Medium), 2_000_000)
		w.mine(6)
		w.sync()
		for i := range 9 {
			sat := uint64(10_000 + i)
			if i == at {
				sat = 60_000
			}
			w.order(fmt.Sprint("o", i), stranger, sat)
		}
		for range 3 {
			w.check(w.app.Spend(w.ctx))
			w.verified()
			w.settled()
		}
		for i := range 9 {
			want, n, sat := transfer.Done, 1, uint64(10_000+i)
			if i == at {
				want, n, sat = transfer.Failed, 0, 60_000
			}
			if o := w.orderState(fmt.Sprint("o", i)); o.State != want {
				t.Errorf("offender %d: order %d is %s: %s", at, i, o.State, o.Problem)
			}
			if got := w.receipts(stranger, sat); got != n {
				t.Errorf("offender %d: order %d arrived %d times", at, i, got)
			}
		}
		if n := len(w.transfers()); n > 12 {
			t.Errorf("%d transactions were tried to find one payment among nine", n)
		}
		w.verified()
		w.solvent()
	}
}

// Many small payments whose sum is above the day's limit leave as the days pass.
func TestABatchAboveTheDaysLimitLeavesInParts(t *testing.T) {
	w := newWorld(t)
	w.bound(hot.Policy{MaxDay: 45_000})
	w.pay(w.invoice(invoice.Medium), 2_000_000)
	w.mine(6)
	w.sync()
	for i := range 8 {
		w.order(fmt.Sprint("o", i), stranger, uint64(10_000+i))
	}
	for range 4 {
		w.check(w.app.Spend(w.ctx))
		w.settled()
		w.verified()
		w.clock.forward(25 * time.Hour)
	}
	for i := range 8 {
		if n := w.receipts(stranger, uint64(10_000+i)); n != 1 {
			t.Errorf("order %d arrived %d times", i, n)
		}
	}
	w.solvent()
}

// A backup from the time when a batch was planned that was refused later: its
// payments left in other transactions, and do not leave in the old one as well.
func TestABackupDoesNotBringARefusedBatchBack(t *testing.T) {
	for _, step := range []string{"sign/before", "sign/after", "plan/before"} {
		t.Run(step, func(t *testing.T) {
			d := newDrill(t, 1)
			d.bound(hot.Policy{MaxPayment: 18_000})
			for range 5 {
				d.payout()
			}
			d.check(d.app.FundPayouts(d.ctx))
			d.step = func(at string) error {
				if at == step {
					return errCrash
				}
				return nil
			}
			_ = d.app.Spend(d.ctx)
			d.step = nil
			d.copyAway()
			d.finish()
			paid := len(d.arrived())
			if refused := 5 - paid; paid == 0 || refused == 0 {
				t.Fatalf("%d of 5 payouts arrived: the drill shows nothing", paid)
			}
			d.bound(hot.Policy{})
			d.putBack(d.copies[0])
			_, err := d.app.Reconcile(d.ctx)
			d.check(err)
			d.verified()
			d.check(d.app.Unlock(d.ctx, "restored"))
			d.finish()
			for address, n := range d.arrived() {
				if n != 1 {
					t.Errorf("%s was paid %d times", address, n)
				}
			}
			d.verified()
			d.solvent()
		})
	}
}

// The merchant spends a coin with a wallet of its own while a payment that was
// planned with it waits, and then the signer refuses: the withdrawal is booked.
func TestARefusedPaymentLetsGoOfACoinThatTheMerchantSpent(t *testing.T) {
	w := newWorld(t)
	w.bound(hot.Policy{Delay: time.Hour})
	w.pay(w.invoice(invoice.Medium), due+50_000)
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.check(w.app.Spend(w.ctx))
	w.withdraw(coldSigner{t, w.seed, txscript.SigHashAll}, w.only())
	w.settled()
	w.bound(hot.Policy{MaxPayment: 1000})
	w.clock.forward(2 * time.Hour)
	w.check(w.app.Spend(w.ctx))
	if got := w.only(); got.State != transfer.Dropped {
		t.Fatalf("the transfer is %s: %s", got.State, got.Problem)
	}
	w.mine(1)
	w.sync()
	w.verified()
	if got := w.balances()["settled BTC"]; got != "70000" {
		t.Errorf("%s satoshi were taken out by the merchant, not 70000", got)
	}
}
