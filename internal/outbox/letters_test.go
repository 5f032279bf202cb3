package outbox_test

import (
	"context"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/outbox/mail/smtptest"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// smtp is a real session with a mail server for each mail.
func (e *env) smtp() (*smtptest.Server, *outbox.Outbox) {
	e.tb.Helper()
	srv := &smtptest.Server{}
	host, port, _ := srv.Start(e.tb)
	sender, err := mail.NewSMTP(mail.SMTPConfig{Host: host, Port: port, Security: mail.None, From: "Till <till@pay.example>"})
	if err != nil {
		e.tb.Fatal(err)
	}
	return srv, e.outbox(func(c *outbox.Config) { c.Mailer = sender })
}

// told gives an event a place in the lane of a reader, as the operations do.
func (e *env) told(tx *store.Tx, to string, ev store.Event) error {
	ev.ID, ev.Merchant, ev.Seq, ev.At = "event-"+ev.Kind+ev.Status+ev.Name, e.merchant.ID, 100+int64(len(ev.Status)), e.clock.Now()
	if err := tx.AddEvent(ev); err != nil {
		return err
	}
	lane := store.Lane{ID: "lane-" + to, Kind: "mail", Endpoint: to, Merchant: e.merchant.ID}
	return tx.Enqueue(lane, store.Delivery{ID: "delivery-" + ev.ID, Event: ev.ID, Resource: ev.Resource, RunAt: ev.At, Created: ev.At})
}

// say puts a text into all that a merchant or a buyer can choose, past every check,
// and makes each kind of mail of it. It returns who is written to.
func (e *env) say(s string) (to []string) {
	e.tb.Helper()
	ctx := context.Background()
	inv := e.invoice(func(o *invoice.Order) { o.NotificationEmail = "invoice@shop.example" })
	b, err := e.app.CreateBill(ctx, e.merchant, &merchant.Token{Token: apiToken, Merchant: e.merchant.ID, Facade: merchant.Full}, bill.Terms{
		Number: s, Currency: "USD", Name: s, Email: "payer@home.example", CC: []string{"copy@home.example"},
		Items: []bill.Item{{Description: s, Price: money.NewUnits(100), Quantity: 1}},
	})
	if err != nil {
		e.tb.Fatal(err)
	}
	if _, err := e.app.DeliverBill(ctx, b.ID); err != nil {
		e.tb.Fatal(err)
	}
	r := e.recipient("")
	e.update(func(tx *store.Tx) error {
		read, err := tx.Recipient(r.ID)
		if err != nil {
			return err
		}
		read.State.Label = s
		m, err := tx.Merchant(e.merchant.ID)
		if err != nil {
			return err
		}
		m.Name, m.Settings.NewAddress = s, s
		f := &refund.Refund{ID: "refund", Merchant: m.ID, Invoice: inv.ID, Token: "t", GUID: "g", Status: refund.Created, Terms: refund.Terms{Currency: "USD", Asset: "BTC", Reference: s}}
		p := &payout.Payout{ID: "payout", Merchant: m.ID, Token: "t2", Status: payout.Complete, Terms: payout.Terms{
			Recipient: r.ID, Email: "payee@example.com", Currency: "USD", Reference: s, Label: s, Message: s,
		}}
		for _, err := range []error{
			tx.SetRecipient(read), tx.SetMerchant(m), tx.AddRefund(f), tx.AddPayout(p),
			e.told(tx, "refund@home.example", store.Event{Kind: "refund", Resource: f.ID, Status: "created"}),
			e.told(tx, "books@shop.example", store.Event{Kind: "payout", Resource: p.ID, Status: "complete"}),
			e.told(tx, "sent@home.example", store.Event{Kind: "payout", Resource: p.ID, Status: "processing"}),
			e.told(tx, "boss@shop.example", store.Event{Kind: "merchant", Resource: m.ID, Name: "settlement_address", Detail: "code"}),
			e.told(tx, "invoice@shop.example", store.Event{Kind: "invoice", Resource: inv.ID, Code: invoice.Completed.Code, Name: invoice.Completed.Name}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return []string{"payer@home.example", "copy@home.example", "payee@example.com", "refund@home.example", "books@shop.example", "sent@home.example", "boss@shop.example", "invoice@shop.example"}
}

// Whatever others choose, each kind of mail goes to its reader alone, with our own
// headers, and leads to pages below the public address only.
func TestNoTextOfOthersReachesAHeaderOrALink(t *testing.T) {
	for _, s := range []string{
		"plain", "x\r\nBcc: victim@example.com\r\nX-Evil: 1\r\n\r\nhttps://evil.example/", "x\nBcc: victim@example.com", "x\rX-Evil: 1", "=?utf-8?q?x=0d=0aX-Evil:_1?=",
		"\"><a href=https://evil.example>x</a>", "x\r\n.\r\nMAIL FROM:<a@b.example>", strings.Repeat("é", 400), "x\x00y", "<img src=//evil.example/x>",
	} {
		t.Run(s[:min(len(s), 12)], func(t *testing.T) {
			e := newEnv(t)
			srv, o := e.smtp()
			to := e.say(s)
			for range 3 {
				e.step(o)
			}
			got := map[string]int{}
			for _, m := range srv.Mails() {
				l := m.Letter(t)
				l.Check(t, "https://pay.example")
				if from, err := l.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != "till@pay.example" {
					t.Errorf("from %v, %v", from, err)
				}
				got[l.To]++
			}
			for _, who := range to {
				if got[who] != 1 {
					t.Errorf("%s got %d mails", who, got[who])
				}
			}
			if len(got) != len(to) {
				t.Errorf("mails went to %v", got)
			}
		})
	}
}
