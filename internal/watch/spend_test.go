package watch

import (
	"testing"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// balances lists the accounts of the shop that are not empty.
func (w *world) balances() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	w.check(w.store.View(w.ctx, func(tx *store.Tx) error {
		list, err := tx.Accounts(w.shop.ID)
		for _, a := range list {
			name := a.Name
			if _, isWallet := ledger.WalletOf(name); isWallet {
				name = "wallet"
			}
			if !a.Balance.IsZero() {
				out[name+" "+a.Asset] = a.Balance.String()
			}
		}
		return err
	}))
	return out
}

func (w *world) books(want map[string]string) {
	w.t.Helper()
	got := w.balances()
	for k := range got {
		if _, ok := want[k]; !ok {
			w.t.Errorf("%s is %s, not nothing", k, got[k])
		}
	}
	for k, v := range want {
		if got[k] != v {
			w.t.Errorf("%s is %q, not %s", k, got[k], v)
		}
	}
	w.solvent()
}

// solvent holds the wallet's coins against its account.
func (w *world) solvent() {
	w.t.Helper()
	w.check(w.store.View(w.ctx, func(tx *store.Tx) error {
		wallets, err := tx.Wallets(w.shop.ID)
		if err != nil {
			return err
		}
		coins, err := tx.BookedCoins(wallets[0].ID)
		if err != nil {
			return err
		}
		var sum money.Delta
		for _, c := range coins {
			d := c.Amount.Delta()
			if c.Out {
				d = d.Neg()
			}
			sum, _ = sum.Add(d)
		}
		have, err := tx.Balance(w.shop.ID, ledger.WalletAccount(wallets[0].ID), w.coin.Code)
		if sum.Cmp(have) != 0 {
			w.t.Errorf("the wallet holds %s, the books say %s", sum, have)
		}
		return err
	}))
}

// order queues a payment out of what is owed to the shop.
func (w *world) order(id, address string, sat uint64) {
	w.t.Helper()
	w.check(w.store.Update(w.ctx, func(tx *store.Tx) error {
		wallets, err := tx.Wallets(w.shop.ID)
		if err != nil {
			return err
		}
		to, err := w.app.Assets[0].Spending.Destination(address)
		if err != nil {
			return err
		}
		e := ledger.New(ledger.Reserve, "proof/"+id, w.shop.ID, w.clock.now()).Debit(ledger.Unapplied, "BTC", money.NewUnits(sat)).Credit(ledger.Reserved, "BTC", money.NewUnits(sat))
		e.ID = "e" + id
		if err := tx.Post(e); err != nil {
			return err
		}
		return tx.AddOrder(&transfer.Order{
			ID: id, Merchant: w.shop.ID, Wallet: wallets[0].ID, Asset: "BTC", Chain: "BTC", Kind: transfer.Proof, Resource: "r" + id, Address: address, To: to,
			Currency: "BTC", Value: money.NewUnits(sat), Gross: money.NewUnits(sat), State: transfer.Queued, Created: w.clock.now(),
		})
	}))
}

const stranger = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func (w *world) transfers() (list []*transfer.Transfer) {
	w.t.Helper()
	w.check(w.store.View(w.ctx, func(tx *store.Tx) error {
		list = nil
		return tx.EachTransfer(func(t *transfer.Transfer) error { list = append(list, t); return nil })
	}))
	return list
}

func TestACompleteInvoiceIsInTheBooks(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due+5000)
	w.mine(5)
	w.sync()
	w.books(map[string]string{})
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Complete, due+5000)
	credited := map[string]string{"wallet BTC": "25000", "unapplied BTC": "-5000", "exchange BTC": "-20000", "exchange USD": "1000", "merchant USD": "-1000"}
	w.books(credited)
	// The same books as of a server that saw only the final chain.
	for _, depth := range []int{6, 20, 60} {
		w.reorg(depth, sandbox.ReorgOptions{Unmined: true})
		w.sync()
		w.books(map[string]string{})
		w.mine(6)
		w.sync()
		w.is(inv, invoice.Complete, due+5000)
		w.books(credited)
	}
	w.reorg(50, sandbox.ReorgOptions{})
	w.sync()
	w.books(credited)
}

func TestAPaymentOutLeavesOnceAndIsBooked(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due+100_000)
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.order("b", stranger, 20_000)
	w.check(w.app.Spend(w.ctx))
	list := w.transfers()
	if len(list) != 1 || list[0].State != transfer.Sent || len(list[0].Members) != 2 {
		t.Fatalf("transfers %+v", list)
	}
	fee, _ := list[0].Attempts[0].Fee.Uint64()
	w.sync()
	sent := map[string]string{
		"wallet BTC": money.NewDelta(int64(70_000 - fee)).String(), "unapplied BTC": "-50000", "expense/network BTC": money.NewUnits(fee).String(),
		"exchange BTC": "-20000", "exchange USD": "1000", "merchant USD": "-1000",
	}
	w.books(sent)
	w.check(w.app.Spend(w.ctx))
	w.mine(6)
	w.sync()
	w.books(sent)
	if got := w.transfers()[0]; got.State != transfer.Confirmed {
		t.Errorf("the transfer is %s: %+v", got.State, got)
	}
	// A reorganisation changes nothing about what has left.
	w.reorg(6, sandbox.ReorgOptions{Unmined: true})
	w.sync()
	w.books(sent)
	if got := w.transfers()[0]; got.State != transfer.Sent {
		t.Errorf("the transfer is %s", got.State)
	}
	w.mine(6)
	w.sync()
	w.books(sent)
	if got := w.transfers()[0]; got.State != transfer.Confirmed {
		t.Errorf("the transfer is %s", got.State)
	}
}
