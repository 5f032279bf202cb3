package mail

import (
	"fmt"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// SettlementAddress asks a merchant to confirm where settlements go from now on.
func SettlementAddress(e store.Event, m *merchant.Merchant, url string) (Message, error) {
	if e.Name != "settlement_address" || m.Settings.NewAddress == "" {
		return Message{}, fmt.Errorf("no mail is written for event %s", e.Name)
	}
	l := Letter{
		Title: "Confirm the new address for settlements of " + m.Name,
		Text: []string{
			"Somebody with access to the server has asked to send settlements to the address below. If that was you, open the link and confirm it; it is used 24 hours after that.",
			"If it was not you, do not open the link, and look after your server: settlements still go to the old address.",
		},
		Link: url, LinkText: "Look at the address", From: m.Name,
	}
	l.row("New address", m.Settings.NewAddress)
	l.row("Old address", m.Settings.SettlementAddress)
	l.row("Asked", when(e.At))
	return l.Message()
}
