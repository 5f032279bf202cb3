package view

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/wire"
)

// Settlement renders a settlement.
func (r *Renderer) Settlement(s *settlement.Settlement) *wire.Settlement {
	t := &s.Terms
	w := &wire.Settlement{
		ID: s.ID, AccountID: s.Merchant, Status: string(s.Status), Currency: s.Currency, Token: s.Token,
		PayoutInfo:  wire.PayoutInfo{Label: t.Label, Name: railName(t.Rail), Address: t.Address},
		DateCreated: iso(s.Created), DateExecuted: iso(s.State.Executed), DateCompleted: iso(s.State.Completed),
		OpeningDate: iso(t.Opening), ClosingDate: iso(t.Closing),
		OpeningBalance: signedNumber(s.Currency, t.Balance), LedgerEntriesSum: signedNumber(s.Currency, t.Sum),
		Withholdings: []wire.Withholding{}, WithholdingsSum: number(s.Currency, t.Withheld()), TotalAmount: number(s.Currency, t.Total),
	}
	for _, h := range t.Withholdings {
		w.Withholdings = append(w.Withholdings, wire.Withholding{Amount: number(s.Currency, h.Amount), Code: h.Code, Description: h.Description})
	}
	return w
}

func railName(rail settlement.Rail) string {
	switch rail {
	case settlement.Wallet:
		return "On chain"
	case settlement.Manual:
		return "By bank"
	}
	return "Own wallet"
}

func signedNumber(code string, d money.Delta) wire.Number {
	cur, ok := money.Lookup(code)
	if !ok {
		return "0"
	}
	return wire.Number(money.NumberDelta(cur, d))
}

// Report renders a settlement with the lines it took in. It carries no token.
func (r *Renderer) Report(s *settlement.Settlement, lines []app.LedgerLine) *wire.Settlement {
	w := r.Settlement(s)
	w.Token = ""
	out := make([]wire.ReportedLine, len(lines))
	for i, l := range lines {
		out[i] = r.reported(s.Currency, l)
	}
	w.LedgerEntries = &out
	return w
}

func (r *Renderer) reported(currency string, l app.LedgerLine) wire.ReportedLine {
	w := wire.ReportedLine{Code: int64(l.Code), Amount: signedNumber(currency, l.Amount), Timestamp: iso(l.At), Description: l.Text}
	if w.Description == "" && l.Code != ledger.PayoffNegative {
		w.Description = l.Code.Name()
	}
	if l.Invoice == nil {
		return w
	}
	w.InvoiceID = l.Invoice.ID
	if l.Refund != nil {
		w.Reference = l.Refund.Terms.Reference
	}
	if l.Code != ledger.Invoice && l.Code != ledger.InvoiceRefund && l.Code != ledger.ImmediateRefund {
		return w
	}
	o := &l.Invoice.Terms.Order
	_, over := l.Invoice.Difference()
	w.InvoiceData = &wire.InvoiceData{
		OrderID: o.OrderID, Date: iso(l.Invoice.Created), Price: number(o.Currency, o.Price), Currency: o.Currency,
		TransactionCurrency: l.Invoice.PaymentAsset(), PayoutPercentage: map[string]int{currency: 100},
	}
	if !over.IsZero() {
		w.InvoiceData.OverpaidAmount = number(l.Invoice.PaymentAsset(), over)
	}
	if f := l.Refund; f != nil && l.Code != ledger.Invoice {
		w.InvoiceData.RefundInfo = &wire.ReportedRefund{
			SupportRequest: f.Terms.Support, Currency: f.Terms.Currency,
			Amounts: map[string]wire.Number{f.Terms.Currency: number(f.Terms.Currency, f.Terms.Amount), f.Terms.Asset: number(f.Terms.Asset, f.Terms.Net())},
		}
	}
	return w
}

// WriteReport writes the report as CSV (RFC 4180): the same lines, one per row,
// between the opening and the closing balance.
func (r *Renderer) WriteReport(to io.Writer, w *wire.Settlement) error {
	out := csv.NewWriter(to)
	rows := [][]string{
		{"date", "code", "description", "amount", "currency", "invoice", "order", "price", "price currency", "paid in", "reference"},
		{w.OpeningDate, "", "Opening balance", string(w.OpeningBalance), w.Currency},
	}
	if w.LedgerEntries != nil {
		for _, l := range *w.LedgerEntries {
			row := []string{l.Timestamp, strconv.FormatInt(l.Code, 10), l.Description, string(l.Amount), w.Currency, l.InvoiceID}
			if d := l.InvoiceData; d != nil {
				row = append(row, d.OrderID, string(d.Price), d.Currency, d.TransactionCurrency, l.Reference)
			}
			rows = append(rows, row)
		}
	}
	for _, h := range w.Withholdings {
		rows = append(rows, []string{w.ClosingDate, h.Code, h.Description, "-" + string(h.Amount), w.Currency})
	}
	rows = append(rows, []string{w.ClosingDate, "", "Total", string(w.TotalAmount), w.Currency})
	width := len(rows[0])
	for _, row := range rows {
		for len(row) < width {
			row = append(row, "")
		}
		for i := range row {
			row[i] = harmless(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from taking a text for a formula. Numbers stay as
// they are.
func harmless(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if strings.Trim(s, "-0123456789.") == "" {
		return s
	}
	return "'" + s
}
