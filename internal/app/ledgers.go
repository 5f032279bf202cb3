package app

import (
	"context"
	"slices"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// Balance is what a merchant's ledger in one currency stands at.
type Balance struct {
	Currency string
	Amount   money.Delta // positive is owed to the merchant
}

// Ledgers lists a merchant's ledgers: each that was ever used, and the one of
// its settlements even before.
func (a *App) Ledgers(ctx context.Context, m *merchant.Merchant) (list []Balance, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list = nil
		accounts, err := tx.Accounts(m.ID)
		for _, acc := range accounts {
			if acc.Name == ledger.Merchant {
				list = append(list, Balance{acc.Asset, acc.Balance.Neg()})
			}
		}
		return err
	})
	first := m.Settings.LedgerCurrency()
	if !slices.ContainsFunc(list, func(b Balance) bool { return b.Currency == first }) {
		list = append([]Balance{{Currency: first}}, list...)
	}
	return list, err
}

// LedgerLine is one line of a ledger with the invoice it is about, if any.
type LedgerLine struct {
	store.Line
	Invoice *invoice.Invoice
	Refund  *refund.Refund
}

// LedgerLines lists the lines of one ledger, oldest first.
func (a *App) LedgerLines(ctx context.Context, f store.LineFilter) (out []LedgerLine, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		lines, err := tx.Lines(f)
		if err != nil {
			return err
		}
		out, err = withInvoices(tx, lines)
		return err
	})
	return out, err
}

// withInvoices adds what each line is about.
func withInvoices(tx *store.Tx, lines []store.Line) ([]LedgerLine, error) {
	var ids, refunds []string
	for _, l := range lines {
		if l.Code.OfInvoice() && l.Refs.Invoice != "" {
			ids = append(ids, l.Refs.Invoice)
		}
		if l.Refs.Refund != "" {
			refunds = append(refunds, l.Refs.Refund)
		}
	}
	invoices, err := tx.InvoicesByID(ids)
	if err != nil {
		return nil, err
	}
	byID, err := tx.RefundsByID(refunds)
	if err != nil {
		return nil, err
	}
	out := make([]LedgerLine, len(lines))
	for i, l := range lines {
		out[i] = LedgerLine{Line: l, Refund: byID[l.Refs.Refund]}
		if l.Code.OfInvoice() {
			out[i].Invoice = invoices[l.Refs.Invoice]
		}
	}
	return out, nil
}
