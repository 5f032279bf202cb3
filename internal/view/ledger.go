package view

import (
	"math/big"
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

// scaleDigits is the scale of every line of a ledger: amounts are whole numbers
// of 10^-8 of the currency, as the live service writes even dollars.
const scaleDigits = 8

// Balance renders a ledger's balance in currency units.
func (r *Renderer) Balance(b app.Balance) wire.Balance {
	w := wire.Balance{Currency: b.Currency, Balance: "0"}
	if cur, ok := money.Lookup(b.Currency); ok {
		w.Balance = wire.Number(money.NumberDelta(cur, b.Amount))
	}
	return w
}

// LedgerEntry renders a line of a ledger. What the table of codes asks for of an
// invoice is there when the line is about one.
func (r *Renderer) LedgerEntry(l app.LedgerLine) *wire.LedgerEntry {
	w := &wire.LedgerEntry{
		Type: l.Code.Name(), Code: int64(l.Code), Amount: scaled(l.Asset, l.Amount), Scale: 100_000_000,
		Timestamp: iso(l.At), ID: l.ID, TxType: l.Code.Name(), Description: l.Text,
	}
	if w.Description == "" {
		w.Description = w.Type
	}
	switch l.Code {
	case ledger.Invoice:
		w.TxType = "sale"
	case ledger.PayoffNegative:
		w.Description = ""
	case ledger.InvoiceRefund, ledger.ImmediateRefund:
		w.SupportRequest = l.Refs.Support
	}
	if l.Invoice == nil {
		w.Currency = l.Asset
		return w
	}
	o := &l.Invoice.Terms.Order
	fields := buyerFields(l.Invoice)
	w.InvoiceID, w.InvoiceAmount, w.InvoiceCurrency, w.BuyerFields = l.Invoice.ID, number(o.Currency, o.Price), o.Currency, &fields
	w.TransactionCurrency = l.Invoice.PaymentAsset()
	return w
}

// scaled is an amount in 10^-8 units; what is finer is cut off.
func scaled(code string, d money.Delta) wire.Number {
	cur, ok := money.Lookup(code)
	if !ok {
		return "0"
	}
	n := d.Abs().Big()
	if shift := scaleDigits - cur.Decimals; shift >= 0 {
		n.Mul(n, money.Pow10(shift))
	} else {
		n.Quo(n, money.Pow10(-shift))
	}
	if d.Sign() < 0 {
		n = new(big.Int).Neg(n)
	}
	return wire.Number(strings.TrimSpace(n.String()))
}
