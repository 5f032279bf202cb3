package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

// at puts the clock to a time of the first week of March 2026; the 2nd is a Monday.
func (w *world) at(day, hour, minute int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC)
}

func (w *world) settle() []any {
	w.t.Helper()
	w.must(w.app.Settle(w.t.Context()))
	return w.merchant.get("/settlements").list()
}

// identity checks that a settlement adds up: with the lines of its report, to the
// cent.
func (w *world) identity(s map[string]any) {
	w.t.Helper()
	usd, _ := money.Lookup("USD")
	cents := func(v any) int64 {
		text := v.(json.Number).String()
		neg := strings.HasPrefix(text, "-")
		u, err := money.ParseDecimal(usd, strings.TrimPrefix(text, "-"))
		w.must(err)
		n, _ := u.Uint64()
		if neg {
			return -int64(n)
		}
		return int64(n)
	}
	if got := cents(s["openingBalance"]) + cents(s["ledgerEntriesSum"]) - cents(s["withholdingsSum"]); got != cents(s["totalAmount"]) {
		w.t.Errorf("%v + %v - %v is not %v", s["openingBalance"], s["ledgerEntriesSum"], s["withholdingsSum"], s["totalAmount"])
	}
	report := w.merchant.get("/settlements/" + id(s) + "/reconciliationReport").ok()
	var sum int64
	for _, l := range report["ledgerEntries"].([]any) {
		sum += cents(l.(map[string]any)["amount"])
	}
	if sum != cents(s["ledgerEntriesSum"]) {
		w.t.Errorf("the lines add up to %d cents, the settlement says %v", sum, s["ledgerEntriesSum"])
	}
}

func TestPeriodsCloseByTheClockAndAddUp(t *testing.T) {
	w := newWorld(t)
	w.at(2, 8, 0)
	w.paid("complete", nil)
	if list := w.settle(); len(list) != 0 {
		t.Errorf("settled below the minimum: %v", list)
	}
	w.paid("complete", fields{"orderId": "Bill 2", "price": 30})
	w.at(2, 8, 59)
	if list := w.settle(); len(list) != 0 {
		t.Errorf("settled before the period ended: %v", list)
	}
	w.at(2, 9, 5)
	list := w.settle()
	if len(list) != 1 {
		t.Fatalf("%d settlements", len(list))
	}
	first := list[0].(map[string]any)
	want(t, first, fields{
		"status": "completed", "currency": "USD", "openingBalance": 0, "ledgerEntriesSum": 40, "withholdings": []any{}, "withholdingsSum": 0,
		"totalAmount": 40, "dateCreated": "2026-03-02T09:05:00.000Z", "closingDate": "2026-03-02T08:00:00.000Z", "openingDate": "2026-03-01T12:00:00.000Z",
	})
	want(t, w.merchant.get("/settlements/"+id(first)).ok(), first)
	w.identity(first)
	if n := len(w.settle()); n != 1 {
		t.Errorf("%d settlements after a second look", n)
	}
	// The next period begins with what was settled still in, and takes it out.
	w.paid("complete", fields{"price": 25})
	refunded := w.paid("complete", fields{"price": 10})
	w.refund(refunded, fields{"amount": 4, "buyerPaysRefundFee": true}).ok()
	w.at(3, 9, 5)
	second := w.settle()[0].(map[string]any)
	want(t, second, fields{"openingBalance": 40, "ledgerEntriesSum": -5, "withholdingsSum": 4, "totalAmount": 31, "openingDate": first["closingDate"]})
	want(t, second["withholdings"].([]any)[0].(map[string]any), fields{"code": "W005", "description": "Pending Refunds", "amount": 4})
	w.identity(second)
	lines := w.merchant.get("/settlements/" + id(second) + "/reconciliationReport").ok()["ledgerEntries"].([]any)
	want(t, lines[0].(map[string]any), fields{"code": 1017, "amount": -40, "description": "Account Settlement " + id(first), "invoiceData": nil})
	want(t, lines[1].(map[string]any)["invoiceData"].(map[string]any), fields{"price": 25, "currency": "USD", "transactionCurrency": "BTC", "payoutPercentage": fields{"USD": 100}})
	if got := w.sat("merchant USD"); got != "-400" {
		t.Errorf("the ledger keeps %s cents for the refund", got)
	}
}

func TestFiatIsSettledOnBusinessDays(t *testing.T) {
	w := newWorld(t)
	w.at(6, 10, 0) // Friday, after the cut
	w.paid("complete", fields{"price": 30})
	for _, day := range []int{7, 8} {
		w.at(day, 9, 5)
		if list := w.settle(); len(list) != 0 {
			t.Errorf("settled on the %dth", day)
		}
	}
	w.at(9, 9, 5)
	if list := w.settle(); len(list) != 1 {
		t.Errorf("%d settlements on Monday", len(list))
	}
}

// What is spent between the end of a period and its closing is taken in: more
// than there is cannot be paid out.
func TestASettlementNeverTakesMoreThanThereIs(t *testing.T) {
	w := newWorld(t)
	w.at(2, 8, 0)
	inv := w.paid("complete", fields{"price": 40})
	w.at(2, 9, 1)
	w.refund(inv, fields{"amount": 15, "immediate": true, "buyerPaysRefundFee": true}).ok()
	w.at(2, 9, 5)
	s := w.settle()[0].(map[string]any)
	want(t, s, fields{"ledgerEntriesSum": 25, "totalAmount": 25})
	w.identity(s)
}

func TestTheThreeRails(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.settings(merchant.Settings{SettlementRail: "manual"})
	w.paid("complete", fields{"price": 30})
	s, err := w.app.SettleNow(ctx, w.shopNow(), "USD")
	w.must(err)
	want(t, w.merchant.get("/settlements/"+s.ID).ok(), fields{"status": "new", "totalAmount": 30, "dateExecuted": nil})
	if got := w.sat("merchant USD") + " " + w.sat("reserved USD"); got != "0 -3000" {
		t.Errorf("ledger and reserve: %s", got)
	}
	_, err = w.app.MarkSettlement(ctx, s.ID, false, money.Units{}, "the account is closed")
	w.must(err)
	want(t, w.merchant.get("/settlements/"+s.ID).ok(), fields{"status": "rejected"})
	lines := w.merchant.get("/ledgers/USD").bare
	want(t, lines[len(lines)-1].(map[string]any), fields{"code": int64(ledger.SettlementReversal), "amount": 3_000_000_000})
	w.pass(time.Second)
	s, err = w.app.SettleNow(ctx, w.shopNow(), "USD")
	w.must(err)
	w.paid("complete", nil)
	_, err = w.app.MarkSettlement(ctx, s.ID, true, money.NewUnits(250), "")
	w.must(err)
	want(t, w.merchant.get("/settlements/"+s.ID).ok(), fields{"status": "completed"})
	if got := w.sat("merchant USD") + " " + w.sat("reserved USD"); got != "-750 0" {
		t.Errorf("after the bank took its fee: %s", got)
	}
	if _, err := w.app.MarkSettlement(ctx, s.ID, false, money.Units{}, ""); err == nil {
		t.Error("a completed settlement was rejected")
	}

	w.settings(merchant.Settings{SettlementRail: "wallet", SettlementAddress: buyersAddress, SettlementMinimum: 100})
	w.paid("complete", fields{"price": 20})
	w.pass(time.Second)
	s, err = w.app.SettleNow(ctx, w.shopNow(), "USD")
	w.must(err)
	want(t, w.merchant.get("/settlements/"+s.ID).ok(), fields{"status": "new"})
	w.spend()
	want(t, w.merchant.get("/settlements/"+s.ID).ok(), fields{"status": "processing"})
	w.must(w.play.Mine(ctx, 6))
	want(t, w.merchant.get("/settlements/"+s.ID).ok(), fields{"status": "completed", "payoutInfo": fields{"name": "On chain", "address": buyersAddress}})
	if w.sat("reserved USD") != "0" {
		t.Errorf("reserved %s", w.sat("reserved USD"))
	}
	for _, st := range []string{"completed", "complete", "COMPLETED"} {
		if n := len(w.merchant.get("/settlements?status=" + st).list()); n != 2 {
			t.Errorf("%d settlements are %s", n, st)
		}
	}
	if n := len(w.merchant.get("/settlements?status=failed&currency=usd&dateStart=2026-03-01&dateEnd=2026-03-01").list()); n != 1 {
		t.Errorf("%d settlements failed", n)
	}
}

// shopNow is the shop with its present settings.
func (w *world) shopNow() *merchant.Merchant {
	w.t.Helper()
	var m *merchant.Merchant
	w.must(w.store.View(w.t.Context(), func(tx *store.Tx) (err error) {
		m, err = tx.Merchant(w.shop.ID)
		return err
	}))
	return m
}

// The SDKs ask for the report with the settlement's own token.
func TestTheReportOpensWithTheSettlementsToken(t *testing.T) {
	w := newWorld(t)
	w.paid("complete", fields{"price": 30, "orderId": "=1+1"})
	s, err := w.app.SettleNow(t.Context(), w.shopNow(), "USD")
	w.must(err)
	for _, path := range []string{"/reconciliationReport", "/reconciliationreport"} {
		own := &client{w: w, signer: w.merchant.signer, token: s.Token}
		r := own.get("/settlements/" + s.ID + path).ok()
		if len(r["ledgerEntries"].([]any)) != 1 {
			t.Errorf("%v", r)
		}
		thief := &client{w: w, signer: w.rival.signer, token: s.Token}
		if a := thief.get("/settlements/" + s.ID + path); a.status < 400 {
			t.Errorf("another identity got in: %s", a.raw)
		}
	}
	lines, err := w.app.ReconciliationLines(t.Context(), s)
	w.must(err)
	var out bytes.Buffer
	r := &view.Renderer{PublicURL: publicURL}
	w.must(r.WriteReport(&out, r.Report(s, lines)))
	rows, err := csv.NewReader(&out).ReadAll()
	w.must(err)
	if len(rows) != 4 || rows[2][3] != "30" || rows[2][6] != "'=1+1" || rows[3][3] != "30" {
		t.Errorf("report %v", rows)
	}
}

func TestAnUnknownSettlement(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"", "/reconciliationReport"} {
		if a := w.merchant.get("/settlements/Hpqc63wvE1ZjzeeH4kEycF" + path); a.code() != "020001" {
			t.Errorf("%s: %s", path, a.code())
		}
	}
	if a := w.merchant.get("/settlements?status=x"); a.code() != "020002" {
		t.Errorf("status x: %s", a.code())
	}
}
