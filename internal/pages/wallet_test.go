package pages

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/merchant"
)

// speaking is a server whose BTC back end takes payments from wallets.
func speaking(c *app.Config, p *Config) {
	c.Assets[0].Spending = spending.New(bitcoin.Regtest)
	c.Assets[0].Sender, c.Assets[0].Inspector = struct{ chain.Sender }{}, struct{ chain.Inspector }{}
	p.Wallet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "options of "+r.PathValue("id"))
	})
}

// The page has a link for wallets that speak the payment protocol; what is scanned,
// and the first link, stay the plain request that every wallet reads. The invoice has
// both for the shop.
func TestAWalletMayAskTheServerWhatToPay(t *testing.T) {
	w := newWorld(t, speaking)
	inv := w.order()
	body := w.get("/invoice?id=" + inv.ID).Body.String()
	for _, want := range []string{
		`data-testid="protocol-link" href="bitcoin:?r=https://pay.example.com/i/` + inv.ID + `"`,
		`data-testid="wallet-link" href="bitcoin:` + inv.Terms.Options[0].Address + `?amount=`,
		`data-qr="bitcoin:` + inv.Terms.Options[0].Address + `?amount=`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	shown, err := w.app.Invoice(t.Context(), inv.ID)
	if err != nil {
		t.Fatal(err)
	}
	codes := w.pages.Renderer.Invoice(shown, merchant.POS, w.clock()).PaymentCodes["BTC"]
	if codes["BIP72b"] != "bitcoin:?r=https://pay.example.com/i/"+inv.ID || codes["BIP73"] != "https://pay.example.com/i/"+inv.ID || !strings.HasPrefix(codes["BIP21"], "bitcoin:bcrt1") {
		t.Errorf("payment codes %v", codes)
	}
}

// Where no back end takes payments from wallets, nothing says that one does.
func TestWhereNoWalletCanAskOnlyThePlainRequestIsShown(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	if body := w.get("/invoice?id=" + inv.ID).Body.String(); strings.Contains(body, "protocol-link") || !strings.Contains(body, "wallet-link") {
		t.Error("the page offers what the server does not speak")
	}
	shown, err := w.app.Invoice(t.Context(), inv.ID)
	if err != nil {
		t.Fatal(err)
	}
	if codes := w.pages.Renderer.Invoice(shown, merchant.POS, w.clock()).PaymentCodes["BTC"]; len(codes) != 1 || codes["BIP21"] == "" {
		t.Errorf("payment codes %v", codes)
	}
}

// One address is for wallets and for people: by what they accept they are told apart.
// Links that plugins print lead to the invoice.
func TestShortLinksLeadWalletsAndPeopleApart(t *testing.T) {
	w := newWorld(t, speaking)
	id := w.order().ID
	if got := w.get("/i/"+id, "Accept", "application/payment-options", "x-paypro-version", "2"); got.Body.String() != "options of "+id {
		t.Errorf("a wallet got %d %s", got.Code, got.Body)
	}
	for _, accept := range []string{"", "text/html", "*/*", "application/payment-request", "application/bitcoin-paymentrequest"} {
		if got := w.get("/i/"+id, "Accept", accept); got.Code != http.StatusFound || got.Header().Get("Location") != "/invoice?id="+id {
			t.Errorf("%q: %d to %s", accept, got.Code, got.Header().Get("Location"))
		}
	}
	if got := w.get("/dashboard/payments/" + id); got.Code != http.StatusFound || got.Header().Get("Location") != "/invoice?id="+id {
		t.Errorf("the dashboard's link: %d to %s", got.Code, got.Header().Get("Location"))
	}
}
