package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/wire"
)

// A shop takes Bitcoin and Litecoin. Litecoin's node goes away, and the server is
// restarted without it: Bitcoin goes on, and what was paid in Litecoin meanwhile is
// found when the node is back.
func TestOneChainsFaultStopsNoOther(t *testing.T) {
	btc, ltc := btcd{btcdtest.Start(t)}, litecoind{coretest.Start(t)}
	bin, err := build()
	must(t, err)
	s := &server{t: t, bin: bin, data: t.TempDir(), node: btc.place() + "," + ltc.place(), extra: []string{"--node-poll", "100ms"}}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "only for a test of regtest")
	s.operator(nil, "merchant", "create", "Shop")
	for _, code := range []string{"BTC", "LTC"} {
		s.operator(nil, "wallet", "add", "--asset", code, "--generate")
	}
	d := newDesk(t, s, pair(t, s))
	order := func() *wire.Invoice {
		t.Helper()
		inv, err := d.c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "20", Currency: "USD"})
		must(t, err)
		return inv
	}
	pay := func(inv *wire.Invoice, o outside) {
		t.Helper()
		o.pay(t, addressIn(inv, o.coin()), whole(t, inv.PaymentTotals[o.coin().Code]))
	}
	inBTC, inLTC, whileAway := order(), order(), order()
	for _, o := range []outside{btc, ltc} {
		if addressIn(inBTC, o.coin()) == "" {
			t.Fatalf("the invoice offers %v", inBTC.PaymentCodes)
		}
	}
	pay(inLTC, ltc)
	d.invoiceIs(t, inLTC.ID, "paid")
	ltc.mine(t, 6)
	d.invoiceIs(t, inLTC.ID, "complete")
	// The payment goes out in the moment in which nobody looks.
	pay(whileAway, ltc)
	ltc.mine(t, 6)
	ltc.Stop()
	for _, restart := range []bool{false, true} {
		if restart {
			s.stop()
			s.start(strings.TrimPrefix(s.url, "http://"))
			until(t, "a server that is ready with Bitcoin alone", func() bool { return status(t, s.url+"/readyz") == http.StatusOK })
			inBTC = order()
		}
		pay(inBTC, btc)
		d.invoiceIs(t, inBTC.ID, "paid")
		btc.mine(t, 6)
		d.invoiceIs(t, inBTC.ID, "complete")
	}
	ltc.Resume()
	d.invoiceIs(t, whileAway.ID, "complete")
	s.verify(t)
}

func status(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	must(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}
