package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/store"
)

func paidInvoice() app.Shown {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	inv := invoice.Open("Hpqc63wvE1ZjzeeH4kEycF", "m", "t", "r", "g",
		invoice.Order{Price: money.NewUnits(1050), Currency: "USD", OrderID: "<b>42</b>", MerchantName: "Ärger & Söhne"}, nil, invoice.Lock{}, now)
	inv.Status = invoice.Paid
	inv.Credits = []invoice.Credit{{Asset: "BTC", Outpoint: chain.Outpoint{Txid: "a"}, Amount: money.NewUnits(21000), State: invoice.Pending}}
	return app.Shown{Invoice: inv}
}

func TestEveryNoticeHasItsMailInPlainWords(t *testing.T) {
	s := paidInvoice()
	seen := map[string]int64{}
	for _, n := range []invoice.Notice{
		invoice.PaidInFull, invoice.ConfirmedNotice, invoice.Completed, invoice.ExpiredNotice,
		invoice.FailedToConfirm, invoice.DeclinedNotice, invoice.LatePaymentNotice,
	} {
		m, err := mail.Compose(store.Event{Code: n.Code, Name: n.Name, At: s.Created}, s, "https://pay.example/invoice?id="+s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"10.50 USD", "0.000210 BTC", s.ID, "1 March 2026, 12:00 UTC"} {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("%s does not say %q:\n%s", n.Name, want, m.Text)
			}
		}
		if !strings.Contains(m.Text, "\nhttps://pay.example/invoice?id="+s.ID+"\n") || !strings.Contains(m.HTML, `href="https://pay.example/invoice?id=`+s.ID+`"`) {
			t.Errorf("%s lacks the link", n.Name)
		}
		if strings.Contains(m.HTML, "<b>42") || !strings.Contains(m.HTML, "Ärger &amp; Söhne") || !strings.Contains(m.Text, "<b>42</b>") {
			t.Errorf("%s escapes wrongly:\n%s", n.Name, m.HTML)
		}
		if other, ok := seen[m.Subject]; ok {
			t.Errorf("%d and %d have the same subject %q", other, n.Code, m.Subject)
		}
		seen[m.Subject] = n.Code
	}
	if _, err := mail.Compose(store.Event{Code: 1012}, s, ""); err == nil {
		t.Error("a resent webhook is no mail")
	}
}

func TestASubjectIsOneShortLine(t *testing.T) {
	s := paidInvoice()
	s.Terms.Order.OrderID = "1\r\nBcc: x@y.example" + strings.Repeat("é", 500)
	m, err := mail.Compose(store.Event{Code: invoice.PaidInFull.Code}, s, "u")
	if err != nil || strings.ContainsAny(m.Subject, "\r\n") || len([]rune(m.Subject)) > 200 {
		t.Errorf("subject %q (%v)", m.Subject, err)
	}
}
