package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// The operator closes the period. What pending refunds need stays, the rest is
// settled, and the report adds up to the cent.
func (d *desk) settles(t *testing.T) {
	ctx, now, inv := t.Context(), time.Now(), d.sell(t, "60.00")
	r, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "7.50"})
	must(t, err)
	var closed wire.Settlement
	d.s.operator(&closed, "settlement", "now", "--currency", "USD")
	list, err := d.c.Settlements(ctx, client.SettlementFilter{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1), Currency: "USD", Status: "completed", Limit: 1})
	must(t, err)
	if len(list) != 1 || list[0].ID != closed.ID || list[0].LedgerEntries != nil {
		t.Fatalf("listed %+v", list)
	}
	s, err := d.c.Settlement(ctx, closed.ID)
	must(t, err)
	held := 750 + cents(t, r.RefundFee)
	if s.Token != list[0].Token || len(s.Withholdings) != 1 || s.Withholdings[0].Code != "W005" || cents(t, s.WithholdingsSum) != held || d.balance(t) != held {
		t.Errorf("withheld %+v of %d cents, balance %d", s.Withholdings, held, d.balance(t))
	}
	report, err := d.c.ReconciliationReport(ctx, s.ID, s.Token)
	must(t, err)
	d.addsUp(t, report)
	if _, err := d.c.ReconciliationReport(ctx, s.ID, inv.Token); err == nil {
		t.Error("another resource's token opened the report")
	}
	_, err = d.c.CancelRefund(ctx, r.ID)
	must(t, err)
	d.sell(t, "25.00")
	d.s.operator(&closed, "settlement", "now")
	next, err := d.c.Settlement(ctx, closed.ID)
	must(t, err)
	second, err := d.c.ReconciliationReport(ctx, next.ID, next.Token)
	must(t, err)
	d.addsUp(t, second)
	if second.OpeningDate != report.ClosingDate || cents(t, second.TotalAmount) != held+2500 || d.balance(t) != 0 {
		t.Errorf("the next period opens at %s after %s and settles %s; %d cents are left", second.OpeningDate, report.ClosingDate, second.TotalAmount, d.balance(t))
	}
}

// addsUp holds a report against itself.
func (d *desk) addsUp(t *testing.T, s *wire.Settlement) {
	t.Helper()
	if s.LedgerEntries == nil || len(*s.LedgerEntries) == 0 {
		t.Fatal("the report has no lines")
	}
	var sum int64
	sold := false
	for _, l := range *s.LedgerEntries {
		sum += cents(t, l.Amount)
		sold = sold || l.Code == 1000 && l.InvoiceData != nil && l.InvoiceData.PayoutPercentage["USD"] == 100
	}
	opening, entries, withheld, total := cents(t, s.OpeningBalance), cents(t, s.LedgerEntriesSum), cents(t, s.WithholdingsSum), cents(t, s.TotalAmount)
	if sum != entries || opening+entries-withheld != total || !sold {
		t.Errorf("lines of %d cents; %d + %d - %d = %d; a sale among them: %v", sum, opening, entries, withheld, total, sold)
	}
}

// A bill is mailed, its payer pays it from its page, and it is complete with that
// invoice.
func (d *desk) bills(t *testing.T) {
	ctx := t.Context()
	b, err := d.c.CreateBill(ctx, client.Merchant, wire.Bill{
		Number: "2026-7", Currency: "USD", Email: "payer@example.com", DueDate: "2031-05-31", CC: []string{"copy@example.com"},
		Items: []wire.BillItem{{Description: "Lamp", Price: "3.50", Quantity: 2}},
	})
	must(t, err)
	b.Items[0].Quantity = 4
	changed, err := d.c.UpdateBill(ctx, b.ID, *b)
	must(t, err)
	if b.Status != "draft" || changed.Number != "2026-7" || changed.Items[0].Quantity != 4 || changed.DueDate != "2031-05-31T00:00:00.000Z" {
		t.Errorf("made %s, changed to %+v", b.Status, changed)
	}
	must(t, d.c.DeliverBill(ctx, b.ID, b.Token))
	if err := d.c.DeliverBill(ctx, b.ID, b.Token); code(err) != "010002" {
		t.Errorf("delivered twice in a minute: %v", err)
	}
	d.mail(t, `to copy@example.com[^<]*<[^<]*<pre>[^<]*Bill 2026-7[^<]*/bill\?id=`+b.ID)
	d.payBill(t, b.ID)
	list, err := d.c.Bills(ctx, "complete")
	must(t, err)
	if len(list) != 1 || list[0].ID != b.ID {
		t.Errorf("complete bills: %+v", list)
	}
	_, err = d.c.CreateBill(ctx, client.Merchant, wire.Bill{Currency: "USD", Items: b.Items})
	if code(err) != "010002" || !strings.HasPrefix(err.Error(), "Validation errors occurred: Valid email required if emailBill is not set to false.") {
		t.Errorf("a bill for nobody: %v", err)
	}
}

// payBill presses the button on a bill's page and pays the invoice behind it.
func (d *desk) payBill(t *testing.T, id string) {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.PostForm(d.s.url+"/bill/pay", url.Values{"id": {id}})
	must(t, err)
	resp.Body.Close()
	to, err := resp.Location()
	must(t, err)
	inv, err := d.c.PayInvoice(t.Context(), to.Query().Get("id"), "complete")
	must(t, err)
	b, err := d.c.Bill(t.Context(), client.Merchant, id)
	must(t, err)
	if b.Status != "complete" || inv.BillID != id || cents(t, inv.Price) != 1400 || inv.OrderID != "2026-7" {
		t.Errorf("the bill is %s; invoice of bill %s over %s for order %q", b.Status, inv.BillID, inv.Price, inv.OrderID)
	}
}

// An active subscription delivers its first bill at once, and none any more when
// it is cancelled.
func (d *desk) subscribes(t *testing.T) {
	ctx := t.Context()
	s, err := d.c.CreateSubscription(ctx, wire.Subscription{Schedule: "weekly", BillData: wire.Bill{
		Number: "rent", Currency: "USD", Email: "tenant@example.com", DueDate: time.Now().AddDate(0, 0, 10).UTC().Format(time.RFC3339),
		Items: []wire.BillItem{{Description: "Rent", Price: "9.00", Quantity: 1}},
	}})
	must(t, err)
	if s.Status != "draft" || len(strings.Fields(s.Schedule)) != 6 {
		t.Errorf("made %s on %q", s.Status, s.Schedule)
	}
	s.Status = "active"
	_, err = d.c.UpdateSubscription(ctx, s.ID, *s)
	must(t, err)
	bill := d.mail(t, `to tenant@example.com[^<]*<[^<]*<pre>[^<]*/bill\?id=([1-9A-HJ-NP-Za-km-z]+)`)[1]
	b, err := d.c.Bill(ctx, client.Merchant, bill)
	must(t, err)
	if b.Status != "sent" || b.Number != "rent" || b.DueDate <= b.CreatedDate {
		t.Errorf("the bill of the subscription: %+v", b)
	}
	s.Status, s.Token = "cancelled", ""
	_, err = d.c.UpdateSubscription(ctx, s.ID, *s)
	must(t, err)
	read, err := d.c.Subscription(ctx, s.ID)
	must(t, err)
	list, err := d.c.Subscriptions(ctx, "cancelled")
	must(t, err)
	if read.Status != "cancelled" || len(list) != 1 || list[0].ID != s.ID {
		t.Errorf("read %s, listed %+v", read.Status, list)
	}
	s.Status = "active"
	if _, err := d.c.UpdateSubscription(ctx, s.ID, *s); code(err) != "030002" {
		t.Errorf("a cancelled one came back: %v", err)
	}
}

// A ledger is asked for a year at most, and an empty one is an empty list.
func (d *desk) asksLedgers(t *testing.T) {
	now := time.Now()
	if _, err := d.c.LedgerEntries(t.Context(), "USD", client.LedgerFilter{From: now.AddDate(-2, 0, 0), To: now}); code(err) != "020002" {
		t.Errorf("two years: %v", err)
	}
	lines, err := d.c.LedgerEntries(t.Context(), "CAD", client.LedgerFilter{})
	if err != nil || len(lines) != 0 {
		t.Errorf("an empty ledger: %+v, %v", lines, err)
	}
	page, err := d.c.LedgerEntries(t.Context(), "USD", client.LedgerFilter{Limit: 1, Offset: 1})
	if err != nil || len(page) != 1 {
		t.Errorf("a page of one: %+v, %v", page, err)
	}
}
