package mail

import (
	"embed"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

//go:embed notice.txt notice.html
var files embed.FS

var (
	textNotice = text.Must(text.ParseFS(files, "notice.txt"))
	htmlNotice = html.Must(html.ParseFS(files, "notice.html"))
)

// words say what an event means, in plain language.
type words struct {
	Title string // follows "Invoice X "
	What  string
}

// told are the events that a mail is written for, by webhook code.
var told = map[int64]words{
	invoice.PaidInFull.Code:        {"is paid", "The full amount was seen on the network. It is not confirmed yet, so it could still be taken back: wait for the confirmation before you ship something valuable."},
	invoice.ConfirmedNotice.Code:   {"is confirmed", "The payment has the confirmations you asked for. You can deliver the order."},
	invoice.Completed.Code:         {"is complete", "The payment has six confirmations and is credited to you. Nothing is left to do."},
	invoice.ExpiredNotice.Code:     {"has expired", "The time to pay is over and the full amount was not received. Do not deliver the order. If the buyer still pays, you will be told."},
	invoice.FailedToConfirm.Code:   {"is invalid", "A payment was seen but it was replaced, dropped or not confirmed within an hour. Do not deliver the order. If it is confirmed later after all, you will be told."},
	invoice.DeclinedNotice.Code:    {"was declined", "The invoice was cancelled after a payment had been seen. Do not deliver the order; the payment may have to be returned to the buyer."},
	invoice.LatePaymentNotice.Code: {"got a late payment", "A payment arrived after the time to pay was over or after the invoice was cancelled. It is not applied to the price. Agree with the buyer whether to deliver or to return it."},
}

// notice is what the templates show.
type notice struct {
	words
	Name     string // the order's number, or else the invoice's
	Invoice  string
	Order    string // empty when the merchant gave none
	Merchant string
	Price    string // "10.00 USD"
	Received string // "0.0002 BTC"; empty when nothing was
	Status   string // now
	When     string
	URL      string
}

// Compose writes the mail for an event of an invoice. The state it shows is the
// one of now. url is the invoice's page.
func Compose(e store.Event, s app.Shown, url string) (Message, error) {
	w, ok := told[e.Code]
	if !ok {
		return Message{}, fmt.Errorf("no mail is written for event %d %s", e.Code, e.Name)
	}
	o := &s.Terms.Order
	n := notice{
		words: w, Name: o.OrderID, Invoice: s.ID, Order: o.OrderID, Merchant: o.MerchantName,
		Price: amount(o.Currency, o.Price), Status: string(s.Status), URL: url,
		When: e.At.UTC().Format("2 January 2006, 15:04 UTC"),
	}
	if n.Name == "" {
		n.Name = s.ID
	}
	if asset := s.PaymentAsset(); asset != "" {
		n.Received = amount(asset, s.Received())
	}
	var plain, page strings.Builder
	if err := textNotice.Execute(&plain, n); err != nil {
		return Message{}, err
	}
	if err := htmlNotice.Execute(&page, n); err != nil {
		return Message{}, err
	}
	return Message{Subject: oneLine("Invoice " + n.Name + " " + w.Title + ": " + n.Price), Text: plain.String(), HTML: page.String()}, nil
}

func amount(code string, u money.Units) string {
	if cur, ok := money.Lookup(code); ok {
		return money.Display(cur, u) + " " + code
	}
	return u.String() + " " + code
}

// oneLine makes a text fit for a header: no line breaks or other control
// characters, at most 200 characters.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200])
	}
	return s
}
