package client

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/quittance/quittance/wire"
)

// The wire specification's vector.
func TestAKeyHasItsIdentityAndSIN(t *testing.T) {
	k, err := ParseKey("1e240a5cbb1c0fb2b0e2b6bd2b6d1e5f6f6a8b7c9d0e1f2a3b4c5d6e7f809101")
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Identity(); got != "033b132d6d6aed0d79ded2cc24a3472be26df0b05d66faeef520b1336adfbec6be" {
		t.Errorf("identity %s", got)
	}
	if got := k.SIN(); got != "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jy" {
		t.Errorf("SIN %s", got)
	}
	url, body := "https://pay.example.com/invoices", []byte(`{"price":10,"currency":"USD","token":"abc"}`)
	der, err := hex.DecodeString(k.Sign(url, body))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := ecdsa.ParseDERSignature(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append([]byte(url), body...))
	if !sig.Verify(sum[:], k.priv.PubKey()) {
		t.Error("its signature does not verify")
	}
	for _, bad := range []string{"", "12", strings.Repeat("0", 64), strings.Repeat("f", 64), strings.Repeat("x", 64)} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}

func TestARefusalIsAnError(t *testing.T) {
	answers := map[string]string{
		"/invoices/refused": `{"status":"error","code":"020101","data":null,"error":"Invoice not found","message":"Invoice not found"}`,
		"/invoices/proxy":   `<html>502 Bad Gateway</html>`,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, answers[r.URL.Path])
	}))
	defer srv.Close()
	c := New(srv.URL+"/", nil)
	_, err := c.Invoice(t.Context(), "", "refused")
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != "020101" || refused.Message != "Invoice not found" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Invoice(t.Context(), "", "proxy"); err == nil || errors.As(err, &refused) && refused.Code == "" {
		t.Errorf("an answer that is not of the API gave %v", err)
	}
	if _, err := c.CreateInvoice(t.Context(), Merchant, wire.InvoiceRequest{}); err == nil || !strings.Contains(err.Error(), "pair first") {
		t.Errorf("without a token: %v", err)
	}
}

// A ledger's lines come bare, and wrapped only when there are none; a group of
// payouts comes bare, and a filter that says nothing is not sent.
func TestAnswersAreReadWithAndWithoutTheirWrapping(t *testing.T) {
	answers := map[string]string{
		"/ledgers/USD?startDate=2026-01-02T03%3A04%3A05.006Z&token=m": `[{"type":"Invoice","code":1000,"amount":1234567890123,"scale":100000000}]`,
		"/ledgers/EUR?token=m":         `{"data":[]}`,
		"/payouts/group/g?token=p":     `{"cancelled":[{"id":"a"}],"failed":[{"errMessage":"no","payoutId":"b","payee":null}]}`,
		"/payouts?limit=3&token=p":     `{"facade":"payout/payout","data":[{"id":"a","amount":10.5}]}`,
		"/payouts/unknown?token=p":     `[]`,
		"/settlements?token=m":         `{"facade":"merchant/settlement","data":[]}`,
		"/refunds?invoiceId=i&token=m": `{"data":[{"id":"r","transactionAmount":0.00001}]}`,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.RequestURI()]
		if !ok {
			t.Errorf("asked %s", r.URL.RequestURI())
		}
		fmt.Fprint(w, answer)
	}))
	defer srv.Close()
	c := New(srv.URL, nil, WithToken(Merchant, "m"), WithToken(Payout, "p"))
	ctx := t.Context()
	lines, err := c.LedgerEntries(ctx, "USD", LedgerFilter{From: time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)})
	if err != nil || len(lines) != 1 || lines[0].Amount != "1234567890123" {
		t.Errorf("bare lines: %+v, %v", lines, err)
	}
	if lines, err := c.LedgerEntries(ctx, "EUR", LedgerFilter{}); err != nil || len(lines) != 0 {
		t.Errorf("no lines: %+v, %v", lines, err)
	}
	g, err := c.CancelPayoutGroup(ctx, "g")
	if err != nil || len(g.Cancelled) != 1 || len(g.Failed) != 1 || *g.Failed[0].PayoutID != "b" || g.Failed[0].Payee != nil {
		t.Errorf("a group: %+v, %v", g, err)
	}
	list, err := c.Payouts(ctx, PayoutFilter{Limit: 3})
	if err != nil || len(list) != 1 || list[0].Amount != "10.5" {
		t.Errorf("a page: %+v, %v", list, err)
	}
	if _, err := c.Payout(ctx, "unknown"); err == nil {
		t.Error("a list was taken for a payout")
	}
	if list, err := c.Settlements(ctx, SettlementFilter{}); err != nil || len(list) != 0 {
		t.Errorf("no settlements: %+v, %v", list, err)
	}
	if list, err := c.Refunds(ctx, "i"); err != nil || len(list) != 1 || list[0].TransactionAmount != "0.00001" {
		t.Errorf("refunds: %+v, %v", list, err)
	}
}

func TestAWebhookIsChecked(t *testing.T) {
	key := make([]byte, 32)
	rand.Read(key)
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	now := time.Unix(1_700_000_000, 0)
	body := []byte(`{"event":{"code":1003,"name":"invoice_paidInFull"}}`)
	signed := func(at time.Time, b []byte) http.Header {
		m := hmac.New(sha256.New, key)
		fmt.Fprintf(m, "evt.%d.%s", at.Unix(), b)
		h := http.Header{}
		h.Set("webhook-id", "evt")
		h.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
		h.Set("webhook-signature", "v1,bm90IGl0 v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
		return h
	}
	if id, err := CheckWebhook(secret, signed(now, body), body, now); err != nil || id != "evt" {
		t.Errorf("a right one: %q %v", id, err)
	}
	for name, c := range map[string]struct {
		h    http.Header
		body []byte
	}{
		"another body": {signed(now, body), []byte("{}")},
		"an old one":   {signed(now.Add(-time.Hour), body), body},
		"unsigned":     {http.Header{}, body},
	} {
		if _, err := CheckWebhook(secret, c.h, c.body, now); !errors.Is(err, ErrWebhook) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The wire specification's vector of x-signature.
	h := http.Header{}
	h.Set("x-signature", "l5hwqGYv5PX32p/TfsaGcOT+5scWrphjDgUazhM/iaM=")
	raw := []byte(`{"event":{"code":1003,"name":"invoice_paidInFull"},"data":{"id":"Hpqc63wvE1ZjzeeH4kEycF","status":"paid"}}`)
	if err := CheckSignature("abc", h, raw); err != nil {
		t.Error(err)
	}
	if err := CheckSignature("abd", h, raw); !errors.Is(err, ErrWebhook) {
		t.Errorf("with another token: %v", err)
	}
}
