package watch

import (
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
)

// Every unspent coin is listed with what it came from, and carries the name that an
// operator gives it.
func TestEveryCoinIsListedWithWhatItCameFrom(t *testing.T) {
	for name, db := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": pgtest.Open} {
		t.Run(name, func(t *testing.T) { listsCoins(t, newWorldOn(t, db(t))) })
	}
}

func listsCoins(t *testing.T, w *world) {
	for range 2 {
		w.pay(w.invoice(invoice.Medium), due+20_000)
	}
	deposit, err := w.app.DepositAddress(w.ctx, w.shop, "BTC")
	w.check(err)
	_, err = w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: deposit, Amount: 70_000}}})
	w.check(err)
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.check(w.app.Spend(w.ctx))
	waits := w.invoice(invoice.Medium)
	w.pay(waits, due)
	w.sync()
	list := w.coins()
	if len(list) != 4 {
		t.Fatalf("%d coins: %+v", len(list), list)
	}
	seen := map[app.CoinSource]app.Coin{}
	for _, c := range list {
		if c.Depth == 0 && c.Source == app.FromInvoice {
			if c.Invoice != waits.ID || c.In || c.Address != waits.Terms.Options[0].Address {
				t.Errorf("what waits is %+v", c)
			}
			continue
		}
		seen[c.Source] = c
	}
	if c := seen[app.FromInvoice]; c.Depth != 6 || c.Amount.String() != "40000" || c.Path.Change {
		t.Errorf("the invoice's: %+v", c)
	}
	if c := seen[app.FromDeposit]; c.Depth != 6 || c.Address != deposit || !c.In {
		t.Errorf("the deposit: %+v", c)
	}
	change := seen[app.FromChange]
	if change.Depth != 0 || !change.Path.Change || !change.In || change.Txid != w.only().Attempts[0].Txid {
		t.Errorf("the change: %+v", change)
	}
	w.labels(change)
	// What is taken by a transaction that waits to be signed is said to be.
	w.signer = nil
	got, err := w.app.Consolidate(w.ctx, w.walletID(), app.Consolidation{MaxFeeRate: 5_000, AtLeast: 1})
	w.check(err)
	if got.Why == "" {
		t.Fatalf("one coin was joined: %+v", got)
	}
	w.mine(1)
	w.sync()
	got, err = w.app.Consolidate(w.ctx, w.walletID(), app.Consolidation{MaxFeeRate: 5_000, AtLeast: 2})
	w.check(err)
	reserved := 0
	for _, c := range w.coins() {
		if c.Reserved == got.Transfer {
			reserved++
		}
	}
	if got.Coins != 2 || reserved != 2 {
		t.Errorf("%d coins are reserved: %+v", reserved, got)
	}
	w.verified()
}

func (w *world) coins() []app.Coin {
	w.t.Helper()
	wallets, err := w.app.Wallets(w.ctx, w.shop.ID)
	w.check(err)
	list, err := w.app.Coins(w.ctx, wallets[0])
	w.check(err)
	return list
}

// labels gives a coin a name, changes it and takes it away.
func (w *world) labels(c app.Coin) {
	w.t.Helper()
	asset, _ := w.app.Asset("BTC")
	label := func(o chain.Outpoint, text string) error { return w.app.LabelCoin(w.ctx, asset, o, text) }
	called := func() string {
		w.t.Helper()
		for _, k := range w.coins() {
			if k.Outpoint == c.Outpoint {
				return k.Label
			}
		}
		w.t.Fatal("the coin is gone")
		return ""
	}
	for _, text := range []string{"rent", "Miete für März"} {
		w.check(label(c.Outpoint, " "+text+" "))
		if called() != text {
			w.t.Errorf("it is called %q", called())
		}
	}
	for text, o := range map[string]chain.Outpoint{"a": {Txid: strings.Repeat("ab", 32)}, "two\nlines": c.Outpoint, strings.Repeat("a", 256): c.Outpoint, "\xff": c.Outpoint} {
		if err := label(o, text); err == nil {
			w.t.Errorf("%q was taken as the label of %v", text, o)
		}
	}
	w.check(label(c.Outpoint, ""))
	if called() != "" {
		w.t.Errorf("it is still called %q", called())
	}
}

// A merchant that wants it has its hot wallet's coins joined by the server itself, once
// there are many; a watch-only wallet's are left alone.
func TestAHotWalletIsConsolidatedByItselfWhereTheMerchantWantsIt(t *testing.T) {
	w := newWorld(t)
	w.hoard(52)
	w.chain.SetFeeRate(1_000)
	joins := func(want int) {
		t.Helper()
		w.check(w.app.ConsolidateCheap(w.ctx))
		if n := len(w.transfers()); n != want {
			t.Errorf("%d transfers, not %d", n, want)
		}
	}
	joins(0)
	w.setConsolidate(1_000)
	joins(0) // its keys are elsewhere, as far as the database knows
	w.tamper(`UPDATE wallet SET sealed_seed = '00'`)
	w.check(w.app.Lock(w.ctx, "operator", "test"))
	joins(0)
	w.check(w.app.Unlock(w.ctx, "operator"))
	joins(1)
	joins(1)
	w.sync()
	w.mine(6)
	w.sync()
	if tr := w.only(); tr.State != "confirmed" || len(tr.Attempts[0].Inputs) != 51 {
		t.Errorf("it is %s with %d inputs", tr.State, len(tr.Attempts[0].Inputs))
	}
	w.verified()
	w.solvent()
}

func (w *world) setConsolidate(rate int64) {
	w.t.Helper()
	w.shop.Settings.ConsolidateBelow = rate
	w.check(w.store.Update(w.ctx, func(tx *store.Tx) error { return tx.SetMerchant(w.shop) }))
}
