package app

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// bookStrangers books what moved a wallet without an invoice or a payment out of
// ours: the merchant's own deposits and withdrawals, once they are deep enough.
func (b *batch) bookStrangers() error {
	if len(b.p.New) == 0 {
		return nil
	}
	deep := b.p.New[len(b.p.New)-1].Block.Height - invoice.CreditDepth + 1
	in, err := b.tx.DepositsDue(b.p.Chain, deep)
	if err != nil {
		return err
	}
	for _, c := range in {
		if err := b.app.bookDeposit(b.tx, c, b.now); err != nil {
			return err
		}
	}
	out, err := b.tx.WithdrawalsDue(b.p.Chain, deep)
	if err != nil {
		return err
	}
	for _, c := range out {
		if err := b.app.bookWithdrawal(b.tx, c, b.now); err != nil {
			return err
		}
	}
	return nil
}

// bookDeposit credits the merchant with coins that it sent to its own wallet, in
// the currency of its settlements, at the rate of now.
func (a *App) bookDeposit(tx *store.Tx, c *store.Coin, now time.Time) error {
	m, err := tx.Merchant(c.Merchant)
	if err != nil {
		return err
	}
	c.Bookings++
	e := ledger.New(ledger.Deposit, fmt.Sprintf("deposit/%s/%s/%d/%d", c.Chain, c.Txid, c.Vout, c.Bookings), c.Merchant, now).
		Debit(ledger.WalletAccount(c.Wallet), c.Asset, c.Amount)
	e.Refs = ledger.Refs{Txid: c.Txid}
	currency := m.Settings.LedgerCurrency()
	value, ok := a.worth(c.Asset, currency, c.Amount)
	switch {
	case m.Settings.LedgerInAsset || currency == c.Asset:
		e.Line(c.Asset, c.Amount.Delta(), ledger.BitcoinDeposit, "")
	case ok && !value.IsZero():
		e.Credit(ledger.Exchange, c.Asset, c.Amount).Debit(ledger.Exchange, currency, value).
			Line(currency, value.Delta(), ledger.BitcoinDeposit, "")
	default:
		// Without a price it waits with what nobody has decided about.
		e.Credit(ledger.Unapplied, c.Asset, c.Amount)
	}
	if err := a.post(tx, e); err != nil {
		return err
	}
	c.In, c.EntryIn = true, e.ID
	return tx.SetCoin(c)
}

// worth is what an amount of an asset is worth in a currency now, rounded down.
func (a *App) worth(asset, currency string, amount money.Units) (money.Units, bool) {
	table, err := a.Rates.Current()
	if err != nil {
		return money.Units{}, false
	}
	from, ok1 := money.Lookup(asset)
	to, ok2 := money.Lookup(currency)
	if !ok1 || !ok2 {
		return money.Units{}, false
	}
	value, err := table.Convert(amount, from, to)
	return value, err == nil
}

// bookWithdrawal counts out a coin that the merchant spent with a wallet of its
// own, past these books.
func (a *App) bookWithdrawal(tx *store.Tx, c *store.Coin, now time.Time) error {
	c.Bookings++
	e := ledger.New(ledger.Withdrawal, fmt.Sprintf("withdrawal/%s/%s/%d/%d", c.Chain, c.Txid, c.Vout, c.Bookings), c.Merchant, now).
		Debit(ledger.Settled, c.Asset, c.Amount).
		Credit(ledger.WalletAccount(c.Wallet), c.Asset, c.Amount)
	e.Refs, e.AllowDeficit = ledger.Refs{Txid: c.SpentBy}, true
	if err := a.post(tx, e); err != nil {
		return err
	}
	c.Out, c.EntryOut = true, e.ID
	return tx.SetCoin(c)
}

// unbookStranger takes back what was booked of a coin whose block left the chain.
func (a *App) unbookStranger(tx *store.Tx, c *store.Coin, made, spent bool, now time.Time) error {
	if spent && c.EntryOut != "" {
		if _, err := a.reverse(tx, c.EntryOut, now); err != nil {
			return err
		}
		c.Out, c.EntryOut = false, ""
	}
	if made && c.EntryIn != "" && c.Invoice == "" {
		if _, err := a.reverse(tx, c.EntryIn, now); err != nil {
			return err
		}
		c.In, c.EntryIn = false, ""
	}
	return nil
}
