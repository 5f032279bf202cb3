package pages

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/money"
)

func TestABillIsPaidOnItsPage(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	b, err := w.app.CreateBill(ctx, w.merchant, w.token, bill.Terms{
		Number: "7<b>", Currency: "USD", Email: "a@b.example", Items: []bill.Item{{Description: "Hat & coat", Price: money.NewUnits(1050), Quantity: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	page := func(parts ...string) {
		t.Helper()
		rec := w.get("/bill?id=" + b.ID + "&resource=bills")
		for _, p := range parts {
			if rec.Code != 200 || !strings.Contains(rec.Body.String(), p) {
				t.Errorf("%d without %q:\n%s", rec.Code, p, rec.Body)
			}
		}
	}
	page("31.50 USD", "7&lt;b&gt;", "Hat &amp; coat", `data-state="draft"`, "Pay this bill")
	form := url.Values{"id": {b.ID}}
	if rec := w.do("POST", "/bill/pay", form, "Sec-Fetch-Site", "cross-site"); rec.Code != 403 {
		t.Errorf("another site's form: %d", rec.Code)
	}
	first, second := w.do("POST", "/bill/pay", form), w.do("POST", "/bill/pay", form)
	to := first.Header().Get("Location")
	if first.Code != 303 || to == "" || second.Header().Get("Location") != to {
		t.Fatalf("%d to %s, then to %s", first.Code, to, second.Header().Get("Location"))
	}
	page(`data-state="new"`, "Continue the payment")
	u, _ := url.Parse(to)
	inv, err := w.app.Invoice(ctx, u.Query().Get("id"))
	if err != nil {
		t.Fatal(err)
	}
	w.pay(inv.Invoice, due(inv.Invoice))
	page(`data-state="paid"`, "being confirmed")
	w.mine(6)
	page(`data-state="complete"`, "Thank you")
	if rec := w.get("/bill?id=nobody"); rec.Code != 404 || !strings.Contains(rec.Body.String(), "There is no such bill") {
		t.Errorf("an unknown bill: %d", rec.Code)
	}
}
