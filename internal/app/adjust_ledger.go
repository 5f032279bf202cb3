package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// AdjustLedger books an operator's own entry: a positive amount, in the currency's
// smallest units, is a credit to the merchant. text says why, in the merchant's
// ledger.
func (a *App) AdjustLedger(ctx context.Context, m *merchant.Merchant, cur *money.Currency, amount money.Delta, text string) error {
	if amount.IsZero() {
		return errors.New("an entry over nothing is none")
	}
	if text == "" {
		return errors.New("an entry by hand says why: --text")
	}
	return a.bookByHand(ctx, m, cur, amount, ledger.Custom, text)
}

// DepositFiat books money with which the merchant funds its ledger outside of the
// chain, for example by bank. ref names the payment; it is booked once.
func (a *App) DepositFiat(ctx context.Context, m *merchant.Merchant, cur *money.Currency, amount money.Units, ref string) error {
	if amount.IsZero() || ref == "" {
		return errors.New("a deposit has an amount, and a reference by which it is booked once")
	}
	e := ledger.New(ledger.Deposit, "bank/"+m.ID+"/"+ref, m.ID, a.now()).
		Debit(ledger.Adjusted, cur.Code, amount).Line(cur.Code, amount.Delta(), ledger.FiatDeposit, ref)
	err := a.Store.Update(ctx, func(tx *store.Tx) error { return a.post(tx, e) })
	if errors.Is(err, store.ErrExists) {
		return fmt.Errorf("a deposit with the reference %q is booked already", ref)
	}
	return err
}

func (a *App) bookByHand(ctx context.Context, m *merchant.Merchant, cur *money.Currency, amount money.Delta, code ledger.Code, text string) error {
	id, err := a.newID()
	if err != nil {
		return err
	}
	e := ledger.New(ledger.Adjustment, "hand/"+id, m.ID, a.now()).
		Post(ledger.Adjusted, cur.Code, amount).Line(cur.Code, amount, code, text)
	e.Refs = ledger.Refs{Note: text}
	return inLedger(a.Store.Update(ctx, func(tx *store.Tx) error { return a.post(tx, e) }))
}

// inLedger says in currency units what a ledger lacks.
func inLedger(err error) error {
	var short *ledger.Insufficient
	if !errors.As(err, &short) || short.Account != ledger.Merchant {
		return err
	}
	cur, ok := money.Lookup(short.Asset)
	if !ok {
		return err
	}
	return fmt.Errorf("the %s ledger has %s, and %s are needed", short.Asset, money.Format(cur, short.Have), money.Format(cur, short.Need))
}

// RefundFee gives an invoice's processing fee back to the merchant, once.
func (a *App) RefundFee(ctx context.Context, m *merchant.Merchant, invoiceID string) error {
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invoice(invoiceID)
		if errors.Is(err, store.ErrNotFound) || err == nil && inv.Merchant != m.ID {
			return fmt.Errorf("%s has no invoice %q", m.Name, invoiceID)
		}
		if err != nil {
			return err
		}
		if inv.State.Entry == "" {
			return fmt.Errorf("invoice %s is not in the ledger: no fee was charged", invoiceID)
		}
		credit, err := tx.Entry(inv.State.Entry)
		if err != nil {
			return err
		}
		e := ledger.New(ledger.Adjustment, "fee-refund/"+credit.ID, m.ID, a.now())
		e.Refs = ledger.Refs{Invoice: invoiceID}
		for _, p := range credit.Postings {
			if p.Code == ledger.InvoiceFee {
				e.Line(p.Asset, p.Amount, ledger.FeeRefund, "").Post(ledger.Fees, p.Asset, p.Amount)
			}
		}
		if len(e.Postings) == 0 {
			return fmt.Errorf("invoice %s was charged no fee", invoiceID)
		}
		return a.post(tx, e)
	})
	if errors.Is(err, store.ErrExists) {
		return fmt.Errorf("the fee of invoice %s was given back already", invoiceID)
	}
	return err
}

// ExchangeLedger turns a balance in one currency into one in another at the rate of
// now, such as after the currency of the settlements was changed: a pair of lines,
// and the fee in hundredths of a percent of what comes out. A zero amount is the
// whole balance. It returns what came out, before the fee.
func (a *App) ExchangeLedger(ctx context.Context, m *merchant.Merchant, from, to *money.Currency, amount money.Units, feeBasisPoints uint64) (got money.Units, err error) {
	if from.Code == to.Code || feeBasisPoints > 10_000 {
		return got, errors.New("an exchange is between two currencies, with a fee from 0 to 10,000 hundredths of a percent")
	}
	table, err := a.Rates.Current()
	if err != nil {
		return got, err
	}
	id, err := a.newID()
	if err != nil {
		return got, err
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		give := amount
		if give.IsZero() {
			have, err := tx.Balance(m.ID, ledger.Merchant, from.Code)
			if err != nil {
				return err
			}
			if have.Sign() >= 0 {
				return fmt.Errorf("the %s ledger has nothing to exchange", from.Code)
			}
			give = have.Abs()
		}
		if got, err = table.Convert(give, from, to); err != nil {
			return err
		}
		if got.IsZero() {
			return fmt.Errorf("%s %s are worth nothing in %s", money.Format(from, give), from.Code, to.Code)
		}
		fee, err := share(got, feeBasisPoints)
		if err != nil {
			return err
		}
		e := ledger.New(ledger.Adjustment, "exchange/"+id, m.ID, a.now()).
			Line(from.Code, give.Delta().Neg(), ledger.ExchangeEntry, "").Credit(ledger.Exchange, from.Code, give).
			Debit(ledger.Exchange, to.Code, got).Line(to.Code, got.Delta(), ledger.ExchangeEntry, "").
			Line(to.Code, fee.Delta().Neg(), ledger.ExchangeFee, "").Credit(ledger.Fees, to.Code, fee)
		return a.post(tx, e)
	})
	return got, inLedger(err)
}

// share is so many hundredths of a percent of an amount, rounded down.
func share(of money.Units, basisPoints uint64) (money.Units, error) {
	n := of.Big()
	n.Mul(n, money.NewUnits(basisPoints).Big())
	n.Quo(n, money.NewUnits(10_000).Big())
	return money.FromBig(n)
}

// ReturnKept gives back what was credited although nobody asked for it: it leaves
// the ledger, and the buyer is asked where to.
func (a *App) ReturnKept(ctx context.Context, invoiceID string) error {
	now := a.now()
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invoice(invoiceID)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("no invoice has the id %q", invoiceID)
		}
		if err != nil {
			return err
		}
		m, err := tx.Merchant(inv.Merchant)
		if err != nil {
			return err
		}
		kept, asset := inv.State.Kept, inv.PaymentAsset()
		if kept.IsZero() {
			return fmt.Errorf("nothing of invoice %s was kept that it did not ask for", invoiceID)
		}
		currency, value := worthAtLock(m, inv, store.Unapplied{Asset: asset, Amount: kept})
		e := ledger.New(ledger.Release, fmt.Sprintf("kept/%s/%d", inv.ID, inv.State.Events), inv.Merchant, now).
			Line(currency, value.Delta().Neg(), ledger.OverpaymentRefund, "")
		if currency != asset {
			e.Credit(ledger.Exchange, currency, value).Debit(ledger.Exchange, asset, kept)
		}
		e.Credit(ledger.Unapplied, asset, kept)
		e.Refs = ledger.Refs{Invoice: inv.ID}
		if err := a.post(tx, e); err != nil {
			return err
		}
		inv.State.Kept = money.Units{}
		return a.save(tx, inv, nil, now)
	})
	if err != nil {
		return inLedger(err)
	}
	return a.DecidePayment(ctx, invoiceID, merchant.ToRefund)
}
