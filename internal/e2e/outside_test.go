package e2e

import (
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

// The same refunds and payouts as in the sandbox leave through a node's RPC on
// regtest, and its own view of the chain says that each arrived once: Bitcoin
// through btcd, Litecoin through Litecoin Core, Bitcoin Cash through bchd.
func TestMoneyLeavesThroughAnOutsideNode(t *testing.T) {
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "only for a test of regtest")
	for code, begin := range outsides {
		for name, database := range engines {
			if code != "BTC" && name != "sqlite" {
				continue // the engine is the same whatever the chain
			}
			t.Run(code+" on "+name, func(t *testing.T) { throughNode(t, begin(t), database(t)) })
		}
	}
}

func throughNode(t *testing.T, o outside, database string) {
	bin, err := build()
	must(t, err)
	s := &server{t: t, bin: bin, data: t.TempDir(), database: database, node: o.place(), extra: []string{
		"--node-poll", "100ms", "--webhook-http", "--webhook-private",
	}}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	s.operator(nil, "merchant", "create", "Shop")
	s.operator(nil, "wallet", "add", "--asset", o.coin().Code, "--generate")
	d := newDesk(t, s, pair(t, s))
	d.chain = o
	d.refundsThrough(t, o)
	d.payoutsThrough(t, o)
	s.verify(t)
}

// bought is an invoice that a stranger's wallet has paid, six blocks deep.
func (d *desk) bought(t *testing.T, o outside, price wire.Number) *wire.Invoice {
	t.Helper()
	inv, err := d.c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: price, Currency: "USD", BuyerEmail: "buyer@example.com"})
	must(t, err)
	if _, err := d.c.PayInvoice(t.Context(), inv.ID, "complete"); code(err) != "030116" {
		t.Errorf("an outside chain cannot be played with: %v", err)
	}
	o.pay(t, addressIn(inv, o.coin()), whole(t, inv.PaymentTotals[o.coin().Code]))
	d.invoiceIs(t, inv.ID, "paid")
	o.mine(t, int(o.coin().Complete))
	return d.invoiceIs(t, inv.ID, "complete")
}

func (d *desk) invoiceIs(t *testing.T, id, status string) (inv *wire.Invoice) {
	t.Helper()
	until(t, "an invoice that is "+status, func() bool {
		var err error
		inv, err = d.c.Invoice(t.Context(), client.Merchant, id)
		must(t, err)
		return inv.Status == status
	})
	return inv
}

func (d *desk) refundsThrough(t *testing.T, o outside) {
	ctx, inv, buyer := t.Context(), d.bought(t, o, "300"), newVisitor(t, d.s)
	buyer.coin = o.coin()
	r, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "30"})
	must(t, err)
	d.claim(t, r.ID, buyer.address())
	r = d.refundIs(t, r.ID, "pending")
	due := whole(t, inv.PaymentTotals[o.coin().Code]) / 10
	arrived := func(deep uint64) {
		t.Helper()
		if sat, n := o.paid(t, r.Txid, buyer.address()); len(sat) != 1 || sat[0] != due || n != deep {
			t.Errorf("the node says that %v satoshi arrived %d deep, not %d once %d deep", sat, n, due, deep)
		}
	}
	arrived(0)
	o.mine(t, 6)
	d.refundIs(t, r.ID, "success")
	arrived(6)
	// Four blocks leave the chain: what was paid waits again, and is mined again.
	o.reorg(t, 4)
	o.mine(t, 4)
	d.refundIs(t, r.ID, "success")
	if sat, n := o.paid(t, r.Txid, buyer.address()); len(sat) != 1 || n < 6 {
		t.Errorf("after the reorganisation %v satoshi lie %d deep", sat, n)
	}
}

func (d *desk) payoutsThrough(t *testing.T, o outside) {
	ctx, ada := t.Context(), newVisitor(t, d.s)
	ada.coin = o.coin()
	_, err := d.c.SubmitRecipients(ctx, "", wire.NewRecipient{Email: "ada@example.com", Label: "Ada"})
	must(t, err)
	link := ada.link(map[string]bool{})
	ada.step(link, "confirm", nil)
	ada.part(ada.prove(link), `data-step="(done)"`)
	g, err := d.c.CreatePayoutGroup(ctx, d.toPay("ada@example.com", ""), d.toPay("ada@example.com", ""), d.toPay("nobody", ""))
	must(t, err)
	if len(g.Created) != 2 || len(g.Failed) != 1 {
		t.Fatalf("made %+v, refused %+v", g.Created, g.Failed)
	}
	txids := map[string]bool{}
	for _, p := range g.Created {
		txids[d.payoutIs(t, p.ID, "processing").Transactions[0].Txid] = true
	}
	o.mine(t, 6)
	var sum int64
	for _, p := range g.Created {
		done := d.payoutIs(t, p.ID, "complete")
		sum += satoshi(t, done.Transactions[0].Amount)
	}
	var seen int64
	for txid := range txids {
		sat, deep := o.paid(t, txid, ada.address())
		if deep != 6 {
			t.Errorf("transaction %s lies %d deep", txid, deep)
		}
		for _, s := range sat {
			seen += s
		}
	}
	if seen != sum || sum == 0 {
		t.Errorf("the node says that %d satoshi arrived, the payouts say %d", seen, sum)
	}
}

// satoshi reads an amount in bitcoin, exactly.
func satoshi(t *testing.T, n wire.Number) int64 {
	t.Helper()
	btc, _ := money.Lookup("BTC")
	u, err := money.ParseDecimal(btc, string(n))
	must(t, err)
	sat, _ := u.Uint64()
	return int64(sat)
}
