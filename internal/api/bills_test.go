package api

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
)

func TestABillIsMadeReadChangedAndDelivered(t *testing.T) {
	w := newWorld(t)
	b := w.merchant.post("/bills", twoItems).ok()
	want(t, b, fields{
		"status": "draft", "number": "secret-number", "currency": "USD", "dueDate": "2026-05-31T00:00:00.000Z", "createdDate": "2026-03-01T12:00:00.000Z",
		"passProcessingFee": true, "emailBill": true, "merchant": w.shop.ID, "url": publicURL + "/bill?id=" + id(b) + "&resource=bills",
	})
	first := b["items"].([]any)[0].(map[string]any)["id"]
	owner := &client{w: w, signer: w.merchant.signer, token: b["token"].(string)}
	changed := owner.put("/bills/"+id(b), twoItems.with(fields{"number": nil, "email": "other@payer.example", "id": "ignored", "status": "complete"})).ok()
	want(t, changed, fields{"id": id(b), "status": "draft", "number": "secret-number", "email": "other@payer.example", "token": b["token"]})
	if changed["items"].([]any)[0].(map[string]any)["id"] == first {
		t.Error("an item kept its id over an update")
	}
	if a := owner.post("/bills/"+id(b)+"/deliveries", nil); string(a.raw) != `{"data":"Success"}` {
		t.Errorf("delivered: %s", a.raw)
	}
	if to := w.column(`SELECT endpoint FROM lane WHERE kind = 'mail' ORDER BY endpoint`); strings.Join(to, " ") != "other@payer.example secret@copy.example" {
		t.Errorf("mails to %v", to)
	}
	owner.post("/bills/"+id(b)+"/deliveries", nil).refused(400, "010002")
	w.pass(time.Minute)
	owner.post("/bills/"+id(b)+"/deliveries", nil).data()
	want(t, w.merchant.get("/bills/"+id(b)).ok(), fields{"status": "sent"})
	if list := w.merchant.get("/bills?status=sent").list(); len(list) != 1 {
		t.Errorf("%d sent bills", len(list))
	}
	if a := w.merchant.get("/bills?status=nonsense"); string(a.raw) != `{"facade":"merchant/bill","data":[]}` {
		t.Errorf("an empty list: %s", a.raw)
	}
}

func TestABillWithoutAnAddressIsRefusedInTheKnownWords(t *testing.T) {
	w := newWorld(t)
	a := w.merchant.post("/bills", twoItems.with(fields{"email": nil})).refused(400, "010002")
	if a.message() != "Validation errors occurred: Valid email required if emailBill is not set to false." {
		t.Error(a.message())
	}
	b := w.merchant.post("/bills", twoItems.with(fields{"email": nil, "emailBill": false})).ok()
	want(t, b, fields{"emailBill": false})
	w.merchant.post("/bills/"+id(b)+"/deliveries", nil).refused(400, "010002")
}

func TestAPosTerminalSeesNotWhoIsBilled(t *testing.T) {
	w := newWorld(t)
	b := w.till.post("/bills", twoItems).ok()
	for _, hidden := range []string{"name", "address1", "city", "phone", "merchant", "emailBill"} {
		if _, there := b[hidden]; there {
			t.Errorf("%s is shown", hidden)
		}
	}
	want(t, b, fields{"email": "secret@payer.example", "status": "draft"})
	w.till.post("/bills/"+id(b)+"/deliveries", nil).data()
}

func TestABillFollowsTheInvoiceThatPaysIt(t *testing.T) {
	w := newWorld(t)
	w.play.open()
	b := w.merchant.post("/bills", twoItems).ok()
	one, err := w.app.PayBill(t.Context(), id(b))
	w.must(err)
	two, err := w.app.PayBill(t.Context(), id(b))
	w.must(err)
	if one != two {
		t.Error("two tabs opened two invoices")
	}
	inv := w.merchant.get("/invoices/" + one).ok()
	want(t, inv, fields{"billId": id(b), "orderId": "secret-number", "currency": "USD"})
	want(t, w.merchant.get("/bills/"+id(b)).ok(), fields{"status": "new"})
	w.pass(time.Hour)
	w.must(w.play.Settle(t.Context()))
	w.must(w.app.CloseWindows(context.WithoutCancel(t.Context())))
	want(t, w.merchant.get("/invoices/"+one).ok(), fields{"status": "expired"})
	three, err := w.app.PayBill(t.Context(), id(b))
	w.must(err)
	if three == one {
		t.Fatal("an expired invoice was offered again")
	}
	changed := w.merchant.put("/bills/"+id(b), twoItems.with(fields{"items": items(fields{"price": 7, "quantity": 3})})).ok()
	want(t, changed, fields{"status": "new"})
	want(t, w.merchant.get("/invoices/"+three).ok(), fields{"status": "expired", "isCancelled": true})
	four, err := w.app.PayBill(t.Context(), id(b))
	w.must(err)
	w.merchant.put("/invoices/pay/"+four, fields{"status": "confirmed"}).ok()
	want(t, w.merchant.get("/bills/"+id(b)).ok(), fields{"status": "paid"})
	w.merchant.put("/bills/"+id(b), twoItems).refused(400, "030002")
	w.merchant.put("/invoices/pay/"+four, fields{"status": "complete"}).ok()
	want(t, w.merchant.get("/bills/"+id(b)).ok(), fields{"status": "complete"})
}

func TestASubscriptionMakesItsBills(t *testing.T) {
	w := newWorld(t)
	s := w.merchant.post("/subscriptions", fields{"billData": twoItems.with(fields{"dueDate": "2026-03-11T12:00:00Z"}), "status": "active"}).ok()
	want(t, s, fields{"status": "active", "schedule": "0 0 0 1 * *", "nextDelivery": "2026-03-01T12:00:00.000Z"})
	deliver := func(bills int) []any {
		t.Helper()
		w.must(w.app.DeliverSubscriptions(t.Context()))
		w.must(w.app.DeliverSubscriptions(t.Context()))
		list := w.merchant.get("/bills").list()
		if len(list) != bills {
			t.Fatalf("%d bills, want %d", len(list), bills)
		}
		return list
	}
	want(t, deliver(1)[0].(map[string]any), fields{"status": "sent", "dueDate": "2026-03-11T12:00:00.000Z", "email": "secret@payer.example"})
	w.pass(30 * 24 * time.Hour)
	deliver(1)
	w.pass(100 * 24 * time.Hour) // away from April until July: one bill, the latest
	want(t, deliver(2)[0].(map[string]any), fields{"dueDate": "2026-07-11T00:00:00.000Z"})
	owner := &client{w: w, signer: w.merchant.signer, token: s["token"].(string)}
	owner.put("/subscriptions/"+id(s), fields{"billData": s["billData"], "status": "cancelled"}).ok()
	w.pass(1000 * 24 * time.Hour)
	deliver(2)
	a := owner.put("/subscriptions/"+id(s), fields{"billData": s["billData"], "status": "active"}).refused(400, "030002")
	if !strings.Contains(a.message(), "cancelled") {
		t.Error(a.message())
	}
}

// Two processes look at the clock at the same moment: one bill comes of it.
func TestTwoClocksMakeOneBill(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.merchant.post("/subscriptions", series.with(fields{"status": "active", "nextDelivery": nil})).ok()
	}
	other := app.New(w.app.Config)
	var both sync.WaitGroup
	for _, a := range []*app.App{w.app, other, w.app, other} {
		both.Go(func() {
			if err := a.DeliverSubscriptions(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if list := w.merchant.get("/bills").list(); len(list) != 5 {
		t.Errorf("%d bills of five subscriptions", len(list))
	}
}
