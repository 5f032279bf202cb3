package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// noteUnapplied keeps what came in for an invoice and was applied to nothing, so
// that somebody decides about it.
func (a *App) noteUnapplied(tx *store.Tx, inv *invoice.Invoice, now time.Time) error {
	asset := inv.PaymentAsset()
	u := store.Unapplied{Invoice: inv.ID, Merchant: inv.Merchant, Asset: asset, Since: now}
	var decided bool
	if u.Reason, decided = whyUnapplied(inv); !decided || asset == "" {
		return tx.SetUnapplied(u)
	}
	list, err := tx.RefundsOf(inv.ID)
	if err != nil {
		return err
	}
	if rest := unapplied(inv, asset, list, func(*refund.Refund) bool { return true }); rest.Sign() > 0 {
		u.Amount = rest.Abs()
	}
	return tx.SetUnapplied(u)
}

// unapplied is what of an invoice's payments in the books nothing has taken: neither
// the price, nor the merchant, nor those of its refunds that count.
func unapplied(inv *invoice.Invoice, asset string, refunds []*refund.Refund, counts func(*refund.Refund) bool) money.Delta {
	rest := inv.Booked()[asset].Delta() // parts of one balance
	if inv.State.Entry != "" {
		applied, _ := inv.Applied()
		rest, _ = rest.Sub(applied.Delta())
	}
	rest, _ = rest.Sub(inv.State.Kept.Delta())
	for _, r := range refunds {
		if !r.Terms.FromCredit && r.Status.Active() && counts(r) {
			rest, _ = rest.Sub(r.Terms.Gross.Delta())
		}
	}
	return rest
}

// whyUnapplied says why money of an invoice is not applied; ok is false while
// the invoice may still take it.
func whyUnapplied(inv *invoice.Invoice) (why refund.Reason, ok bool) {
	switch inv.Status {
	case invoice.Complete:
		if inv.HasLate() {
			return refund.Late, true
		}
		return refund.Over, true
	case invoice.Declined:
		return refund.Declined, true
	case invoice.Expired, invoice.Invalid:
		if inv.HasLate() {
			return refund.Late, true
		}
		return refund.Under, true
	}
	return "", false
}

// DecideUnapplied does with money that nobody asked for what the merchant's
// policy says.
func (a *App) DecideUnapplied(ctx context.Context) error {
	var list []store.Unapplied
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.UndecidedPayments(10_000)
		return err
	})
	for _, u := range list {
		if derr := a.decide(ctx, u, ""); derr != nil {
			err = errors.Join(err, fmt.Errorf("payment for invoice %s: %w", u.Invoice, derr))
		}
	}
	return err
}

// DecidePayment is a person's decision about money that was held: refund or credit.
func (a *App) DecidePayment(ctx context.Context, invoiceID string, p merchant.Policy) error {
	var u store.Unapplied
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		u, err = tx.UnappliedOf(invoiceID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("nothing of invoice %s waits for a decision: `quittance payment held` lists what does", invoiceID)
	}
	if err != nil {
		return err
	}
	return a.decide(ctx, u, p)
}

// decide carries out a policy; an empty one asks the merchant's settings.
func (a *App) decide(ctx context.Context, u store.Unapplied, p merchant.Policy) error {
	var m *merchant.Merchant
	var inv *invoice.Invoice
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if m, err = tx.Merchant(u.Merchant); err != nil {
			return err
		}
		inv, err = tx.Invoice(u.Invoice)
		return err
	})
	if err != nil {
		return err
	}
	asked := p != ""
	if !asked {
		p = policyFor(&m.Settings, inv, u)
	}
	switch p {
	case merchant.ToCredit:
		return a.creditUnapplied(ctx, u)
	case merchant.ToRefund:
		why, err := a.refundUnapplied(ctx, u, inv)
		if err != nil || why == "" {
			return err
		}
		if asked {
			return errors.New(why)
		}
		a.Log.Warn("a payment that was not asked for is held", "invoice", u.Invoice, "amount", u.Amount, "asset", u.Asset, "why", why)
	}
	return a.Store.Update(ctx, func(tx *store.Tx) error { return tx.DecideUnapplied(u.Invoice, store.Held) })
}

func policyFor(s *merchant.Settings, inv *invoice.Invoice, u store.Unapplied) merchant.Policy {
	switch u.Reason {
	case refund.Over:
		if within(u.Amount, inv, s.OverTolerance) {
			return merchant.ToCredit
		}
		return s.OnOver.Or()
	case refund.Under:
		return s.OnUnder.Or()
	case refund.Late:
		return s.OnLate.Or()
	}
	return merchant.ToRefund
}

// within reports whether an overpayment is so small that it is kept.
func within(over money.Units, inv *invoice.Invoice, tolerance int64) bool {
	applied, _ := inv.Applied()
	n := applied.Big()
	n.Mul(n, money.NewUnits(uint64(tolerance)).Big())
	n.Quo(n, money.NewUnits(10_000).Big())
	return tolerance > 0 && over.Big().Cmp(n) <= 0
}

// creditUnapplied gives the money to the merchant's ledger, at the rate that the
// invoice was locked with.
func (a *App) creditUnapplied(ctx context.Context, u store.Unapplied) error {
	now := a.now()
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		m, err := tx.Merchant(u.Merchant)
		if err != nil {
			return err
		}
		inv, err := tx.Invoice(u.Invoice)
		if err != nil {
			return err
		}
		have, err := tx.UnappliedOf(u.Invoice)
		if err != nil || have.Amount.Cmp(u.Amount) != 0 {
			return err // it changed; the next round looks again
		}
		code, text := ledger.OverpaymentCredit, ""
		if u.Reason != refund.Over {
			code, text = ledger.Custom, "Payment of "+string(u.Reason)+" invoice "+u.Invoice
		}
		e := ledger.New(ledger.Credit, fmt.Sprintf("unapplied/%s/%d", u.Invoice, inv.State.Events), u.Merchant, now).Debit(ledger.Unapplied, u.Asset, u.Amount)
		e.Refs = ledger.Refs{Invoice: u.Invoice}
		currency, value := worthAtLock(m, inv, u)
		if currency != u.Asset {
			e.Credit(ledger.Exchange, u.Asset, u.Amount).Debit(ledger.Exchange, currency, value)
		}
		e.Line(currency, value.Delta(), code, text)
		if code == ledger.OverpaymentCredit {
			fee, err := share(value, uint64(m.Settings.FeeBasisPoints))
			if err != nil {
				return err
			}
			e.Line(currency, fee.Delta().Neg(), ledger.OverpaymentFee, "").Credit(ledger.Fees, currency, fee)
		}
		if err := a.post(tx, e); err != nil {
			return err
		}
		inv.State.Kept, _ = inv.State.Kept.Add(u.Amount)
		if err := a.save(tx, inv, nil, now); err != nil {
			return err
		}
		return a.noteUnapplied(tx, inv, now)
	})
}

// worthAtLock is what coins of an invoice are worth at its own rate: their share
// of what was due is that share of the price, rounded down.
func worthAtLock(m *merchant.Merchant, inv *invoice.Invoice, u store.Unapplied) (string, money.Units) {
	o := &inv.Terms.Order
	option, ok := inv.Option(u.Asset)
	if m.Settings.LedgerInAsset || o.Currency == u.Asset || !ok || option.Due.IsZero() {
		return u.Asset, u.Amount
	}
	n := u.Amount.Big()
	n.Mul(n, o.Price.Big())
	n.Quo(n, option.Due.Big())
	value, err := money.FromBig(n)
	if err != nil || value.IsZero() {
		return u.Asset, u.Amount
	}
	return o.Currency, value
}

// refundUnapplied gives the money back to the buyer, who bears the network's
// cost of it. why says what stands against it.
func (a *App) refundUnapplied(ctx context.Context, u store.Unapplied, inv *invoice.Invoice) (why string, err error) {
	if inv.Contact() == "" {
		return "the buyer cannot be asked where to send it: set buyerEmail with an update of the invoice, or decide otherwise", nil
	}
	r, err := a.newRefund(inv, inv.APIToken, fmt.Sprintf("auto/%s/%d", inv.ID, inv.State.Refunds))
	if err != nil {
		return "", err
	}
	_, value := worthAtLock(&merchant.Merchant{}, inv, u)
	r.Terms = refund.Terms{
		Reason: u.Reason, Amount: value, Currency: inv.Terms.Order.Currency, Asset: u.Asset, Gross: u.Amount, BuyerPays: u.Reason != refund.Declined,
		Support: r.Terms.Support, Contact: inv.Contact(), Notification: inv.Terms.Order.NotificationURL,
	}
	if err := a.quoteFee(ctx, r); err != nil {
		return "", err
	}
	asset, ok := a.Asset(u.Asset)
	if !ok || asset.Spending == nil {
		return u.Asset + " cannot be sent from here", nil
	}
	if r.Terms.Net().Cmp(asset.Keys.Dust(dustProbe)) < 0 {
		return "it is worth less than sending it back costs", nil
	}
	now := a.now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invoice(u.Invoice)
		if err != nil {
			return err
		}
		have, err := tx.UnappliedOf(u.Invoice)
		if err != nil || have.Amount.Cmp(u.Amount) != 0 {
			return err
		}
		r.Version, r.State, inv.State.Refunds = 0, refund.State{}, inv.State.Refunds+1
		if err := tx.AddRefund(r); err != nil {
			return err
		}
		if err := a.beginRefund(tx, r, inv, now); err != nil {
			return err
		}
		return a.noteUnapplied(tx, inv, now)
	})
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
		return "", nil // decided elsewhere meanwhile
	}
	if err == nil {
		a.tellEvents(r.ID, r.Invoice)
		a.textClaim(ctx, r)
	}
	return "", err
}
