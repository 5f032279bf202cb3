package api

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/rate"
)

// A client reads a subscription, the clock makes the bill, and the client sends back
// what it read, as the SDKs do: the delivery that was made is not made again.
func TestAnUpdateWithAnOldDateDoesNotRepeatADelivery(t *testing.T) {
	w := newWorld(t)
	s := w.merchant.post("/subscriptions", series.with(fields{"status": "active", "nextDelivery": "2026-03-05T00:00:00Z", "schedule": "monthly"})).ok()
	w.pass(5 * 24 * time.Hour)
	w.must(w.app.DeliverSubscriptions(t.Context()))
	w.merchant.put("/subscriptions/"+id(s), fields(s)).ok()
	want(t, w.merchant.get("/subscriptions/"+id(s)).ok(), fields{"nextDelivery": "2026-04-05T00:00:00.000Z"})
	w.must(w.app.DeliverSubscriptions(t.Context()))
	if list := w.merchant.get("/bills").list(); len(list) != 1 {
		t.Errorf("%d bills of one period", len(list))
	}
	// A later date is meant, also one that has come by now.
	w.merchant.put("/subscriptions/"+id(s), fields(s).with(fields{"nextDelivery": "2026-03-06T01:00:00Z"})).ok()
	w.must(w.app.DeliverSubscriptions(t.Context()))
	if list := w.merchant.get("/bills").list(); len(list) != 2 {
		t.Errorf("%d bills after one more was asked for", len(list))
	}
}

// meddling does something in the middle of what asks for rates.
type meddling struct {
	app.Rates
	once atomic.Pointer[func()]
}

func (m *meddling) Current() (*rate.Table, error) {
	if do := m.once.Swap(nil); do != nil {
		(*do)()
	}
	return m.Rates.Current()
}

// The merchant corrects a bill at the moment when its payer opens the invoice: what
// is paid is what the bill says.
func TestABillCorrectedWhileItIsOpenedIsPaidAtItsNewPrice(t *testing.T) {
	m := &meddling{}
	w := newWorld(t, func(s *setup) { m.Rates, s.app.Rates = s.app.Rates, m })
	one := []any{fields{"description": "x", "price": 10, "quantity": 1}}
	b := w.merchant.post("/bills", twoItems.with(fields{"items": one, "passProcessingFee": nil})).ok()
	correct := func() {
		dear := []any{fields{"description": "x", "price": 1000, "quantity": 1}}
		w.merchant.put("/bills/"+id(b), twoItems.with(fields{"items": dear, "passProcessingFee": nil})).ok()
	}
	m.once.Store(&correct)
	opened, err := w.app.PayBill(t.Context(), id(b))
	w.must(err)
	inv, err := w.app.Invoice(t.Context(), opened)
	w.must(err)
	if got := inv.Terms.Order.Price.String(); got != "100000" {
		t.Errorf("a bill of 1000.00 is paid with %s cents", got)
	}
}
