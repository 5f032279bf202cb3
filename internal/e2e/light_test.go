package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/wire"
)

// get reads a page of the server.
func (s *server) get(t *testing.T, path, accept string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	must(t, err)
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(b)
}

func (s *server) ready(t *testing.T) {
	t.Helper()
	until(t, "a server that is ready", func() bool {
		status, _ := s.get(t, "/readyz", "")
		return status == http.StatusOK
	})
}

// lightServer is a server without a node, that a peer tells of the chain.
func lightServer(t *testing.T, database, peer string, extra ...string) *server {
	t.Helper()
	bin, err := build()
	must(t, err)
	s := &server{t: t, bin: bin, data: t.TempDir(), database: database, peer: peer, extra: append([]string{
		"--node-poll", "100ms", "--webhook-http", "--webhook-private",
	}, extra...)}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

// Without a node, a buyer pays, a refund leaves and arrives, blocks leave the chain,
// and the server is killed: btcd, which only serves filters and mines, says that all
// money went where it should, once.
func TestMoneyComesAndLeavesWithoutANode(t *testing.T) {
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "only for a test of regtest")
	o := btcd{btcdtest.Start(t)}
	s := lightServer(t, "", o.Peer)
	s.operator(nil, "merchant", "create", "Shop")
	s.operator(nil, "wallet", "add", "--generate")
	s.ready(t)
	d := newDesk(t, s, pair(t, s))
	d.chain = o
	ctx := t.Context()

	_, err := d.c.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{Price: "10", Currency: "USD", TransactionSpeed: "high"})
	if code(err) != "010102" || !strings.Contains(err.Error(), "unconfirmed") {
		t.Errorf("an invoice that asks for high speed: %v", err)
	}
	inv, err := d.c.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{Price: "300", Currency: "USD", BuyerEmail: "buyer@example.com"})
	must(t, err)
	o.Pay(addressOf(inv), whole(t, inv.PaymentTotals["BTC"]))
	o.Mine(1)
	d.invoiceIs(t, inv.ID, "confirmed")
	o.Mine(5)
	inv = d.invoiceIs(t, inv.ID, "complete")

	buyer := newVisitor(t, d.s)
	r, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "30"})
	must(t, err)
	d.claim(t, r.ID, buyer.address())
	r = d.refundIs(t, r.ID, "pending")
	o.waits(t, r.Txid)
	o.Mine(6)
	d.refundIs(t, r.ID, "success")
	due := whole(t, inv.PaymentTotals["BTC"]) / 10
	if sat, n := o.paid(t, r.Txid, buyer.address()); len(sat) != 1 || sat[0] != due || n != 6 {
		t.Errorf("%v satoshi arrived %d deep, not %d", sat, n, due)
	}

	// Killed, and the chain goes another way meanwhile.
	s.kill()
	o.Reorg(4)
	s.start(strings.TrimPrefix(s.url, "http://"))
	s.ready(t)
	o.Mine(4)
	d.refundIs(t, r.ID, "success")
	if sat, n := o.paid(t, r.Txid, buyer.address()); len(sat) != 1 || n < 4 {
		t.Errorf("after the reorganisation %v satoshi lie %d deep", sat, n)
	}
	witness := *s
	witness.node = o.URL // the command asks a node: the server has the headers
	witness.verify(t)

	// All is read once more while the server serves, and nothing is found twice.
	var rescan struct {
		State           string
		Found, Next, To int64
	}
	s.operator(&rescan, "chain", "rescan", "--from", "1")
	if rescan.State != "done" || rescan.Found != 0 || rescan.Next <= rescan.To {
		t.Errorf("the rescan ended as %+v", rescan)
	}
	d.refundIs(t, r.ID, "success")
	witness.verify(t)

	if _, page := s.get(t, "/status", "text/html"); !strings.Contains(page, `data-testid="chain-BTC"`) || !strings.Contains(page, "1 of 1") {
		t.Errorf("the status page says %s", page)
	}
	var told struct {
		Chains []struct {
			Chain, Network string
			Ready          bool
			Height, Tip    int64
			Peers          int
			Alarms         []any
		}
	}
	_, text := s.get(t, "/status", "application/json")
	must(t, json.Unmarshal([]byte(text), &told))
	if len(told.Chains) != 1 || !told.Chains[0].Ready || told.Chains[0].Height != told.Chains[0].Tip || told.Chains[0].Peers != 1 || len(told.Chains[0].Alarms) > 0 {
		t.Errorf("the status is %s", text)
	}
	if _, metrics := s.get(t, "/metrics", ""); !strings.Contains(metrics, "quittance_light_peers 1") || !strings.Contains(metrics, `quittance_light_alarm{kind="stale"} 0`) {
		t.Error("the metrics do not tell of the light client")
	}
}

// waits returns once a transaction waits for a block, or is in one.
func (o btcd) waits(t *testing.T, txid string) {
	t.Helper()
	hash, err := chainhash.NewHashFromStr(txid)
	must(t, err)
	until(t, "a transaction that the node has", func() bool {
		_, err := o.GetRawTransaction(hash)
		return err == nil
	})
}

// A server that nobody tells anything says so, takes no invoices, and shows it.
func TestAServerWithoutPeersSaysWhatItWaitsFor(t *testing.T) {
	s := lightServer(t, "", "127.0.0.1:1")
	if status, body := s.get(t, "/readyz", ""); status != http.StatusServiceUnavailable || body != "Bitcoin: no peer is connected\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if _, page := s.get(t, "/status", "text/html"); !strings.Contains(page, "no peer is connected") || !strings.Contains(page, "0 of 1") {
		t.Errorf("the status page says %s", page)
	}
}
