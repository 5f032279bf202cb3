package e2e

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	btcwire "github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

// outside is a node that is none of ours: it mines, and it is the witness of what
// was paid.
type outside struct{ *btcdtest.Node }

func (o outside) mine(t *testing.T, blocks int) {
	t.Helper()
	o.Mine(uint32(blocks))
}

// paid is what the node says a transaction gave an address, in satoshi, and how deep
// it lies.
func (o outside) paid(t *testing.T, txid, address string) (sat []int64, deep uint64) {
	t.Helper()
	hash, err := chainhash.NewHashFromStr(txid)
	must(t, err)
	found, err := o.GetRawTransactionVerbose(hash)
	must(t, err)
	raw, err := hex.DecodeString(found.Hex)
	must(t, err)
	var tx btcwire.MsgTx
	must(t, tx.Deserialize(bytes.NewReader(raw)))
	for _, out := range tx.TxOut {
		if bytes.Equal(out.PkScript, btcdtest.Script(address)) {
			sat = append(sat, out.Value)
		}
	}
	return sat, found.Confirmations
}

// The same refunds and payouts as in the sandbox leave through btcd's RPC on
// regtest, and its own view of the chain says that each arrived once.
func TestMoneyLeavesThroughAnOutsideNode(t *testing.T) {
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "only for a test of regtest")
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			o := outside{btcdtest.Start(t)}
			bin, err := build()
			must(t, err)
			s := &server{t: t, bin: bin, data: t.TempDir(), database: database(t), node: o.URL, extra: []string{
				"--node-poll", "100ms", "--webhook-http", "--webhook-private",
			}}
			s.start("127.0.0.1:0")
			t.Cleanup(s.stop)
			s.operator(nil, "merchant", "create", "Shop")
			s.operator(nil, "wallet", "add", "--generate")
			d := newDesk(t, s, pair(t, s))
			d.chain = o
			d.refundsThrough(t, o)
			d.payoutsThrough(t, o)
			s.verify(t)
		})
	}
}

// bought is an invoice that a stranger's wallet has paid, six blocks deep.
func (d *desk) bought(t *testing.T, o outside, price wire.Number) *wire.Invoice {
	t.Helper()
	inv, err := d.c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: price, Currency: "USD", BuyerEmail: "buyer@example.com"})
	must(t, err)
	if _, err := d.c.PayInvoice(t.Context(), inv.ID, "complete"); code(err) != "030116" {
		t.Errorf("an outside chain cannot be played with: %v", err)
	}
	o.Pay(addressOf(inv), whole(t, inv.PaymentTotals["BTC"]))
	d.invoiceIs(t, inv.ID, "paid")
	o.Mine(6)
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
	r, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "30"})
	must(t, err)
	d.claim(t, r.ID, buyer.address())
	r = d.refundIs(t, r.ID, "pending")
	due := whole(t, inv.PaymentTotals["BTC"]) / 10
	arrived := func(deep uint64) {
		t.Helper()
		if sat, n := o.paid(t, r.Txid, buyer.address()); len(sat) != 1 || sat[0] != due || n != deep {
			t.Errorf("the node says that %v satoshi arrived %d deep, not %d once %d deep", sat, n, due, deep)
		}
	}
	arrived(0)
	o.Mine(6)
	d.refundIs(t, r.ID, "success")
	arrived(6)
	// Four blocks leave the chain: what was paid waits again, and is mined again.
	o.Reorg(4)
	o.Mine(4)
	d.refundIs(t, r.ID, "success")
	if sat, n := o.paid(t, r.Txid, buyer.address()); len(sat) != 1 || n < 6 {
		t.Errorf("after the reorganisation %v satoshi lie %d deep", sat, n)
	}
}

func (d *desk) payoutsThrough(t *testing.T, o outside) {
	ctx, ada := t.Context(), newVisitor(t, d.s)
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
	o.Mine(6)
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
