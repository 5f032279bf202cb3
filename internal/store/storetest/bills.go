package storetest

import (
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/subscription"
)

func billTerms() bill.Terms {
	return bill.Terms{
		Number: "7 \"é\"", Currency: "USD", Name: "n", Address1: "1", Address2: "2", City: "c", Region: "r", Zip: "z", Country: "US", Phone: "5",
		Email: "a@b.example", CC: []string{"c@d.example"}, Due: t0.Add(time.Hour), PassFee: true, NoEmail: true,
		Items: []bill.Item{{ID: "i", Description: "d", Price: money.NewUnits(1 << 63), Quantity: 3}},
	}
}

func bills(d *db) {
	one := &bill.Bill{ID: "b1", Merchant: "m1", APIToken: "api", Token: "own", Status: bill.Draft, Created: t0, Terms: billTerms(), State: bill.State{Facade: "pos"}}
	two := &bill.Bill{ID: "b2", Merchant: "m1", APIToken: "api", Token: "own2", Status: bill.Sent, Created: t0.Add(time.Second), Terms: billTerms()}
	for _, b := range []*bill.Bill{one, two, {ID: "b3", Merchant: "m2", Status: bill.Draft, Created: t0}} {
		d.update(func(tx *store.Tx) error { return tx.AddBill(b) })
	}
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddBill(one) })
	same(d, one, read(d, func(tx *store.Tx) (*bill.Bill, error) { return tx.Bill("b1") }))
	same(d, []*bill.Bill{two, one}, read(d, func(tx *store.Tx) ([]*bill.Bill, error) { return tx.Bills("m1", "") }))
	same(d, []*bill.Bill{two}, read(d, func(tx *store.Tx) ([]*bill.Bill, error) { return tx.Bills("m1", "sent") }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Bill("b9"); return err })
	stale := *one
	one.Status, one.State = bill.New, bill.State{Facade: "pos", Events: 2, Delivered: t0, Invoice: "inv", Opened: 1, From: "s"}
	one.Terms.Number = "8"
	d.update(func(tx *store.Tx) error { return tx.SetBill(one) })
	same(d, one, read(d, func(tx *store.Tx) (*bill.Bill, error) { return tx.Bill("b1") }))
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.SetBill(&stale) })
}

func subscriptions(d *db) {
	make := func(id string, status subscription.Status, next time.Duration) *subscription.Subscription {
		return &subscription.Subscription{
			ID: id, Merchant: "m1", APIToken: "api", Token: "own", Status: status, Created: t0, Next: t0.Add(next),
			Terms: subscription.Terms{Bill: billTerms(), Schedule: "0 0 0 1 * *", GapMS: 5}, State: subscription.State{Bills: 2, Last: "b"},
		}
	}
	late, early, draft, later := make("s1", subscription.Active, time.Minute), make("s2", subscription.Active, 0), make("s3", subscription.Draft, 0), make("s4", subscription.Active, time.Hour)
	for _, s := range []*subscription.Subscription{late, early, draft, later} {
		d.update(func(tx *store.Tx) error { return tx.AddSubscription(s) })
	}
	same(d, late, read(d, func(tx *store.Tx) (*subscription.Subscription, error) { return tx.Subscription("s1") }))
	due := func() []string {
		return read(d, func(tx *store.Tx) ([]string, error) { return tx.DueSubscriptions(t0.Add(time.Minute), 10) })
	}
	same(d, []string{"s2", "s1"}, due())
	stale := *late
	late.Next, late.State.Bills = t0.Add(24*time.Hour), 3
	d.update(func(tx *store.Tx) error { return tx.SetSubscription(late) })
	same(d, late, read(d, func(tx *store.Tx) (*subscription.Subscription, error) { return tx.Subscription("s1") }))
	same(d, []string{"s2"}, due())
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.SetSubscription(&stale) })
	if list := read(d, func(tx *store.Tx) ([]*subscription.Subscription, error) { return tx.Subscriptions("m1", "active") }); len(list) != 3 {
		d.t.Errorf("%d active", len(list))
	}
}
