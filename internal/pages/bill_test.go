package pages

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/chain"
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

// A window that closed unpaid does not close the bill; money that came too late is
// told before somebody pays twice.
func TestABillWhoseInvoiceExpiredIsPaidByANewOne(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	b, err := w.app.CreateBill(ctx, w.merchant, w.token, bill.Terms{
		Currency: "USD", Email: "a@b.example", Items: []bill.Item{{Description: "Hat", Price: money.NewUnits(1050), Quantity: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	target := "/bill?id=" + b.ID
	open := func() string {
		t.Helper()
		u, _ := url.Parse(w.do("POST", "/bill/pay", url.Values{"id": {b.ID}}).Header().Get("Location"))
		return u.Query().Get("id")
	}
	// A bill is offered in each asset, so its window closes when both chains were read.
	litecoin := &handChain{w: w, name: "LTC", tip: chain.Ref{Hash: "genesis"}}
	closed := func() {
		t.Helper()
		w.pass(16 * time.Minute)
		w.shows(target, []string{"Please do not send anything now", `http-equiv="refresh"`}, `data-testid="pay"`)
		if err := litecoin.follow(ctx, app.Progress{}); err != nil {
			t.Fatal(err)
		}
		w.closeWindows()
	}
	first := open()
	w.shows(target, []string{"Continue the payment"}, `data-testid="again"`)
	closed()
	w.shows(target, []string{"nothing arrived", "Pay this bill"}, "Continue the payment", "See the payment", `http-equiv="refresh"`)
	w.shows(target+"&lang=de", []string{"zum heutigen Kurs"})
	second := open()
	if second == first {
		t.Fatal("the expired invoice is to be paid again")
	}
	closed()
	late, err := w.app.Invoice(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	w.pay(late.Invoice, due(late.Invoice))
	w.shows(target, []string{"Your payment came after the time was over", "Ask the shop before you pay a second time", "See the payment", "/invoice?id=" + second})
}
