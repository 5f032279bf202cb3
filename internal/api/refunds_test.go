package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

const buyersAddress = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// paid makes an invoice of 10 USD and pays it up to a state.
func (w *world) paid(status string, more fields) map[string]any {
	w.t.Helper()
	inv := w.merchant.create(fields{"buyer": fields{"email": "buyer@example.com"}}.with(more))
	return w.merchant.put("/invoices/pay/"+id(inv), fields{"status": status}).ok()
}

func (w *world) refund(inv map[string]any, more fields) *answer {
	w.t.Helper()
	return w.merchant.post("/refunds", fields{"invoiceId": id(inv), "amount": 10}.with(more))
}

// claim has the buyer say where a refund goes.
func (w *world) claim(r map[string]any, address string) {
	w.t.Helper()
	ctx := w.t.Context()
	f, err := w.app.Refund(ctx, id(r))
	w.must(err)
	_, err = w.app.ClaimRefund(ctx, f.ID, f.ClaimCode(f.State.Claims), address)
	w.must(err)
}

func (w *world) sat(account string) string {
	w.t.Helper()
	var sum money.Delta
	w.must(w.store.View(w.t.Context(), func(tx *store.Tx) error {
		list, err := tx.Accounts(w.shop.ID)
		for _, a := range list {
			if name := a.Name + " " + a.Asset; name == account || strings.HasPrefix(account, "wallet ") && strings.HasPrefix(a.Name, "wallet/") && strings.HasSuffix(account, a.Asset) {
				sum, _ = sum.Add(a.Balance)
			}
		}
		return err
	}))
	return sum.String()
}

func TestACompleteInvoiceIsRefundedOnTheChain(t *testing.T) {
	w := newWorld(t)
	inv := w.paid("complete", nil)
	r := w.refund(inv, fields{"reference": "Test refund", "guid": "g-1"}).ok()
	want(t, r, fields{
		"status": "created", "amount": 10, "currency": "USD", "invoice": id(inv), "reference": "Test refund", "guid": "g-1", "transactionCurrency": "BTC",
		"transactionAmount": json.Number("0.0002"), "transactionRefundFee": json.Number("0.000003"), "refundFee": json.Number("0.15"), "immediate": false, "buyerPaysRefundFee": false,
		"requestDate": "2026-03-01T12:00:00.000Z", "lastRefundNotification": "2026-03-01T12:00:00.000Z",
	})
	want(t, w.refund(inv, fields{"guid": "g-1", "amount": 3}).ok(), fields{"id": r["id"], "amount": 10})
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), r)
	want(t, w.merchant.get("/refunds/guid/g-1").ok(), r)
	list := w.merchant.get("/refunds?invoiceId=" + id(inv)).list()
	if len(list) != 1 {
		t.Fatalf("%d refunds", len(list))
	}
	// The merchant's fee needs more than the ledger holds: it waits, in words.
	w.claim(r, buyersAddress)
	w.spend()
	f, err := w.app.Refund(t.Context(), id(r))
	if err != nil || f.State.Problem != "the ledger's balance does not cover it" {
		t.Errorf("problem %q, %v", f.State.Problem, err)
	}
	w.paid("complete", nil)
	w.spend()
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "pending", "refundAddress": buyersAddress})
	if tx := w.merchant.get("/refunds/" + id(r)).ok()["txid"]; len(tx.(string)) != 64 {
		t.Errorf("txid %v", tx)
	}
	w.must(w.play.Mine(t.Context(), 6))
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "success"})
	want(t, w.merchant.get("/invoices/"+id(inv)).ok(), fields{"status": "complete"})
	if got := w.sat("merchant USD"); got != "-985" { // 20.00 - 10.00 - 0.15
		t.Errorf("the ledger owes %s cents", got)
	}
	lines := w.merchant.get("/ledgers/USD").bare
	var codes []string
	for _, l := range lines {
		codes = append(codes, l.(map[string]any)["code"].(interface{ String() string }).String())
	}
	if strings.Join(codes, " ") != "1000 1000 1020 1039" {
		t.Errorf("lines %v", codes)
	}
	want(t, lines[2].(map[string]any), fields{
		"type": "Invoice Refund", "amount": -1_000_000_000, "scale": 100_000_000, "invoiceId": id(inv), "invoiceAmount": 10, "invoiceCurrency": "USD",
		"transactionCurrency": "BTC", "supportRequest": r["supportRequest"], "txType": "Invoice Refund", "description": "Invoice Refund", "currency": nil,
	})
	want(t, lines[0].(map[string]any), fields{"type": "Invoice", "txType": "sale", "amount": 1_000_000_000})
	want(t, w.merchant.get("/ledgers").list()[0].(map[string]any), fields{"currency": "USD", "balance": json.Number("9.85")})
}

func TestWhatCannotBeRefunded(t *testing.T) {
	w := newWorld(t)
	unpaid := w.merchant.create(fields{"buyer": fields{"email": "b@example.com"}})
	nobody := w.merchant.put("/invoices/pay/"+id(w.merchant.create(nil)), fields{"status": "complete"}).ok()
	inv := w.paid("complete", nil)
	early := w.paid("confirmed", nil)
	for _, c := range []struct {
		name, code, says string
		answer           *answer
	}{
		{"an unknown invoice", "010101", "", w.refund(fields{"id": "Hpqc63wvE1ZjzeeH4kEycF"}, nil)},
		{"an unpaid one", "010207", "it is new", w.refund(unpaid, nil)},
		{"one whose buyer cannot be asked", "010108", "buyerEmail", w.refund(nobody, nil)},
		{"more than came in", "010202", "10.01 USD is more than the 10.00 USD", w.refund(inv, fields{"amount": json.Number("10.01")})},
		{"nothing", "010202", "more than 0", w.refund(inv, fields{"amount": 0})},
		{"less than nothing", "010202", "negative", w.refund(inv, fields{"amount": -1})},
		{"a fraction of a cent", "010202", "2 decimals", w.refund(inv, fields{"amount": json.Number("1.001")})},
		{"another currency", "010202", "the invoice is in USD", w.refund(inv, fields{"currency": "EUR"})},
		{"no amount", "010203", "amount", w.refund(inv, fields{"amount": nil})},
		{"no invoice", "010203", "invoiceId", w.merchant.post("/refunds", fields{"amount": 1})},
		{"less than it costs", "010208", "Fees are greater", w.refund(inv, fields{"amount": json.Number("0.10"), "buyerPaysRefundFee": true})},
		{"less than the network carries", "010202", "network carries", w.refund(inv, fields{"amount": json.Number("0.10")})},
		{"a long reference", "010202", "100", w.refund(inv, fields{"reference": strings.Repeat("x", 101)})},
		{"a part of what is not complete", "010202", "in full only", w.refund(early, fields{"amount": 5})},
		{"somebody else's", "010101", "", w.rival.post("/refunds", fields{"invoiceId": id(inv), "amount": 1})},
	} {
		if c.answer.code() != c.code || !strings.Contains(c.answer.message(), c.says) {
			t.Errorf("%s: %s %q, want %s …%s…", c.name, c.answer.code(), c.answer.message(), c.code, c.says)
		}
	}
	if list := w.merchant.get("/refunds?invoiceId=" + id(inv)).list(); len(list) != 0 {
		t.Errorf("refused refunds were stored: %v", list)
	}
	w.refund(inv, fields{"amount": 4}).ok()
	if a := w.refund(inv, fields{"amount": 4}); a.code() != "010204" {
		t.Errorf("a second one at the same time: %s %s", a.code(), a.message())
	}
}

func TestAPreviewQuotesAndMovesNothing(t *testing.T) {
	w := newWorld(t)
	inv := w.paid("complete", nil)
	p := w.refund(inv, fields{"amount": 4, "preview": true}).ok()
	want(t, p, fields{"status": "preview", "transactionAmount": json.Number("0.00008"), "supportRequest": nil})
	if got := w.sat("merchant USD"); got != "-1000" {
		t.Errorf("the ledger has %s", got)
	}
	for _, bad := range []string{"success", "canceled", "x"} {
		if a := w.merchant.put("/refunds/"+id(p), fields{"status": bad}); a.code() != "030202" {
			t.Errorf("status %s: %s", bad, a.code())
		}
	}
	want(t, w.merchant.put("/refunds/"+id(p), fields{"status": "created"}).ok(), fields{"status": "created", "id": id(p)})
	if a := w.merchant.put("/refunds/"+id(p), fields{"status": "created"}); a.code() != "030202" {
		t.Errorf("confirmed twice: %s", a.code())
	}
	want(t, w.merchant.del("/refunds/"+id(p)).ok(), fields{"status": "canceled"})
	want(t, w.merchant.get("/refunds/"+id(p)).ok(), fields{"status": "canceled"})
	want(t, w.merchant.del("/refunds/"+id(p)).ok(), fields{"status": "canceled"})
	// After that there is room for a new one.
	want(t, w.refund(inv, nil).ok(), fields{"status": "created"})
}

func TestTheSumOfRefundsIsNeverAboveThePrice(t *testing.T) {
	w := newWorld(t)
	inv := w.paid("complete", nil)
	w.paid("complete", nil)
	for _, amount := range []string{"3.33", "3.33", "3.34"} {
		r := w.refund(inv, fields{"amount": json.Number(amount), "buyerPaysRefundFee": true}).ok()
		w.claim(r, buyersAddress)
		w.spend()
		w.must(w.play.Mine(t.Context(), 6))
		want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "success"})
	}
	if a := w.refund(inv, fields{"amount": json.Number("0.01")}); a.code() != "010202" || !strings.Contains(a.message(), "0.00 USD") {
		t.Errorf("%s %s", a.code(), a.message())
	}
	if got := w.sat("merchant USD"); got != "-1000" {
		t.Errorf("the ledger has %s", got)
	}
}

func TestAnImmediateRefundHoldsTheMoneyAtOnce(t *testing.T) {
	w := newWorld(t)
	inv := w.paid("complete", nil)
	if a := w.refund(inv, fields{"immediate": true}); a.code() != "010202" || !strings.Contains(a.message(), "10.00, and 10.15") && !strings.Contains(a.message(), "are needed with the fee") {
		t.Errorf("%s %s", a.code(), a.message())
	}
	r := w.refund(inv, fields{"immediate": true, "buyerPaysRefundFee": true}).ok()
	if got := w.sat("merchant USD") + " " + w.sat("reserved USD"); got != "0 -1000" {
		t.Errorf("ledger and reserve: %s", got)
	}
	want(t, w.merchant.get("/ledgers/USD").bare[1].(map[string]any), fields{"code": int64(ledger.ImmediateRefund), "amount": -1_000_000_000})
	w.merchant.del("/refunds/" + id(r)).ok()
	if got := w.sat("merchant USD") + " " + w.sat("reserved USD"); got != "-1000 0" {
		t.Errorf("after the cancellation: %s", got)
	}
}

// A confirmed invoice was not credited: it is withdrawn, and the coins go back
// once they are deep enough.
func TestAConfirmedInvoiceIsRefundedInFull(t *testing.T) {
	w := newWorld(t)
	inv := w.paid("confirmed", nil)
	r := w.refund(inv, fields{"buyerPaysRefundFee": true}).ok()
	want(t, w.merchant.get("/invoices/"+id(inv)).ok(), fields{"status": "declined"})
	if a := w.merchant.del("/refunds/" + id(r)); a.code() != "040202" {
		t.Errorf("it could be cancelled: %s", a.code())
	}
	w.claim(r, buyersAddress)
	w.spend()
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "created"})
	w.must(w.play.Mine(t.Context(), 5))
	w.spend()
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "pending"})
	w.must(w.play.Mine(t.Context(), 6))
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "success"})
	if w.sat("merchant USD") != "0" || w.sat("unapplied BTC") != "0" || w.sat("reserved BTC") != "0" {
		t.Errorf("books: merchant %s, unapplied %s, reserved %s", w.sat("merchant USD"), w.sat("unapplied BTC"), w.sat("reserved BTC"))
	}
}

func TestWhatNobodyAskedForGoesBackByPolicy(t *testing.T) {
	w := newWorld(t)
	over := func(more fields) map[string]any {
		inv := w.merchant.create(fields{"buyer": fields{"email": "b@example.com"}}.with(more))
		addr := strings.TrimPrefix(strings.Split(inv["paymentCodes"].(map[string]any)["BTC"].(map[string]any)["BIP21"].(string), "?")[0], "bitcoin:")
		_, err := w.play.Pay(t.Context(), addr, 30_000)
		w.must(err)
		w.must(w.play.Mine(t.Context(), 6))
		w.spend()
		return w.merchant.get("/invoices/" + id(inv)).ok()
	}
	// By default it is offered back to the buyer, who bears the network's cost.
	inv := over(nil)
	want(t, inv, fields{"status": "complete", "exceptionStatus": "paidOver"})
	list := w.merchant.get("/refunds?invoiceId=" + id(inv)).list()
	if len(list) != 1 {
		t.Fatalf("%d refunds", len(list))
	}
	r := list[0].(map[string]any)
	want(t, r, fields{"type": "overpayment", "amount": 5, "transactionAmount": json.Number("0.0001"), "buyerPaysRefundFee": true, "status": "created"})
	w.claim(r, buyersAddress)
	w.spend()
	w.must(w.play.Mine(t.Context(), 6))
	want(t, w.merchant.get("/refunds/"+id(r)).ok(), fields{"status": "success"})
	// The merchant's own refund of the price is still possible.
	w.refund(inv, fields{"buyerPaysRefundFee": true}).ok()

	w.settings(merchant.Settings{OnOver: merchant.ToCredit})
	before := w.sat("merchant USD")
	over(nil)
	if got := w.sat("merchant USD"); got == before || w.sat("unapplied BTC") != "0" {
		t.Errorf("ledger %s → %s, unapplied %s", before, got, w.sat("unapplied BTC"))
	}
	w.settings(merchant.Settings{OnOver: merchant.ToHold})
	held := over(nil)
	if w.sat("unapplied BTC") != "-10000" {
		t.Errorf("held: %s", w.sat("unapplied BTC"))
	}
	w.must(w.app.DecidePayment(t.Context(), id(held), merchant.ToCredit))
	if w.sat("unapplied BTC") != "0" {
		t.Errorf("decided: %s", w.sat("unapplied BTC"))
	}
}

func TestALittleLessIsEnoughIfTheMerchantSaysSo(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{UnderTolerance: 100})
	inv := w.merchant.create(nil)
	addr := strings.TrimPrefix(strings.Split(inv["paymentCodes"].(map[string]any)["BTC"].(map[string]any)["BIP21"].(string), "?")[0], "bitcoin:")
	_, err := w.play.Pay(t.Context(), addr, 19_800)
	w.must(err)
	w.must(w.play.Mine(t.Context(), 6))
	want(t, w.merchant.get("/invoices/"+id(inv)).ok(), fields{"status": "complete", "amountPaid": 19_800})
	if got := w.sat("wallet BTC") + " " + w.sat("exchange BTC"); got != "19800 -19800" {
		t.Errorf("wallet and exchange: %s", got)
	}
}

func TestLedgersAreReadByPeriod(t *testing.T) {
	w := newWorld(t)
	if a := w.merchant.get("/ledgers/USD"); a.bare != nil || len(a.list()) != 0 {
		t.Errorf("an empty ledger is %s", a.raw)
	}
	want(t, w.merchant.get("/ledgers").list()[0].(map[string]any), fields{"currency": "USD", "balance": 0})
	w.paid("complete", nil)
	if n := len(w.merchant.get("/ledgers/usd?startDate=2026-03-01&endDate=2026-03-01").bare); n != 1 {
		t.Errorf("%d lines today", n)
	}
	if n := len(w.merchant.get("/ledgers/USD?startDate=2026-01-01&endDate=2026-02-28").list()); n != 0 {
		t.Errorf("%d lines before", n)
	}
	for _, q := range []string{"startDate=2024-01-01&endDate=2026-01-01", "startDate=x", "startDate=2026-03-02&endDate=2026-03-01", "limit=0"} {
		if a := w.merchant.get("/ledgers/USD?" + q); a.code() != "020002" {
			t.Errorf("%s: %s", q, a.code())
		}
	}
	if a := w.merchant.get("/ledgers/NOPE"); a.code() != "020001" || a.status != http.StatusNotFound {
		t.Errorf("%d %s", a.status, a.code())
	}
}

// A merchant may keep its ledger in what was paid, and pays a fee if there is one.
func TestTheLedgersCurrencyAndFeeAreTheMerchants(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{LedgerInAsset: true, FeeBasisPoints: 100, FeeFlat: 7})
	w.paid("complete", nil)
	lines := w.merchant.get("/ledgers/BTC").bare
	want(t, lines[0].(map[string]any), fields{"code": 1000, "amount": 20_000})
	want(t, lines[1].(map[string]any), fields{"code": 1023, "amount": -207})
	if w.sat("exchange BTC") != "0" || w.sat("revenue/fees BTC") != "-207" {
		t.Errorf("exchange %s, fees %s", w.sat("exchange BTC"), w.sat("revenue/fees BTC"))
	}
}
