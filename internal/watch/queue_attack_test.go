package watch

import (
	"testing"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// owe has the books owe more than the wallet has, as after a deposit by bank.
func (w *world) owe(sat uint64) {
	w.t.Helper()
	w.check(w.store.Update(w.ctx, func(tx *store.Tx) error {
		e := ledger.New(ledger.Adjustment, "owe", w.shop.ID, w.clock.now()).Debit(ledger.Adjusted, "BTC", money.NewUnits(sat)).Credit(ledger.Unapplied, "BTC", money.NewUnits(sat))
		e.ID = "owe"
		return tx.Post(e)
	}))
}

// A payment that waits for funds, looked at every second for weeks, uses up none of
// the wallet's addresses for change: a signer takes those beyond a million for
// payments, and whoever restores the seed does not search that far.
func TestWaitingForFundsUsesUpNoChange(t *testing.T) {
	w := newWorld(t)
	w.pay(w.invoice(invoice.Medium), due)
	w.mine(6)
	w.sync()
	w.owe(5_000_000)
	w.order("a", stranger, 5_000_000)
	for range 20 {
		w.check(w.app.Spend(w.ctx))
		w.clock.forward(time.Second)
	}
	w.check(w.store.View(w.ctx, func(tx *store.Tx) error {
		wallets, err := tx.Wallets(w.shop.ID)
		if err != nil {
			return err
		}
		_, change, err := tx.WalletMarks(wallets[0].ID)
		if change != 0 {
			t.Errorf("%d addresses for change were used up", change)
		}
		return err
	}))
}

// A payment that cannot leave at present does not keep the ones behind it.
func TestAPaymentThatCannotLeaveDoesNotHoldUpOthers(t *testing.T) {
	for name, c := range map[string]struct {
		sat  uint64
		rate uint64 // satoshi per 1,000 virtual bytes
	}{
		"less than the network carries": {100, 2000},
		"more than the wallet has":      {6_000_000, 2000},
		"too many inputs for its fee":   {60 * due, 100_000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for range 70 {
				w.pay(w.invoice(invoice.Medium), due+5000)
			}
			for range 4 {
				w.pay(w.invoice(invoice.Medium), 1_000_000)
			}
			w.mine(6)
			w.sync()
			if c.rate > 10_000 {
				w.order("large", elsewhere, 3_950_000) // leaves the small coins
				w.check(w.app.Spend(w.ctx))
				w.settled()
			}
			w.chain.SetFeeRate(c.rate)
			w.owe(c.sat)
			w.order("a", stranger, c.sat)
			w.clock.forward(time.Second)
			w.order("b", stranger, 10_000)
			w.order("c", stranger, 11_000)
			w.check(w.app.Spend(w.ctx))
			w.settled()
			if a := w.orderState("a"); a.State != transfer.Queued || a.Problem == "" {
				t.Errorf("the first is %s: %q", a.State, a.Problem)
			}
			for _, id := range []string{"b", "c"} {
				if o := w.orderState(id); o.State != transfer.Done {
					t.Errorf("%s behind it is %s: %q", id, o.State, o.Problem)
				}
			}
			w.verified()
		})
	}
}
