package view

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

// Renderer knows what the server calls itself and what it can do.
type Renderer struct {
	PublicURL string // without a slash at the end
	Assets    []app.Asset
}

// Invoice renders an invoice for a facade: the merchant sees all, a pos terminal
// what it needs, the public neither the token nor what the merchant attached.
func (r *Renderer) Invoice(s app.Shown, f merchant.Facade, now time.Time) *wire.Invoice {
	inv, o := s.Invoice, &s.Terms.Order
	w := &wire.Invoice{
		URL: r.InvoiceURL(inv.ID), ID: inv.ID, Status: string(inv.Status),
		Price: number(o.Currency, o.Price), Currency: o.Currency,
		ItemDesc: o.ItemDesc, ItemCode: o.ItemCode,
		InvoiceTime: inv.Created.UnixMilli(), ExpirationTime: inv.Expires.UnixMilli(), CurrentTime: now.UnixMilli(),
		ExceptionStatus: wire.FalseOr(inv.Exception()),
		RedirectURL:     o.RedirectURL, CloseURL: o.CloseURL, AutoRedirect: o.AutoRedirect,
		JSONPayProRequired: o.JSONPayPro, BitpayIDRequired: o.BitpayID, IsCancelled: inv.IsCancelled(),
		ItemizedDetails: items(o.Items),
		UniversalCodes:  &wire.UniversalCodes{PaymentString: r.ShortURL(inv.ID)},
	}
	r.amounts(w, inv)
	r.quotes(w, inv)
	if f == merchant.Public {
		return w
	}
	w.GUID, w.OrderID, w.PosData, w.Token, w.BillID = inv.GUID, o.OrderID, o.PosData, inv.Token, o.Bill
	w.BuyerProvidedInfo = provided(inv)
	if f == merchant.Full {
		r.merchantOnly(w, s)
	}
	return w
}

// InvoiceURL is the checkout page of an invoice.
func (r *Renderer) InvoiceURL(id string) string { return r.PublicURL + "/invoice?id=" + id }

func (r *Renderer) amounts(w *wire.Invoice, inv *invoice.Invoice) {
	w.AmountPaid, w.DisplayAmountPaid = "0", "0"
	asset := inv.PaymentAsset()
	if asset == "" {
		return
	}
	got := inv.Received()
	under, over := inv.Difference()
	w.TransactionCurrency, w.AmountPaid = asset, wire.Number(got.String())
	if cur, ok := money.Lookup(asset); ok {
		w.DisplayAmountPaid = money.Display(cur, got)
	}
	w.UnderpaidAmount, w.OverpaidAmount = small(under), small(over)
	for i := range inv.Credits {
		c := &inv.Credits[i]
		w.NonPayProPaymentReceived = w.NonPayProPaymentReceived || c.Live() && !slices.Contains(inv.State.Posted, c.Outpoint.Txid)
		w.LowFeeDetected = w.LowFeeDetected || c.LowFee && c.State == invoice.Pending
	}
}

// small leaves out what one SDK's 32-bit field cannot read.
func small(u money.Units) wire.Number {
	if n, ok := u.Uint64(); !ok || n == 0 || n > 1<<31-1 {
		return ""
	}
	return wire.Number(u.String())
}

func (r *Renderer) quotes(w *wire.Invoice, inv *invoice.Invoice) {
	n := len(inv.Terms.Options)
	w.PaymentSubtotals, w.PaymentTotals = make(map[string]wire.Number, n), make(map[string]wire.Number, n)
	w.PaymentDisplaySubTotals, w.PaymentDisplayTotals = make(map[string]string, n), make(map[string]string, n)
	w.MinerFees = make(map[string]wire.MinerFee, n)
	w.SupportedTransactionCurrencies = make(map[string]wire.SupportedCurrency, n)
	w.PaymentCodes = make(map[string]map[string]string, n)
	for i := range inv.Terms.Options {
		o := &inv.Terms.Options[i]
		cur, ok := money.Lookup(o.Asset)
		if !ok {
			continue
		}
		w.PaymentSubtotals[o.Asset], w.PaymentTotals[o.Asset] = wire.Number(o.Subtotal.String()), wire.Number(o.Due.String())
		w.PaymentDisplaySubTotals[o.Asset], w.PaymentDisplayTotals[o.Asset] = money.Display(cur, o.Subtotal), money.Display(cur, o.Due)
		fee, _ := o.Fee.Uint64()
		w.MinerFees[o.Asset] = wire.MinerFee{SatoshisPerByte: o.FeeRate, TotalFee: int64(fee), FiatAmount: wire.Number(o.FeeFiat)}
		w.SupportedTransactionCurrencies[o.Asset] = wire.SupportedCurrency{Enabled: true}
		w.PaymentCodes[o.Asset] = r.codes(inv, o)
	}
	for i := range r.Assets {
		if code := r.Assets[i].Code; !w.SupportedTransactionCurrencies[code].Enabled {
			w.SupportedTransactionCurrencies[code] = wire.SupportedCurrency{Reason: "not offered by the merchant"}
		}
	}
	w.ExchangeRates = rates(inv)
}

// codes are what a wallet scans. A plain payment request is always there; it
// needs no further request to this server. Beside it, where wallets can hand their
// payment over, is the address at which the payment protocol is spoken, as a link of
// the asset's scheme and bare (BIP 72 and 73; the wire's own names).
func (r *Renderer) codes(inv *invoice.Invoice, o *invoice.Option) map[string]string {
	codes := map[string]string{"BIP21": r.PaymentURI(inv, o)}
	if uri := r.ProtocolURI(inv, o); uri != "" {
		codes["BIP72b"], codes["BIP73"] = uri, r.ShortURL(inv.ID)
	}
	return codes
}

// ShortURL is what the payment protocol is spoken at, and where people are shown the
// checkout page.
func (r *Renderer) ShortURL(id string) string { return r.PublicURL + "/i/" + id }

// ProtocolURI makes a wallet ask this server what to pay; empty where it cannot.
func (r *Renderer) ProtocolURI(inv *invoice.Invoice, o *invoice.Option) string {
	for i := range r.Assets {
		if a := &r.Assets[i]; a.Code == o.Asset && a.HandsOver() {
			scheme, _, _ := strings.Cut(a.Keys.URI(o.Address, o.Due, "", ""), ":")
			return scheme + ":?r=" + r.ShortURL(inv.ID)
		}
	}
	return ""
}

// PaymentURI is the one-tap payment request for one way to pay.
func (r *Renderer) PaymentURI(inv *invoice.Invoice, o *invoice.Option) string {
	for i := range r.Assets {
		if r.Assets[i].Code != o.Asset {
			continue
		}
		due := o.Due
		// What was paid already is not asked for again.
		if inv.PaymentAsset() == o.Asset {
			if rest, err := o.Due.Sub(inv.Received()); err == nil && !rest.IsZero() {
				due = rest
			}
		}
		return r.Assets[i].Keys.URI(o.Address, due, inv.Terms.Order.MerchantName, "")
	}
	return o.Address
}

func rates(inv *invoice.Invoice) map[string]map[string]wire.Number {
	out := make(map[string]map[string]wire.Number, len(inv.Terms.Lock.Rates))
	for asset, to := range inv.Terms.Lock.Rates {
		m := make(map[string]wire.Number, len(to))
		for code, n := range to {
			m[code] = wire.Number(n)
		}
		out[asset] = m
	}
	return out
}

func (r *Renderer) merchantOnly(w *wire.Invoice, s app.Shown) {
	inv, o := s.Invoice, &s.Terms.Order
	w.TargetConfirmations, w.TransactionSpeed, w.MerchantName = int(inv.Target()), string(o.Speed), o.MerchantName
	w.Transactions = transactions(s)
	w.RefundAddresses = &[]map[string]wire.RefundAddress{}
	w.Shopper = &wire.Shopper{}
	w.BuyerProvidedEmail = inv.State.Email
	w.Buyer = buyer(inv)
}

func transactions(s app.Shown) *[]wire.Transaction {
	out := []wire.Transaction{}
	for i := range s.Credits {
		c := &s.Credits[i]
		if !c.Live() {
			continue
		}
		out = append(out, wire.Transaction{
			Amount: wire.Number(c.Amount.String()), Confirmations: c.Confirmations(s.Tips[c.Chain]),
			Time: iso(c.FirstSeen), ReceivedTime: iso(c.Received), Txid: c.Outpoint.Txid, OutputIndex: int64(c.Outpoint.Vout),
			ExRates: numbers(s.Terms.Lock.Rates[c.Asset]),
		})
	}
	return &out
}

func numbers(m map[string]string) map[string]wire.Number {
	out := make(map[string]wire.Number, len(m))
	for k, v := range m {
		out[k] = wire.Number(v)
	}
	return out
}

func provided(inv *invoice.Invoice) *wire.BuyerProvidedInfo {
	p := &wire.BuyerProvidedInfo{
		EmailAddress: inv.State.Email, SMS: inv.State.SMS, SelectedWallet: inv.State.Wallet, SelectedTransactionCurrency: inv.State.Asset,
	}
	if a := inv.PaymentAsset(); a != "" {
		p.SelectedTransactionCurrency = a
	}
	if inv.State.SMS != "" {
		p.PhoneNumber, p.SMSVerified = inv.State.SMS, &inv.State.SMSVerified
	}
	return p
}

// buyer is what the merchant sent; an e-mail given later takes the place of the
// one given first.
func buyer(inv *invoice.Invoice) *wire.Buyer {
	b := inv.Terms.Order.Buyer
	if b == nil {
		if inv.State.Email == "" {
			return nil
		}
		b = &invoice.Buyer{}
	}
	w := wire.Buyer(*b)
	if inv.State.Email != "" {
		w.Email = inv.State.Email
	}
	return &w
}

func items(in []invoice.Item) []wire.Item {
	out := make([]wire.Item, len(in))
	for i, it := range in {
		out[i] = wire.Item{Amount: wire.Number(it.Amount), Description: it.Description, IsFee: it.IsFee}
	}
	return out
}

func number(code string, u money.Units) wire.Number {
	cur, ok := money.Lookup(code)
	if !ok {
		return wire.Number(strconv.Quote(u.String()))
	}
	return wire.Number(money.Number(cur, u))
}
