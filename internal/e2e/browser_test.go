package e2e

import (
	"crypto/rand"
	"testing"

	"github.com/quittance/quittance/client"
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
	runNode(t, s, "checkout.test.mjs", "QUITTANCE_POS_TOKEN="+token.Token, "QUITTANCE_ACCESS_KEY="+merchant.AccessKey,
		"QUITTANCE_PAIRING_CODE="+request.PairingCode, "QUITTANCE_PAIRING_SIN="+key.SIN())
	if tokens, err := c.LoadTokens(t.Context()); err != nil || tokens[client.Merchant] != request.Token {
		t.Errorf("after the approval the client has the tokens %v (%v)", tokens, err)
	}
}
