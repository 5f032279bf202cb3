package e2e

import (
	"crypto/rand"
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// A buyer pays in Chromium and watches the state change; a merchant approves a
// client on the pairing page.
func TestChromium(t *testing.T) {
	requireNode(t)
	s := newServer(t, "")
	var token struct{ Token string }
	s.operator(&token, "pair", "create", "--open")
	var merchant struct{ AccessKey string }
	s.operator(&merchant, "merchant", "key")
	key, err := client.NewKey(rand.Reader)
	must(t, err)
	c := client.New(s.url, key)
	request, err := c.RequestToken(t.Context(), client.Merchant, "a shop's back office")
	must(t, err)
	payroll, err := c.RequestToken(t.Context(), client.Payout, "payroll")
	must(t, err)
	s.operator(nil, "pair", "approve", payroll.PairingCode)
	_, err = c.SubmitRecipients(t.Context(), "", wire.NewRecipient{Email: "ada@example.com"})
	must(t, err)
	payee := newVisitor(t, s)
	runNode(t, s, "checkout.test.mjs", "QUITTANCE_RECIPIENT_LINK="+payee.link(map[string]bool{}), "QUITTANCE_RECIPIENT_ADDRESS="+payee.address(), "QUITTANCE_POS_TOKEN="+token.Token, "QUITTANCE_ACCESS_KEY="+merchant.AccessKey,
		"QUITTANCE_PAIRING_CODE="+request.PairingCode, "QUITTANCE_PAIRING_SIN="+key.SIN())
	if tokens, err := c.LoadTokens(t.Context()); err != nil || tokens[client.Merchant] != request.Token {
		t.Errorf("after the approval the client has the tokens %v (%v)", tokens, err)
	}
}

// Those who give and get money in Chromium: a buyer claims a refund, a recipient
// proves an address, a payer pays a bill, a merchant moves the settlements.
func TestChromiumMoneyPages(t *testing.T) {
	requireNode(t)
	s := newServer(t, "")
	runNode(t, s, "money-pages.test.mjs")
	s.verify(t)
}
