package watch

import (
	"bytes"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/transfer"
)

// An invoice that can be paid on a chain which the operator does not have followed any
// more ends with its window like any other: nothing will ever be read there. While a
// chain is followed and merely away, it waits.
func TestAnInvoiceOfAChainThatIsNotFollowedAnyMoreEnds(t *testing.T) {
	w := newWorld(t)
	w.offerLitecoin()
	inv := w.invoice(invoice.Medium)
	if n := len(inv.Terms.Options); n != 2 {
		t.Fatalf("the invoice has %d ways to pay", n)
	}
	w.clock.forward(time.Hour)
	w.sync()
	w.is(inv, invoice.New, 0)
	w.app.Assets = w.app.Assets[:1]
	w.sync()
	w.is(inv, invoice.Expired, 0)
}

// offerLitecoin has the shop's invoices payable on a chain whose node is away.
func (w *world) offerLitecoin() {
	w.t.Helper()
	w.app.Assets = append(w.app.Assets, app.Asset{Code: "LTC", Chain: "LTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest), Unconfirmed: true})
	account, err := bitcoin.AccountFromSeed(bytes.Repeat([]byte{9}, 32), bitcoin.BIP84, bitcoin.Regtest, 1)
	w.check(err)
	_, err = w.app.AddWallet(w.ctx, w.shop.ID, "LTC", "bip84", account.XPub(), "")
	w.check(err)
}

// Many invoices that wait for a chain which is away hold up none that does not.
func TestInvoicesThatWaitForAChainHoldUpNoOthers(t *testing.T) {
	w := newWorld(t)
	w.offerLitecoin()
	for range 205 {
		w.invoice(invoice.Medium)
	}
	w.clock.forward(time.Second)
	w.openShop() // without Litecoin
	inv := w.invoice(invoice.Medium)
	w.clock.forward(time.Hour)
	w.sync()
	w.is(inv, invoice.Expired, 0)
}

// What leaves on one chain is no matter of another's round.
func TestEachChainPaysOutOnItsOwn(t *testing.T) {
	w := newWorld(t)
	w.pay(w.invoice(invoice.Medium), due+100_000)
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.check(w.app.SpendOn(w.ctx, "LTC"))
	if n := len(w.transfers()); n != 0 {
		t.Errorf("%d payments left in another chain's round", n)
	}
	w.check(w.app.SpendOn(w.ctx, "BTC"))
	if got := w.only(); got.State != transfer.Sent {
		t.Errorf("the payment is %s", got.State)
	}
}
