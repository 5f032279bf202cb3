package mail

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
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

// Compose writes the mail for an event of an invoice. The state it shows is the
// one of now. url is the invoice's page.
func Compose(e store.Event, s app.Shown, url string) (Message, error) {
	w, ok := told[e.Code]
	if !ok {
		return Message{}, fmt.Errorf("no mail is written for event %d %s", e.Code, e.Name)
	}
	o := &s.Terms.Order
	name := o.OrderID // the order's number, or else the invoice's
	if name == "" {
		name = s.ID
	}
	title := "Invoice " + name + " " + w.Title
	l := Letter{
		Subject: title + ": " + amount(o.Currency, o.Price), Title: title, Text: []string{w.What},
		Link: url, LinkText: "Open the invoice", From: o.MerchantName,
	}
	l.row("Amount", amount(o.Currency, o.Price))
	if asset := s.PaymentAsset(); asset != "" {
		l.row("Received", amount(asset, s.Received()))
	}
	l.row("Order", o.OrderID)
	l.row("Invoice", s.ID)
	l.row("Status", string(s.Status))
	l.row("Event", when(e.At))
	return l.Message()
}

func when(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
