package view

import (
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/wire"
)

// Notice renders what a webhook says about an invoice. The state is the one at
// delivery; the event says why it is sent.
func (r *Renderer) Notice(s app.Shown, now time.Time) *wire.InvoiceNotice {
	w := r.Invoice(s, merchant.POS, now)
	return &wire.InvoiceNotice{
		ID: w.ID, URL: w.URL, PosData: w.PosData, Status: w.Status, Price: w.Price, Currency: w.Currency,
		InvoiceTime: w.InvoiceTime, ExpirationTime: w.ExpirationTime, CurrentTime: w.CurrentTime, ExceptionStatus: w.ExceptionStatus,
		BuyerFields: buyerFields(s.Invoice), PaymentSubtotals: w.PaymentSubtotals, PaymentTotals: w.PaymentTotals,
		ExchangeRates: w.ExchangeRates, AmountPaid: w.AmountPaid, OrderID: w.OrderID, TransactionCurrency: w.TransactionCurrency,
	}
}

func buyerFields(inv *invoice.Invoice) wire.BuyerFields {
	b := buyer(inv)
	if b == nil {
		return wire.BuyerFields{}
	}
	return wire.BuyerFields{
		BuyerName: b.Name, BuyerAddress1: b.Address1, BuyerAddress2: b.Address2, BuyerCity: b.Locality, BuyerState: b.Region,
		BuyerZip: b.PostalCode, BuyerCountry: b.Country, BuyerPhone: b.Phone, BuyerNotify: b.Notify, BuyerEmail: b.Email,
	}
}
