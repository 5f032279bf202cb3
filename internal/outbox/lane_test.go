package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/store"
)

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

func TestAFailingEndpointGetsEverythingInOrderOnceItRecovers(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	other := newShop(t)
	s.answers(func(got) int { return 500 })
	o := e.outbox()
	var ids []string
	for range 40 {
		ids = append(ids, e.cancelled(s.URL).ID)
	}
	e.cancelled(other.URL)
	e.step(o)
	if s.tried() != 1 || len(other.received()) != 1 {
		t.Fatalf("%d tries at the failing endpoint, want 1: the rest waits; %d at the healthy one, want 1", s.tried(), len(other.received()))
	}
	e.step(o)
	if s.tried() != 1 {
		t.Fatal("the head was tried again before its time")
	}
	e.clock.Add(2 * time.Minute)
	e.step(o)
	s.answers(nil)
	e.clock.Add(6 * time.Minute)
	e.step(o)
	if got := order(s.received(), ids); !slices.Equal(got, upTo(40)) {
		t.Errorf("arrived in the order %v", got)
	}
	log := e.deliveries(ids[0])[0]
	if log.State != store.Done || len(log.Tries) != 3 || log.Tries[0].Status != 500 || log.Tries[0].Answer != "answer 500" ||
		log.Tries[0].Error == "" || log.Tries[2].Status != 200 || log.Tries[2].Error != "" || log.Endpoint != s.URL || log.Code != 1004 {
		t.Errorf("the log says %+v", log)
	}
}

func TestThreeDaysOfOutageLoseNothing(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	s.answers(func(got) int { return 0 })
	o := e.outbox()
	var ids []string
	for hour := range 72 {
		if hour%6 == 0 {
			ids = append(ids, e.cancelled(s.URL).ID)
		}
		e.step(o)
		e.clock.Add(time.Hour)
	}
	s.answers(nil)
	for range 12 {
		e.clock.Add(time.Hour)
		e.step(o)
	}
	if got := order(s.received(), ids); !slices.Equal(got, upTo(len(ids))) {
		t.Errorf("arrived in the order %v", got)
	}
}

func TestADeliveryIsGivenUpAfterTheWholeScheduleAndTheLaneGoesOn(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	first := e.cancelled(s.URL).ID
	second := e.cancelled(s.URL).ID
	s.answers(func(g got) int {
		if g.ID == first {
			return 0
		}
		return 200
	})
	o, began := e.outbox(), e.clock.Now()
	for range 130 {
		e.step(o)
		e.clock.Add(time.Hour)
	}
	d := e.deliveries(first)[0]
	if d.State != store.Failed || len(d.Tries) < 10 {
		t.Fatalf("state %s after %d tries", d.State, len(d.Tries))
	}
	if span := d.Tries[len(d.Tries)-1].At.Sub(began); span < 75*time.Hour {
		t.Errorf("given up after %v", span)
	}
	if got := s.received(); len(got) != 1 || got[0].ID != second {
		t.Errorf("behind it arrived %d", len(got))
	}

	s.answers(nil)
	if err := e.app.Redeliver(context.Background(), d.ID); err != nil {
		t.Fatal(err)
	}
	e.step(o)
	if d := e.deliveries(first)[0]; d.State != store.Done || len(s.received()) != 2 {
		t.Errorf("after redelivery by hand it is %s", d.State)
	}
}

func TestAPoisonedMessageStepsAsideWithItsResourceOnly(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	poison := e.cancelled(s.URL).ID
	e.resend(poison)
	var ids []string
	for range 3 {
		ids = append(ids, e.cancelled(s.URL).ID)
	}
	s.answers(func(g got) int {
		if g.ID == poison {
			return 422
		}
		return 200
	})
	o := e.outbox()
	for range 4 {
		e.step(o)
		e.clock.Add(20 * time.Minute)
	}
	if n := len(s.received()); n != 0 {
		t.Fatalf("%d went past the head after only four refusals", n)
	}
	e.step(o)
	if got := order(s.received(), ids); !slices.Equal(got, upTo(3)) {
		t.Fatalf("after the fifth refusal arrived %v", got)
	}
	late := e.cancelled(s.URL).ID
	e.resend(poison) // joins the end of its resource's queue
	e.step(o)
	if got := s.received(); len(got) != 4 || got[3].ID != late {
		t.Fatalf("the lane stands still: %d arrived", len(got))
	}
	s.answers(nil)
	e.clock.Add(3 * time.Hour)
	e.step(o)
	var codes []int64
	for _, g := range s.received()[4:] {
		codes = append(codes, g.Code)
	}
	if !slices.Equal(codes, []int64{1004, 1012, 1012}) {
		t.Errorf("of the resource set aside arrived %v, want its cancellation first", codes)
	}
}

func TestWhatAnAbandonedPoisonHeldDoesNotBlockTheLane(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	poison := e.cancelled(s.URL).ID
	e.resend(poison)
	s.answers(func(g got) int {
		if g.ID == poison {
			return 400
		}
		return 200
	})
	o := e.outbox()
	for range 130 {
		e.step(o)
		e.clock.Add(time.Hour)
	}
	if d := e.deliveries(poison); d[0].State != store.Failed || d[1].State != store.Waiting {
		t.Fatalf("states are %s, %s", d[0].State, d[1].State)
	}
	e.cancelled(s.URL)
	e.step(o)
	if len(s.received()) != 1 {
		t.Error("the lane is held up by what came after a poisoned message")
	}
}

func TestTimeoutsNeverStepAside(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	s.answers(func(got) int { return 0 })
	a, b := e.cancelled(s.URL).ID, e.cancelled(s.URL).ID
	o := e.outbox()
	for range 10 {
		e.step(o)
		e.clock.Add(2 * time.Hour)
	}
	if n := len(e.deliveries(b)[0].Tries); n != 0 {
		t.Errorf("the second was tried %d times while the first waits", n)
	}
	if n := len(e.deliveries(a)[0].Tries); n < 8 {
		t.Errorf("the head was tried %d times", n)
	}
}

func TestACrashBetweenSendingAndRecordingSendsAgainUnderTheSameID(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.cancelled(s.URL)
	// The database is gone when the shop has answered: nothing is recorded and
	// the lease is not given back, as after a kill.
	s.answers(func(got) int { e.app.Store.Close(); return 200 })
	_ = e.outbox(func(c *outbox.Config) { c.Owner = "box" }).Step(context.Background())

	e.reopen()
	s.answers(nil)
	if d := e.deliveries(inv.ID)[0]; d.State != store.Waiting || d.Attempts != 0 {
		t.Fatalf("after the crash it is %s with %d tries", d.State, d.Attempts)
	}
	e.clock.Add(61 * time.Second) // the dead process's lease
	e.step(e.outbox())
	all := s.received()
	if len(all) != 2 || all[0].header.Get("Webhook-Id") == "" || all[0].header.Get("Webhook-Id") != all[1].header.Get("Webhook-Id") {
		t.Errorf("%d arrived", len(all))
	}
}

func TestARunUnderTheSameNameTakesOverAtOnce(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	lane := e.deliveries(e.cancelled(s.URL).ID)[0].Lane
	now := e.clock.Now()
	e.update(func(tx *store.Tx) error { return tx.LeaseLane(lane, "box", now, now.Add(time.Hour)) })
	ctx, stop := context.WithCancel(context.Background())
	s.answers(func(got) int { stop(); return 200 })
	if err := e.outbox(func(c *outbox.Config) { c.Owner = "box" }).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(s.received()) != 1 {
		t.Error("nothing arrived")
	}
}

func TestTwoOutboxesNeverSendTheSameAtOnce(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	var mu sync.Mutex
	seen := map[string]int{}
	s.answers(func(g got) int {
		mu.Lock()
		defer mu.Unlock()
		seen[g.header.Get("Webhook-Id")]++
		return 200
	})
	for i := range 60 {
		e.cancelled(fmt.Sprintf("%s/%d", s.URL, i%7))
	}
	var all sync.WaitGroup
	for range 4 {
		o := e.outbox()
		all.Go(func() { e.step(o) })
	}
	all.Wait()
	e.step(e.outbox())
	if len(seen) != 60 {
		t.Errorf("%d of 60 arrived", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

func TestALeaseHoldsOthersOffUntilItIsOver(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.cancelled(s.URL)
	lane := e.deliveries(inv.ID)[0].Lane
	now := e.clock.Now()
	e.update(func(tx *store.Tx) error { return tx.LeaseLane(lane, "another", now, now.Add(time.Minute)) })
	o := e.outbox()
	e.step(o)
	if s.tried() != 0 {
		t.Fatal("a lane leased by another was worked on")
	}
	e.clock.Add(61 * time.Second)
	e.step(o)
	if len(s.received()) != 1 {
		t.Error("the lane of a dead process was not taken over")
	}
}

func TestATryCutOffByAStopIsNotHeldAgainstTheEndpoint(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.cancelled(s.URL)
	ctx, stop := context.WithCancel(context.Background())
	s.answers(func(got) int { stop(); return 0 })
	_ = e.outbox().Step(ctx)
	if d := e.deliveries(inv.ID)[0]; d.State != store.Waiting || len(d.Tries) != 0 {
		t.Fatalf("after the stop it is %s with %d tries", d.State, len(d.Tries))
	}
	s.answers(nil)
	e.step(e.outbox())
	if len(s.received()) != 1 {
		t.Error("the lane was not given back")
	}
}

func TestVanishedRowsFailClearly(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	now := e.clock.Now()
	put := func(name, event, merchantID, resource string) {
		e.update(func(tx *store.Tx) error {
			if event != "" {
				ev := store.Event{ID: event, Merchant: merchantID, Kind: "invoice", Resource: resource, Seq: 99, Code: 1003, Name: "x", At: now}
				if err := tx.AddEvent(ev); err != nil {
					return err
				}
			}
			return tx.Enqueue(store.Lane{ID: name, Kind: "webhook", Endpoint: s.URL, Merchant: merchantID},
				store.Delivery{ID: "d-" + name, Event: event, Resource: resource, RunAt: now, Created: now})
		})
	}
	real := e.invoice(func(*invoice.Order) {})
	put("no event", "", e.merchant.ID, real.ID+"x")
	put("no invoice", "ev1", e.merchant.ID, "gone")
	put("no merchant", "ev2", "nobody", real.ID)
	e.step(e.outbox())
	for name, want := range map[string]string{"no event": "event", "no invoice": "invoice gone", "no merchant": "merchant nobody"} {
		e.update(func(tx *store.Tx) error {
			d, err := tx.Delivery("d-" + name)
			if err != nil {
				return err
			}
			tries, err := tx.Attempts(d.ID)
			if d.State != store.Failed || len(tries) != 1 || !strings.Contains(tries[0].Error, want) {
				t.Errorf("%s: %s, tries %+v", name, d.State, tries)
			}
			return err
		})
	}
	if s.tried() != 0 {
		t.Error("something was sent")
	}
}

func TestRunDeliversOnWakeAndStops(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	arrived := make(chan struct{}, 10)
	s.answers(func(got) int { arrived <- struct{}{}; return 204 })
	o := e.outbox()
	e.app.OnEvent(func(string) { o.Wake() })
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- o.Run(ctx) }()
	for range 3 {
		e.cancelled(s.URL)
		<-arrived
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestMailsGoOutBesideWebhooks(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.invoice(func(o *invoice.Order) { o.NotificationURL, o.NotificationEmail = s.URL, "boss@shop.example" })
	if _, err := e.app.CancelInvoice(context.Background(), inv.ID, false); err != nil {
		t.Fatal(err)
	}
	box := &mailbox{down: true}
	o := e.outbox(func(c *outbox.Config) { c.Mailer = box })
	e.step(o)
	if len(s.received()) != 1 {
		t.Fatal("the webhook waits for the mail")
	}
	box.down = false
	e.clock.Add(2 * time.Minute)
	e.step(o)
	if len(box.all) != 1 {
		t.Fatalf("%d mails", len(box.all))
	}
	m := box.all[0]
	if m.To != "boss@shop.example" || !strings.Contains(m.Subject, "shop/42") || !strings.Contains(m.Text, "10.50 USD") ||
		!strings.Contains(m.Text, "https://pay.example/invoice?id="+inv.ID) || !strings.Contains(m.HTML, "Ärger &amp; Söhne") {
		t.Errorf("mail is %+v", m)
	}
	i := slices.IndexFunc(e.deliveries(inv.ID), func(d app.Delivered) bool { return d.Kind == "mail" })
	d := e.deliveries(inv.ID)[i]
	if len(d.Tries) != 2 || d.Tries[0].Error != "the mail server is away" || d.State != store.Done || m.ID != d.ID {
		t.Errorf("the log says %+v", d)
	}
}

func TestTheSandboxKeepsMails(t *testing.T) {
	e := newEnv(t)
	inv := e.invoice(func(o *invoice.Order) { o.NotificationEmail = "boss@shop.example" })
	if _, err := e.app.CancelInvoice(context.Background(), inv.ID, false); err != nil {
		t.Fatal(err)
	}
	o := e.outbox(func(c *outbox.Config) { c.Mailer = mail.Sandbox{Store: e.app.Store} })
	e.step(o)
	if err := e.app.Redeliver(context.Background(), e.deliveries(inv.ID)[0].ID); err != nil {
		t.Fatal(err)
	}
	e.step(o)
	e.update(func(tx *store.Tx) error {
		list, err := tx.Mails(10)
		if len(list) != 1 || list[0].Recipient != "boss@shop.example" || !strings.Contains(list[0].Subject, "has expired") {
			t.Errorf("mails are %+v", list)
		}
		return err
	})
}
