package watch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/chain/bitcoin/sweep"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
)

// swept signs the sweep of an old seed to a new address of the shop's wallet.
func (w *world) swept() *store.Sweep {
	w.t.Helper()
	old, err := sweep.Open(strings.Repeat("abandon ", 11)+"about", "", 1, bitcoin.Regtest)
	w.check(err)
	coins, err := old.Coins(w.ctx, sweep.On(nil, w.chain, 0, sweep.Gap))
	w.check(err)
	w.check(w.app.CheckSweep(w.ctx, "BTC", sweep.Outpoints(coins)))
	to, err := w.app.DepositAddress(w.ctx, w.shop, "BTC")
	w.check(err)
	script, err := bitcoin.AddressScript(to, bitcoin.Regtest)
	w.check(err)
	tx, err := old.Build(coins, script, 2_000)
	w.check(err)
	return &store.Sweep{Chain: "BTC", Txid: tx.ID, Merchant: w.shop.ID, Wallet: w.walletID(), Address: to, Amount: tx.Amount, Fee: tx.Fee, Inputs: int64(len(tx.Inputs)), Raw: tx.Raw}
}

// oldCoins pays the old seed on two kinds of address.
func (w *world) oldCoins() {
	w.t.Helper()
	seed, err := bitcoin.SeedFromMnemonic(strings.Repeat("abandon ", 11)+"about", "")
	w.check(err)
	for _, kind := range []bitcoin.Kind{bitcoin.BIP44, bitcoin.BIP84} {
		a, err := bitcoin.AccountFromSeed(seed, kind, bitcoin.Regtest, 0)
		w.check(err)
		addr, _, err := a.Address(4)
		w.check(err)
		_, err = w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: addr, Amount: 100_000}}})
		w.check(err)
	}
	w.mine(1)
	w.sync()
}

func (w *world) sweepIs(txid string, want store.SweepState) *store.Sweep {
	w.t.Helper()
	var s *store.Sweep
	w.check(w.store.View(w.ctx, func(tx *store.Tx) (err error) {
		s, err = tx.Sweep("BTC", txid)
		return err
	}))
	if s.State != want {
		w.t.Errorf("the sweep is %s, not %s: %s", s.State, want, s.Problem)
	}
	return s
}

// What an old wallet held arrives as a deposit, wherever the server stops in between.
func TestAnOldWalletIsSweptOnceWhereverTheServerStops(t *testing.T) {
	for name, db := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": pgtest.Open} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, db(t))
			w.oldCoins()
			s := w.swept()
			w.check(w.app.KeepSweep(w.ctx, s))
			for _, step := range []string{"sweep/kept", "sweep/sent", ""} {
				w.step = func(name string) error {
					if name == step {
						return errCrash
					}
					return nil
				}
				if err := w.app.SendSweeps(w.ctx); step != "" && !errors.Is(err, errCrash) || step == "" && err != nil {
					t.Fatalf("at %s: %v", step, err)
				}
				w.off()
				w.on()
			}
			w.step = nil
			w.sweepIs(s.Txid, store.SweepSent)
			w.mine(1)
			w.sync()
			w.verified()
			w.mine(5)
			w.sync()
			w.clock.forward(time.Hour)
			w.check(w.app.SendSweeps(w.ctx))
			w.sweepIs(s.Txid, store.SweepMined)
			list := w.coins()
			if len(list) != 1 || list[0].Source != app.FromDeposit || list[0].Amount.Cmp(s.Amount) != 0 || !list[0].In || list[0].Label != "swept from an old wallet" {
				t.Errorf("what arrived is %+v", list)
			}
			w.verified()
			w.solvent()
			// The money can leave again.
			w.check(w.app.CheckSweep(w.ctx, "BTC", nil))
		})
	}
}

// A sweep that the network refuses, because its coins went elsewhere, is given up; and
// a wallet of ours is no old wallet.
func TestASweepWhoseCoinsWentElsewhereIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.oldCoins()
	first, second := w.swept(), w.swept()
	for _, s := range []*store.Sweep{first, second} {
		w.check(w.app.KeepSweep(w.ctx, s))
	}
	w.check(w.app.SendSweep(w.ctx, first))
	w.check(w.app.SendSweep(w.ctx, second))
	w.sweepIs(first.Txid, store.SweepSent)
	if s := w.sweepIs(second.Txid, store.SweepRefused); !strings.Contains(s.Problem, "the network refused it") {
		t.Errorf("the reason is %q", s.Problem)
	}
	w.pay(w.invoice(invoice.Medium), due)
	w.mine(6)
	w.sync()
	if n := w.free(); len(n) != 2 {
		t.Errorf("coins of %v", n)
	}
	for _, c := range w.coins() {
		if err := w.app.CheckSweep(w.ctx, "BTC", []chain.Outpoint{c.Outpoint}); err == nil || !strings.Contains(err.Error(), "in the books already") {
			t.Errorf("a coin of ours may be swept: %v", err)
		}
	}
	w.verified()
	w.solvent()
}
