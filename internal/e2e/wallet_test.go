package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/wire"
)

// BitPay's own wallet client, unmodified, pays invoices of the program through the
// JSON payment protocol, on both engines, and holds our signatures against the keys
// that we publish; in the end the books are right.
func TestBitPaysWalletClient(t *testing.T) {
	requireNode(t)
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, database(t))
			runNode(t, s, "wallet.test.mjs")
			s.verify(t)
		})
	}
}

// A wallet hands its payment over, and the program takes it to btcd's RPC: btcd looks
// up what it spends, and has the transaction afterwards.
func TestAWalletPaysThroughAnOutsideNode(t *testing.T) {
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "only for a test of regtest")
	o := btcd{btcdtest.Start(t)}
	bin, err := build()
	must(t, err)
	s := &server{t: t, bin: bin, data: t.TempDir(), node: o.URL, extra: []string{"--node-poll", "100ms", "--webhook-http", "--webhook-private"}}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	s.operator(nil, "merchant", "create", "Shop")
	s.operator(nil, "wallet", "add", "--generate")
	d := newDesk(t, s, pair(t, s))
	inv, err := d.c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "10", Currency: "USD"})
	must(t, err)
	tx := o.Payment(addressOf(inv), whole(t, inv.PaymentTotals["BTC"]))
	var raw bytes.Buffer
	must(t, tx.Serialize(&raw))
	post := func(kind string) string {
		t.Helper()
		body, err := json.Marshal(wire.Payment{
			PaymentChoice: wire.PaymentChoice{Chain: "BTC"}, Transactions: []wire.PaymentTransaction{{Tx: hex.EncodeToString(raw.Bytes())}},
		})
		must(t, err)
		resp, err := http.Post(inv.PaymentCodes["BTC"]["BIP73"], kind, bytes.NewReader(body))
		must(t, err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", kind, resp.StatusCode, answer)
		}
		return string(answer)
	}
	post(wire.PaymentVerificationType)
	for range 2 {
		post(wire.PaymentType)
		d.invoiceIs(t, inv.ID, "paid")
	}
	o.mine(t, 6)
	d.invoiceIs(t, inv.ID, "complete")
	if sat, deep := o.paid(t, tx.TxHash().String(), addressOf(inv)); len(sat) != 1 || deep != 6 {
		t.Errorf("btcd has %v, %d deep", sat, deep)
	}
	s.verify(t)
}
