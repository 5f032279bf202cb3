package watch

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/internal/transfer"
)

// hoard pays n invoices, six blocks deep: as many coins of 20,000 satoshi.
func (w *world) hoard(n int) {
	w.t.Helper()
	for range n {
		w.pay(w.invoice(invoice.Medium), due)
	}
	w.mine(6)
	w.sync()
}

func (w *world) walletID() string {
	w.t.Helper()
	list, err := w.app.Wallets(w.ctx, w.shop.ID)
	w.check(err)
	return list[0].ID
}

// free are the amounts of the coins that can be spent.
func (w *world) free() (list []string) {
	w.t.Helper()
	w.check(w.store.View(w.ctx, func(tx *store.Tx) error {
		coins, err := tx.SpendableCoins(w.walletID())
		for _, c := range coins {
			if c.State != store.CoinGone {
				list = append(list, c.Amount.String())
			}
		}
		return err
	}))
	return list
}

func (w *world) spent() money.Delta {
	w.t.Helper()
	var paid money.Delta
	w.check(w.store.View(w.ctx, func(tx *store.Tx) (err error) {
		paid, err = tx.Balance(w.shop.ID, ledger.NetworkPaid, "BTC")
		return err
	}))
	return paid
}

// Many coins become one while the network is cheap, and not while it is not; the cost
// is an expense and the books hold.
func TestManyCoinsBecomeOneWhileTheNetworkIsCheap(t *testing.T) {
	for name, db := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": pgtest.Open} {
		t.Run(name, func(t *testing.T) { consolidates(t, newWorldOn(t, db(t))) })
	}
}

func consolidates(t *testing.T, w *world) {
	for range 2 { // too much by 25,000 each, which the order below pays out
		w.pay(w.invoice(invoice.Medium), due+25_000)
	}
	w.hoard(10)
	w.chain.SetFeeRate(9_000)
	ask := func(c app.Consolidation) *app.Consolidated {
		t.Helper()
		got, err := w.app.Consolidate(w.ctx, w.walletID(), c)
		w.check(err)
		return got
	}
	refused := func(c app.Consolidation, why string) {
		t.Helper()
		if got := ask(c); !strings.Contains(got.Why, why) || got.Transfer != "" || len(w.transfers()) > 0 {
			t.Errorf("want %q, got %+v", why, got)
		}
	}
	refused(app.Consolidation{MaxFeeRate: 8_500, AtLeast: 2}, "asks for 9 satoshi per virtual byte now, and 8.500 is the most")
	w.chain.SetFeeRate(1_500)
	refused(app.Consolidation{MaxFeeRate: 2_000, AtLeast: 12}, "11 coins could be joined, and fewer than 12")
	if got := ask(app.Consolidation{MaxFeeRate: 2_000, AtLeast: 10, DryRun: true}); got.Coins != 11 || got.Transfer != "" || got.Amount.String() != "245000" || got.Fee.IsZero() {
		t.Errorf("a dry run found %+v", got)
	}
	got := ask(app.Consolidation{MaxFeeRate: 2_000, AtLeast: 10})
	tr := w.only()
	if got.Coins != 11 || got.Transfer != tr.ID || tr.State != transfer.Sent || !tr.Joins || tr.Lifts() || len(tr.Attempts[0].Outputs) != 1 || tr.Attempts[0].ChangeIndex != 0 {
		t.Fatalf("it came to %+v: %+v", got, tr)
	}
	w.verified()
	w.sync()
	// What was joined pays before it is mined.
	w.order("a", stranger, 45_000)
	w.check(w.app.Spend(w.ctx))
	w.sync()
	w.mine(6)
	w.sync()
	for _, tr := range w.transfers() {
		if tr.State != transfer.Confirmed {
			t.Errorf("transfer %s is %s: %s", tr.ID, tr.State, tr.Problem)
		}
	}
	if n := w.free(); len(n) != 2 {
		t.Errorf("coins of %v are left", n)
	}
	var fees money.Delta
	for _, tr := range w.transfers() {
		fees, _ = fees.Add(tr.Attempt().Fee.Delta())
	}
	if w.spent().Cmp(fees) != 0 {
		t.Errorf("%s are booked as paid to the network, %s were", w.spent(), fees)
	}
	w.verified()
	w.solvent()
}

// Wherever the server stops, there is one transaction in the end, or none was begun.
func TestAConsolidationThatIsCutOffIsMadeGood(t *testing.T) {
	for _, step := range []string{"sign/before", "sign/after", "signed/before", "signed/after", "send/before", "send/after", "sent/before", "sent/after"} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			w.hoard(4)
			w.step = func(name string) error {
				if name == step {
					return errCrash
				}
				return nil
			}
			if _, err := w.app.Consolidate(w.ctx, w.walletID(), app.Consolidation{MaxFeeRate: 5_000, AtLeast: 3}); !errors.Is(err, errCrash) {
				t.Fatalf("it did not stop at %s: %v", step, err)
			}
			w.step = nil
			w.off()
			w.clock.forward(2 * time.Minute)
			w.on()
			w.check(w.app.Spend(w.ctx))
			w.sync()
			w.mine(6)
			w.sync()
			if tr := w.only(); tr.State != transfer.Confirmed || len(tr.Attempts) != 1 {
				t.Errorf("it is %s after %d attempts: %s", tr.State, len(tr.Attempts), tr.Problem)
			}
			if n := w.free(); len(n) != 2 {
				t.Errorf("coins of %v are left", n)
			}
			w.verified()
			w.solvent()
		})
	}
}

// The owner of a watch-only wallet spends one of the coins with a wallet of their own:
// once that is buried, the others are free again and the books hold.
func TestAConsolidationWhoseCoinIsSpentElsewhereFreesTheOthers(t *testing.T) {
	w := newWorld(t)
	cold := w.watchOnly()
	w.hoard(4)
	join := func() *transfer.Transfer {
		t.Helper()
		got, err := w.app.Consolidate(w.ctx, w.walletID(), app.Consolidation{MaxFeeRate: 5_000, AtLeast: 3})
		w.check(err)
		tr, err := w.app.Transfer(w.ctx, got.Transfer)
		w.check(err)
		return tr
	}
	// As long as nobody can have signed it, it can be taken back.
	w.check(w.app.DropTransfer(w.ctx, join().ID))
	if n := w.free(); len(n) != 4 {
		t.Fatalf("coins of %v are free", n)
	}
	tr := join()
	packet, err := w.app.ExportPacket(w.ctx, tr.ID)
	w.check(err)
	if err := w.app.DropTransfer(w.ctx, tr.ID); err == nil || !strings.Contains(err.Error(), "may exist") {
		t.Errorf("what was exported was dropped: %v", err)
	}
	_, err = w.app.ImportPacket(w.ctx, cold.sign(packet, -1))
	w.check(err)
	w.sync()
	// One of the three coins leaves: its packet has all three inputs, so take one.
	one := *tr
	one.Attempts = []transfer.Attempt{tr.Attempts[0]}
	one.Attempts[0].Packet = firstInput(t, packet)
	w.withdraw(coldSigner{t, w.seed, txscript.SigHashAll}, &one)
	w.mine(2)
	w.sync()
	w.verified()
	if n := w.free(); len(n) != 1 {
		t.Errorf("two blocks deep, coins of %v are free", n)
	}
	w.mine(transfer.BuriedDepth)
	w.sync()
	got, err := w.app.Transfer(w.ctx, tr.ID)
	w.check(err)
	if n := w.free(); len(n) != 3 || got.State != transfer.Lost || !got.Settled {
		t.Errorf("it is %s, settled %v; coins of %v are free", got.State, got.Settled, n)
	}
	w.verified()
	w.solvent()
}

// firstInput is a packet with the first input of another.
func firstInput(t *testing.T, packet []byte) []byte {
	t.Helper()
	p, err := psbt.NewFromRawBytes(bytes.NewReader(packet), false)
	if err != nil {
		t.Fatal(err)
	}
	p.UnsignedTx.TxIn, p.Inputs = p.UnsignedTx.TxIn[:1], p.Inputs[:1]
	var out bytes.Buffer
	if err := p.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
