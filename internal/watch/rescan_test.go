package watch

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// payAhead pays an address before the server has made it, and returns the invoice that
// is then given that address.
func (w *world) payAhead(blocks int) *invoice.Invoice {
	w.t.Helper()
	last := w.invoice(invoice.Medium).Terms.Options[0].Index
	wallets, err := w.app.Wallets(w.ctx, w.shop.ID)
	w.check(err)
	asset, _ := w.app.Asset("BTC")
	address, _, err := asset.Keys.Address(wallets[0].XPub, wallets[0].Kind, last+1)
	w.check(err)
	_, err = w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: address, Amount: due}}})
	w.check(err)
	w.mine(blocks)
	w.sync()
	inv := w.invoice(invoice.Medium)
	if inv.Terms.Options[0].Address != address {
		w.t.Fatalf("the invoice has %s, not %s", inv.Terms.Options[0].Address, address)
	}
	w.sync()
	w.is(inv, invoice.New, 0)
	return inv
}

func (w *world) rescanFrom(height int64) *store.Rescan {
	w.t.Helper()
	r, err := w.app.StartRescan(w.ctx, "BTC", height)
	w.check(err)
	return r
}

func (w *world) rescan(id string) *store.Rescan {
	w.t.Helper()
	r, err := w.app.Rescan(w.ctx, id)
	w.check(err)
	return r
}

// A payment whose block was followed before its address was known is found by reading
// the chain again, as if it had been seen then; a second time finds nothing and moves
// nothing. Whether blocks are skimmed or read makes no difference.
func TestARescanFindsWhatWasPaidBeforeItsAddressWasKnown(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *world{
		"blocks that are read":    newWorld,
		"blocks that are skimmed": func(t testing.TB) *world { w, _ := skimmedWorld(t); return w },
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			inv := w.payAhead(8)
			r := w.rescanFrom(1)
			w.check(w.watch.Rescan(w.ctx))
			w.is(inv, invoice.Complete, due)
			tip, err := w.chain.Tip(w.ctx)
			w.check(err)
			if r = w.rescan(r.ID); r.State != store.RescanDone || r.Found != 1 || r.Next != tip.Height+1 || r.To != tip.Height {
				t.Errorf("the rescan ended as %+v", r)
			}
			told, before := w.told(inv), w.read(inv)
			again := w.rescanFrom(1)
			w.check(w.watch.Rescan(w.ctx))
			if again = w.rescan(again.ID); again.State != store.RescanDone || again.Found != 0 {
				t.Errorf("the second rescan ended as %+v", again)
			}
			if !slices.Equal(told, w.told(inv)) || len(w.read(inv).Credits) != len(before.Credits) || w.read(inv).Status != before.Status {
				t.Errorf("the second rescan told %v after %v", w.told(inv), told)
			}
			// What it found can leave the chain, as everything can.
			w.reorg(9, sandbox.ReorgOptions{Unmined: true})
			w.sync()
			if sum, _ := w.read(inv).Received().Uint64(); sum > due {
				t.Errorf("counted twice: %+v", w.read(inv).Credits)
			}
		})
	}
}

// What was found belongs to the wallet and can be paid out.
func TestWhatARescanFindsCanBeSpent(t *testing.T) {
	w := newWorld(t)
	inv := w.payAhead(8)
	w.rescanFrom(1)
	w.check(w.watch.Rescan(w.ctx))
	w.is(inv, invoice.Complete, due)
	var coins []*store.Coin
	w.check(w.store.View(w.ctx, func(tx *store.Tx) (err error) {
		coins, err = tx.SpendableCoins(w.shopWallet())
		return err
	}))
	if len(coins) != 1 || coins[0].Block.Hash == "" || coins[0].Invoice != inv.ID {
		t.Errorf("the wallet has %+v", coins)
	}
}

func (w *world) shopWallet() string {
	w.t.Helper()
	list, err := w.app.Wallets(w.ctx, w.shop.ID)
	w.check(err)
	return list[0].ID
}

// A server that stops half way goes on where it was, and two servers at once do each
// step once.
func TestARescanGoesOnAfterARestart(t *testing.T) {
	w := newWorld(t)
	inv := w.payAhead(70)
	ctx, cancel := context.WithCancel(w.ctx)
	steps := 0
	w.watch.Source = &source{Source: w.chain, fail: func(int) error {
		if steps++; steps > 60 {
			cancel()
		}
		return ctx.Err()
	}}
	r := w.rescanFrom(1)
	if err := w.watch.Rescan(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was not stopped: %v", err)
	}
	half := w.rescan(r.ID)
	if half.State != store.RescanRunning || half.Next <= 1 || half.Next > half.To {
		t.Fatalf("half way it stands at %+v", half)
	}
	w.off()
	w.on()
	twin := w.newWatch(w.newApp(), w.chain)
	w.check(twin.Sync(w.ctx))
	both := make(chan error, 2)
	for _, one := range []*Watcher{w.watch, twin} {
		go func() { both <- one.Rescan(w.ctx) }()
	}
	w.check(errors.Join(<-both, <-both))
	w.check(w.watch.Rescan(w.ctx)) // who came second left it to the other
	if r = w.rescan(r.ID); r.State != store.RescanDone || r.Found != 1 {
		t.Errorf("it ended as %+v", r)
	}
	w.is(inv, invoice.Complete, due)
}

// Blocks that are asked for twice, or are not there, are refused with a sentence.
func TestARescanBeginsWhereThereIsSomethingToRead(t *testing.T) {
	w := newWorld(t)
	if _, err := w.app.StartRescan(w.ctx, "BTC", 1<<40); err == nil {
		t.Error("it begins above the tip")
	}
	if _, err := w.app.StartRescan(w.ctx, "BTC", -1); err == nil {
		t.Error("it begins below zero")
	}
	if _, err := w.app.StartRescan(w.ctx, "LTC", 1); err == nil {
		t.Error("it begins on a chain that is not followed")
	}
	if r := w.rescanFrom(0); r.From != 1 {
		t.Errorf("from the first block: %+v", r)
	}
}
