package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/outbox/mail/smtptest"
)

func TestABillReachesItsPayerAndTheCopies(t *testing.T) {
	b := &bill.Bill{ID: "b", Terms: bill.Terms{
		Number: "<7>", Currency: "USD", PassFee: true, Email: "payer@home.example", CC: []string{"copy@home.example"}, Due: time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC),
		Items: []bill.Item{{Description: "Hat & coat", Price: money.NewUnits(1050), Quantity: 3}},
	}}
	m, err := mail.ComposeBill(b, &merchant.Merchant{Name: "Shop", Settings: merchant.Settings{FeeBasisPoints: 243}}, "https://pay.example/bill?id=b&resource=bills")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Hat & coat (3 × 10.50 USD): 31.50 USD", "0.79 USD for processing", "32.29 USD", "31 May 2026", "https://pay.example/bill?id=b&resource=bills"} {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, strings.ReplaceAll(want, "&", "&amp;")) {
			t.Errorf("the mail does not say %q:\n%s", want, m.Text)
		}
	}
	if strings.Contains(m.HTML, "<7>") {
		t.Error("the number is not escaped")
	}
	s := &smtptest.Server{}
	host, port, _ := s.Start(t)
	smtp, err := mail.NewSMTP(mail.SMTPConfig{Host: host, Port: port, Security: mail.None, From: "shop@pay.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range append([]string{b.Terms.Email}, b.Terms.CC...) {
		m.To, m.ID, m.Date = to, "id-"+to, time.Now()
		if err := smtp.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Mails()
	if len(got) != 2 || !strings.Contains(got[0].To, "payer@home.example") || !strings.Contains(got[1].To, "copy@home.example") {
		t.Errorf("arrived: %v", got)
	}
}
