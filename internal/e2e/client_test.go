package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// pair returns a client of the server with a merchant token.
func pair(t *testing.T, s *server) *client.Client {
	t.Helper()
	key, err := client.NewKey(rand.Reader)
	must(t, err)
	c := client.New(s.url, key)
	token, err := c.RequestToken(t.Context(), client.Merchant, "go client")
	must(t, err)
	s.operator(nil, "pair", "approve", token.PairingCode)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The Go client does all that the API offers, on both engines.
func TestGoClient(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, database(t))
			c := pair(t, s)
			t.Run("it finds its tokens again by its key", func(t *testing.T) { findTokens(t, s, c) })
			t.Run("it claims a code that the merchant made", func(t *testing.T) { claimCode(t, s) })
			t.Run("another key is linked and removed", func(t *testing.T) { linkKeys(t, c) })
			t.Run("it asks rates, currencies and wallets", func(t *testing.T) { askPublic(t, s) })
			t.Run("it takes an invoice through its life", func(t *testing.T) { liveInvoice(t, c) })
			t.Run("it cancels by id and by guid", func(t *testing.T) { cancelInvoices(t, c) })
			t.Run("a refusal carries code and words", func(t *testing.T) { readRefusal(t, c) })
			d := newDesk(t, s, c)
			t.Run("a complete invoice is in the ledger", d.isCredited)
			t.Run("it previews, confirms and withdraws refunds", d.previewsRefund)
			t.Run("a refund reaches its buyer", d.paysRefund)
			t.Run("a recipient is invited, proven and paid", d.paysRecipient)
			t.Run("a group is paid as far as it can be", d.paysGroup)
			t.Run("it finds and withdraws payouts", d.cancelsPayout)
			t.Run("it asks for a ledger's lines", d.asksLedgers)
			t.Run("a period is settled and reported", d.settles)
			t.Run("a bill is delivered and paid", d.bills)
			t.Run("a subscription delivers a bill", d.subscribes)
			t.Run("in the end the books are right", s.verify)
		})
	}
}

func findTokens(t *testing.T, s *server, c *client.Client) {
	want, _ := c.Token(client.Merchant)
	got, err := c.LoadTokens(t.Context())
	must(t, err)
	if got[client.Merchant] != want {
		t.Errorf("the merchant token is %q, want %q", got[client.Merchant], want)
	}
}

func claimCode(t *testing.T, s *server) {
	var made struct{ PairingCode string }
	s.operator(&made, "pair", "create", "--facade", "pos")
	key, err := client.NewKey(rand.Reader)
	must(t, err)
	c := client.New(s.url, key)
	_, err = c.Claim(t.Context(), made.PairingCode)
	must(t, err)
	inv, err := c.CreateInvoice(t.Context(), client.POS, wire.InvoiceRequest{Price: "3", Currency: "EUR"})
	must(t, err)
	read, err := c.Invoice(t.Context(), client.POS, inv.ID)
	must(t, err)
	if read.Token != inv.Token || read.Status != "new" {
		t.Errorf("read %s with token %s, created with token %s", read.Status, read.Token, inv.Token)
	}
	if _, err := c.Claim(t.Context(), made.PairingCode); err == nil {
		t.Error("a pairing code worked twice")
	}
}

func linkKeys(t *testing.T, c *client.Client) {
	other, err := client.NewKey(rand.Reader)
	must(t, err)
	sins, err := c.LinkSIN(t.Context(), client.Merchant, other.SIN())
	must(t, err)
	if len(sins) != 2 {
		t.Errorf("linked SINs: %v", sins)
	}
	sins, err = c.UnlinkSIN(t.Context(), client.Merchant, other.SIN())
	must(t, err)
	if len(sins) != 1 {
		t.Errorf("SINs after removal: %v", sins)
	}
	if _, err := c.UnlinkSIN(t.Context(), client.Merchant, sins[0]); err == nil {
		t.Error("the last SIN could be removed")
	}
}

func askPublic(t *testing.T, s *server) {
	c := client.New(s.url, nil)
	rates, err := c.Rates(t.Context(), "BTC")
	must(t, err)
	rate, err := c.Rate(t.Context(), "BTC", "USD")
	must(t, err)
	currencies, err := c.Currencies(t.Context())
	must(t, err)
	wallets, err := c.Wallets(t.Context())
	must(t, err)
	if len(rates) < 150 || rate.Name != "US Dollar" || len(currencies) < 180 || len(wallets) == 0 {
		t.Fatalf("%d rates, USD is %q, %d currencies, %d wallets", len(rates), rate.Name, len(currencies), len(wallets))
	}
	for _, picture := range []string{wallets[0].Image, wallets[0].Currencies[0].Image} {
		resp, err := http.Get(picture)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("the picture %s answers %s, %s", picture, resp.Status, resp.Header.Get("Content-Type"))
		}
	}
}

func liveInvoice(t *testing.T, c *client.Client) {
	ctx := t.Context()
	made, err := c.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{Price: "12.50", Currency: "USD", GUID: "guid-live", OrderID: "o-1"})
	must(t, err)
	_, err = c.UpdateInvoice(ctx, made.ID, client.InvoiceUpdate{BuyerEmail: "ada@example.com"})
	must(t, err)
	paid, err := c.PayInvoice(ctx, made.ID, "complete")
	must(t, err)
	if paid.Status != "complete" || paid.AmountPaid != made.PaymentTotals["BTC"] {
		t.Errorf("after payment it is %s with %s of %s paid", paid.Status, paid.AmountPaid, made.PaymentTotals["BTC"])
	}
	byGUID, err := c.InvoiceByGUID(ctx, client.Merchant, "guid-live")
	must(t, err)
	public, err := c.Invoice(ctx, "", made.ID)
	must(t, err)
	if byGUID.ID != made.ID || public.Token != "" || public.PosData != "" {
		t.Errorf("by guid %s, public token %q", byGUID.ID, public.Token)
	}
	now := time.Now()
	list, err := c.Invoices(ctx, client.InvoiceFilter{From: now.Add(-time.Hour), To: now.Add(time.Hour), Status: "complete", OrderID: "o-1"})
	must(t, err)
	if len(list) != 1 || list[0].ID != made.ID {
		t.Errorf("the list holds %d invoices", len(list))
	}
	events, err := c.InvoiceEvents(ctx, made.ID)
	must(t, err)
	if len(events.Token) < 60 {
		t.Errorf("event token %q", events.Token)
	}
}

func cancelInvoices(t *testing.T, c *client.Client) {
	for _, by := range []func(context.Context, *wire.Invoice) (*wire.Invoice, error){
		func(ctx context.Context, i *wire.Invoice) (*wire.Invoice, error) {
			return c.CancelInvoice(ctx, i.ID, false)
		},
		func(ctx context.Context, i *wire.Invoice) (*wire.Invoice, error) {
			return c.CancelInvoiceByGUID(ctx, i.GUID, true)
		},
	} {
		inv, err := c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "5", Currency: "USD"})
		must(t, err)
		gone, err := by(t.Context(), inv)
		must(t, err)
		if gone.Status != "expired" || !gone.IsCancelled {
			t.Errorf("a cancelled invoice is %s, isCancelled %v", gone.Status, gone.IsCancelled)
		}
	}
}

func readRefusal(t *testing.T, c *client.Client) {
	_, err := c.Invoice(t.Context(), client.Merchant, "Hpqc63wvE1ZjzeeH4kEycF")
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != "020101" || refused.Status != 404 {
		t.Errorf("got %v, want code 020101", err)
	}
}
