package mail

import (
	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/merchant"
)

// ComposeBill writes the mail that asks for the payment of a bill. url is the
// bill's page.
func ComposeBill(b *bill.Bill, m *merchant.Merchant, url string) (Message, error) {
	total, err := b.Terms.Total(m.Settings.FeeBasisPoints, m.Settings.FeeFlat)
	if err != nil {
		return Message{}, err
	}
	name := b.Terms.Number // the merchant's number, or else ours
	if name == "" {
		name = b.ID
	}
	l := Letter{
		Subject: "Bill " + name + " from " + m.Name + ": " + amount(b.Terms.Currency, total), Title: "Bill " + name,
		Text: []string{m.Name + " asks you to pay this bill. Its page shows each item and lets you pay."},
		Link: url, LinkText: "Open the bill", From: m.Name,
	}
	for _, it := range b.Terms.Items {
		line, err := (&bill.Terms{Items: []bill.Item{it}}).Net()
		if err != nil {
			return Message{}, err
		}
		l.row("Item", it.Description+": "+amount(b.Terms.Currency, line))
	}
	l.row("Total", amount(b.Terms.Currency, total))
	if due := b.Terms.Due; !due.IsZero() {
		l.row("Due", due.UTC().Format("2 January 2006"))
	}
	l.row("For", b.Terms.Name)
	return l.Message()
}
