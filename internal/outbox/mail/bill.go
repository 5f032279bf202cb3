package mail

import (
	"fmt"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
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
	if err := l.items(&b.Terms, total); err != nil {
		return Message{}, err
	}
	l.row("Total", amount(b.Terms.Currency, total))
	if due := b.Terms.Due; !due.IsZero() {
		l.row("Due", due.UTC().Format("2 January 2006"))
	}
	l.row("For", b.Terms.Name)
	return l.Message()
}

// items adds a line for each item, and one for the fee if the payer bears it, so
// that the lines add up to the total.
func (l *Letter) items(t *bill.Terms, total money.Units) error {
	for _, it := range t.Items {
		sum, err := (&bill.Terms{Items: []bill.Item{it}}).Net()
		if err != nil {
			return err
		}
		what := it.Description
		if it.Quantity != 1 {
			what += fmt.Sprintf(" (%d × %s)", it.Quantity, amount(t.Currency, it.Price))
		}
		l.row("Item", what+": "+amount(t.Currency, sum))
	}
	net, err := t.Net()
	if err != nil {
		return err
	}
	if fee, err := total.Sub(net); err == nil && !fee.IsZero() {
		l.row("Fee", amount(t.Currency, fee)+" for processing")
	}
	return nil
}
