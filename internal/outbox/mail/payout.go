package mail

import (
	"fmt"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
)

// Payout writes to the recipient when money is on its way, and to the merchant's
// address when it has arrived or failed.
func Payout(e store.Event, p *payout.Payout, m *merchant.Merchant) (Message, error) {
	t := &p.Terms
	l := Letter{From: m.Name}
	switch payout.Status(e.Status) {
	case payout.Processing:
		l.Title = m.Name + " has sent you " + amount(t.Currency, t.Amount)
		l.Text = []string{"It is on its way to the address that you gave. The network usually confirms it within an hour."}
		l.row("Message", t.Message)
	case payout.Complete:
		l.Title = "Payout to " + t.Email + " is complete"
		l.Text = []string{"The network has confirmed it. Nothing is left to do."}
	case payout.Failed:
		l.Title = "Payout to " + t.Email + " has failed"
		l.Text = []string{"It was never sent, and your ledger has the money again. " + p.State.Problem}
	default:
		return Message{}, fmt.Errorf("no mail is written for a payout that is %s", e.Status)
	}
	l.row("Amount", amount(t.Currency, t.Amount))
	if p.State.Asset != "" && !p.State.Sent.IsZero() {
		l.row("Sent", amount(p.State.Asset, p.State.Sent))
	}
	l.row("Reference", t.Reference)
	l.row("Payout", p.ID)
	l.row("Transaction", p.State.Txid)
	return l.Message()
}
