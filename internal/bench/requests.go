package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

func order(token string) wire.InvoiceRequest {
	return wire.InvoiceRequest{
		Token: token, Price: "10.00", Currency: "USD", OrderID: "bench-1", ItemDesc: "One cup of coffee", PosData: `{"basket":7}`,
		NotificationURL: "https://shop.example/ipn", RedirectURL: "https://shop.example/return", Buyer: &wire.Buyer{Name: "Ada", Email: "ada@example.com"},
	}
}

// sampleInvoice is an answer as large as ours.
func sampleInvoice() *wire.Invoice {
	one := map[string]wire.Number{"BTC": "20000"}
	text := map[string]string{"BTC": "0.000200"}
	rates := map[string]wire.Number{"USD": "50000", "EUR": "46000", "BCH": "100", "ETH": "16.6", "LTC": "500", "DOGE": "250000", "XRP": "20000", "USDC": "50000"}
	return &wire.Invoice{
		URL: "http://127.0.0.1:8788/invoice?id=Hpqc63wvE1ZjzeeH4kEycF", ID: "Hpqc63wvE1ZjzeeH4kEycF", Status: "new", Price: "10", Currency: "USD",
		GUID: "9f3f6a8e-5b9d-4a57-8f0e-0a5a5f0b1a11", OrderID: "bench-1", PosData: `{"basket":7}`, ItemDesc: "One cup of coffee",
		InvoiceTime: 1620733980748, ExpirationTime: 1620734880748, CurrentTime: 1620733980807, AmountPaid: "0", DisplayAmountPaid: "0",
		TargetConfirmations: 6, Transactions: &[]wire.Transaction{}, TransactionSpeed: "medium", Buyer: &wire.Buyer{Name: "Ada", Email: "ada@example.com"},
		RedirectURL: "https://shop.example/return", RefundAddresses: &[]map[string]wire.RefundAddress{}, BuyerProvidedInfo: &wire.BuyerProvidedInfo{},
		PaymentSubtotals: one, PaymentTotals: one, PaymentDisplayTotals: text, PaymentDisplaySubTotals: text,
		ExchangeRates: map[string]map[string]wire.Number{"BTC": rates}, MinerFees: map[string]wire.MinerFee{"BTC": {FiatAmount: "0"}},
		SupportedTransactionCurrencies: map[string]wire.SupportedCurrency{"BTC": {Enabled: true}},
		PaymentCodes:                   map[string]map[string]string{"BTC": {"BIP21": "bitcoin:bcrt1q0000000000000000000000000000000000000?amount=0.0002&label=Shop"}},
		UniversalCodes:                 &wire.UniversalCodes{PaymentString: "http://127.0.0.1:8788/i/Hpqc63wvE1ZjzeeH4kEycF"}, Shopper: &wire.Shopper{}, MerchantName: "Sandbox shop",
		ItemizedDetails: []wire.Item{}, Token: "Svbfdow1xXc6chtQB3GVKqyRVhyLMqn3nhMhyTtf9T9vTCDKrVfdoA7n94nZUECZf",
	}
}

// pair makes a client of a running server with a merchant token.
func (b *bench) pair(ctx context.Context, p *process, extra ...string) (*client.Client, *client.Key, error) {
	key, err := client.NewKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	c := client.New(p.url, key)
	t, err := c.RequestToken(ctx, client.Merchant, "bench")
	if err != nil {
		return nil, nil, err
	}
	var out any
	return c, key, b.operator(&out, append([]string{"pair", "approve", t.PairingCode, "--data", p.dir}, extra...)...)
}

func signed(key *client.Key, method, url string, body []byte) shot {
	return shot{method: method, url: url, body: body, header: http.Header{
		"Content-Type": {"application/json"}, "X-Accept-Version": {"2.0.0"},
		"X-Identity": {key.Identity()}, "X-Signature": {key.Sign(url, body)},
	}}
}

// requests measures create and get at 1, 16 and 64 connections.
func (b *bench) requests(ctx context.Context) error {
	ours, err := b.serve(filepath.Join(b.dir, "requests"))
	if err != nil {
		return err
	}
	defer ours.stop()
	floor, err := b.floor(filepath.Join(b.dir, "floor"))
	if err != nil {
		return err
	}
	defer floor.stop()
	c, key, err := b.pair(ctx, ours)
	if err != nil {
		return err
	}
	token, _ := c.Token(client.Merchant)
	body, err := json.Marshal(order(token))
	if err != nil {
		return err
	}
	for _, n := range []int{1, 16, 64} {
		o, f, ratio, err := b.versus(ctx, signed(key, "POST", ours.url+"/invoices", body), signed(key, "POST", floor.url+"/invoices", body), n)
		if err != nil {
			return err
		}
		b.add(atLeast(fmt.Sprintf("create an invoice, %d connections (p50/p99)", n), o, f, ratio, 0.8, n > 1))
	}
	inv, err := c.CreateInvoice(ctx, client.Merchant, order(token))
	if err != nil {
		return err
	}
	path := "/invoices/" + inv.ID + "?token=" + token
	for _, n := range []int{1, 16, 64} {
		o, f, ratio, err := b.versus(ctx, signed(key, "GET", ours.url+path, nil), signed(key, "GET", floor.url+path, nil), n)
		if err != nil {
			return err
		}
		b.add(atLeast(fmt.Sprintf("get an invoice, %d connections (p50/p99)", n), o, f, ratio, 0.9, true))
	}
	return nil
}

func atLeast(what string, ours, floor fmt.Stringer, ratio, least float64, binding bool) row {
	r := row{what: what, ours: ours.String(), floor: floor.String(), ratio: ratio}
	if binding {
		r.target, r.ok = fmt.Sprintf("≥ %.2f", least), ratio >= least
	}
	return r
}
