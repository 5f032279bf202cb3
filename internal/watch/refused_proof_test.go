package watch

import (
	"bytes"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// bound gives the shop's wallet a signer with other rules.
func (w *world) bound(p hot.Policy) {
	w.t.Helper()
	var err error
	w.signer, err = hot.New(hot.Config{Chain: bitcoin.Regtest, Kind: "bip84", Seed: hot.NewSeed(bytes.Clone(w.seed)), Now: w.clock.now, Policy: p})
	w.check(err)
}

// A signer that pays to known addresses only refuses every test amount, which any
// recipient may ask for. That must not leave money reserved for nothing: the books
// would not add up, and a breach stops everybody's payments.
func TestATestAmountThatIsNotSignedIsGivenBack(t *testing.T) {
	w := newWorld(t)
	w.bound(hot.Policy{Allow: []string{elsewhere}})
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.mine(6)
	w.sync()
	before := w.balances()
	w.check(w.app.SendTestAmount(w.ctx, app.TestAmount{ID: "test", Merchant: w.shop.ID, Recipient: "r", Asset: "BTC", Address: stranger, Amount: money.NewUnits(2000)}))
	w.check(w.app.Spend(w.ctx))
	w.verified()
	w.books(before)
}
