package app

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// bookInvoice makes the books say what the chain says about an invoice: each
// payment deep enough is received, the price is credited while the invoice is
// complete, and what a reorganisation took away is taken back by an equal and
// opposite entry. The caller stores the invoice.
func (a *App) bookInvoice(tx *store.Tx, inv *invoice.Invoice, now time.Time) error {
	if len(inv.Credits) == 0 && inv.State.Entry == "" {
		return nil
	}
	tips, err := tx.Tips()
	if err != nil {
		return err
	}
	if !inv.BooksDiffer(tips) {
		if inv.Status == invoice.New || inv.Status == invoice.Paid {
			return nil // what came in may still be applied
		}
		return a.noteUnapplied(tx, inv, now)
	}
	if inv.Status != invoice.Complete && inv.State.Entry != "" {
		if err := a.takeBackCredit(tx, inv, now); err != nil {
			return err
		}
	}
	for i := range inv.Credits {
		if err := a.bookReceipt(tx, inv, &inv.Credits[i], tips, now); err != nil {
			return err
		}
	}
	if inv.Status == invoice.Complete && inv.State.Entry == "" {
		if err := a.creditInvoice(tx, inv, now); err != nil {
			return err
		}
	}
	return a.noteUnapplied(tx, inv, now)
}

// bookReceipt books a payment into its wallet, or takes that back.
func (a *App) bookReceipt(tx *store.Tx, inv *invoice.Invoice, c *invoice.Credit, tips map[string]int64, now time.Time) error {
	deep := inv.Deep(c, tips[c.Chain])
	if deep == (c.Entry != "") {
		return nil
	}
	coin, err := tx.Coin(c.Chain, c.Outpoint)
	if err != nil {
		return fmt.Errorf("coin of payment %s:%d: %w", c.Outpoint.Txid, c.Outpoint.Vout, err)
	}
	if !deep {
		if _, err := a.reverse(tx, c.Entry, now); err != nil {
			return err
		}
		c.Entry, coin.In, coin.EntryIn = "", false, ""
		return tx.SetCoin(coin)
	}
	c.Bookings++
	e := ledger.New(ledger.Receipt, fmt.Sprintf("receipt/%s/%s/%d/%d", c.Chain, c.Outpoint.Txid, c.Outpoint.Vout, c.Bookings), inv.Merchant, now).
		Debit(ledger.WalletAccount(coin.Wallet), c.Asset, c.Amount).
		Credit(ledger.Unapplied, c.Asset, c.Amount)
	e.Refs = ledger.Refs{Invoice: inv.ID, Txid: c.Outpoint.Txid}
	if err := a.post(tx, e); err != nil {
		return err
	}
	c.Entry, coin.In, coin.EntryIn = e.ID, true, e.ID
	return tx.SetCoin(coin)
}

// creditInvoice gives the merchant the price, less the processing fee.
func (a *App) creditInvoice(tx *store.Tx, inv *invoice.Invoice, now time.Time) error {
	m, err := tx.Merchant(inv.Merchant)
	if err != nil {
		return err
	}
	applied, asset := inv.Applied()
	currency, price := ledgerValue(m, inv)
	inv.State.Bookings++
	e := ledger.New(ledger.Credit, fmt.Sprintf("credit/%s/%d", inv.ID, inv.State.Bookings), inv.Merchant, now).
		Debit(ledger.Unapplied, asset, applied)
	if currency != asset {
		e.Credit(ledger.Exchange, asset, applied).Debit(ledger.Exchange, currency, price)
	}
	fee := processingFee(m, price)
	e.Line(currency, price.Delta(), ledger.Invoice, inv.Terms.Order.OrderID).
		Line(currency, fee.Delta().Neg(), ledger.InvoiceFee, "").
		Credit(ledger.Fees, currency, fee)
	e.Refs = ledger.Refs{Invoice: inv.ID}
	if err := a.post(tx, e); err != nil {
		return err
	}
	inv.State.Entry = e.ID
	return nil
}

// ledgerValue is what the merchant is owed for a complete invoice: the price, or
// what was due in the asset if the merchant keeps its ledger in that.
func ledgerValue(m *merchant.Merchant, inv *invoice.Invoice) (currency string, value money.Units) {
	applied, asset := inv.Applied()
	if m.Settings.LedgerInAsset {
		return asset, applied
	}
	if inv.Terms.Order.Currency == asset {
		return asset, applied
	}
	return inv.Terms.Order.Currency, inv.Terms.Order.Price
}

// processingFee is the merchant's fee on a price: the rate's share rounded down,
// and the flat part; never more than the price.
func processingFee(m *merchant.Merchant, price money.Units) money.Units {
	n := price.Big()
	n.Mul(n, money.NewUnits(uint64(m.Settings.FeeBasisPoints)).Big())
	n.Quo(n, money.NewUnits(10_000).Big())
	n.Add(n, money.NewUnits(uint64(m.Settings.FeeFlat)).Big())
	fee, err := money.FromBig(n)
	if err != nil || fee.Cmp(price) > 0 {
		return price
	}
	return fee
}

// takeBackCredit undoes the credit of an invoice whose payment a reorganisation
// took away. The merchant may have spent it: then the ledger shows a deficit.
func (a *App) takeBackCredit(tx *store.Tx, inv *invoice.Invoice, now time.Time) error {
	e, err := a.reverse(tx, inv.State.Entry, now)
	if err != nil {
		return err
	}
	inv.State.Entry, inv.State.Reorged = "", now
	a.Log.Error("a reorganisation took back the payment of a complete invoice; the credit was reversed",
		"invoice", inv.ID, "merchant", inv.Merchant, "entry", e.ID)
	return nil
}

// post gives entries their ids and books them.
func (a *App) post(tx *store.Tx, entries ...*ledger.Entry) error {
	for _, e := range entries {
		id, err := a.newID()
		if err != nil {
			return err
		}
		e.ID = id
	}
	return tx.Post(entries...)
}

// reverse books the equal and opposite of an entry.
func (a *App) reverse(tx *store.Tx, entryID string, now time.Time) (*ledger.Entry, error) {
	e, err := tx.Entry(entryID)
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", entryID, err)
	}
	r := e.Reverse("reversal/"+e.ID, now)
	return r, a.post(tx, r)
}
