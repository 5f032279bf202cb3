package watch

import (
	"testing"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
)

// Somebody who reads the chain pays to an address that our change went to: it is a
// deposit like any other, and can be spent.
func TestAPaymentToAnOldChangeAddressIsADeposit(t *testing.T) {
	w := newWorld(t)
	w.pay(w.invoice(invoice.Medium), due+100_000)
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.check(w.app.Spend(w.ctx))
	w.settled()
	tr := w.only()
	a := tr.Attempt()
	change, err := w.app.Assets[0].Spending.AddressOf(a.Outputs[a.Change].To)
	w.check(err)
	before := w.balances()["merchant USD"]
	for range 2 {
		_, err = w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: change, Amount: 40_000}}})
		w.check(err)
		w.settled()
		w.verified()
		w.reorg(3, sandbox.ReorgOptions{Unmined: true})
		w.sync()
		w.verified()
		w.mine(3)
		w.settled()
		w.verified()
	}
	if after := w.balances()["merchant USD"]; before != "-1000" || after != "-5000" {
		t.Errorf("the ledger went from %s to %s", before, after)
	}
	w.order("b", stranger, 70_000) // more than without the deposits
	w.check(w.app.Spend(w.ctx))
	w.settled()
	w.verified()
	w.solvent()
	if n := w.receipts(stranger, 70_000); n != 1 {
		t.Errorf("the deposits could not be spent")
	}
}
