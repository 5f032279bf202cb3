package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// ClaimRefund stores where the buyer wants the money. It was shown back and
// confirmed; it does not change any more.
func (a *App) ClaimRefund(ctx context.Context, id, code, address string) (*refund.Refund, error) {
	r, err := a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
		if err := r.CheckClaim(code, now); err != nil {
			return err
		}
		to, err := a.CheckDestination(r.Terms.Asset, address)
		if err != nil {
			return err
		}
		if r.State.Address != "" {
			if r.State.Address == address {
				return nil
			}
			return fault.New(fault.RefundInvalid, "An address was already confirmed for this refund.")
		}
		r.State.Address, r.State.To, r.State.Problem = address, to, ""
		return tx.SetRefund(r)
	})
	if err != nil {
		return nil, err
	}
	if err := a.PayRefund(ctx, id); err != nil {
		a.Log.Error("a refund's address is stored, its payment is tried again", "refund", id, "error", err)
	}
	return r, nil
}

// CheckDestination reads an address that an asset can be sent to. The refusal is
// a sentence for whoever typed it.
func (a *App) CheckDestination(assetCode, address string) ([]byte, error) {
	asset, ok := a.Asset(assetCode)
	if !ok || asset.Spending == nil {
		return nil, fault.New(fault.RefundInvalid, "%s cannot be sent from here at present", assetCode)
	}
	to, err := asset.Spending.Destination(address)
	if err != nil {
		return nil, fault.Invalid(fault.RefundInvalid, "address", "%v", err)
	}
	return to, nil
}

// PayRefunds queues the refunds that wait and can be paid by now.
func (a *App) PayRefunds(ctx context.Context) error {
	var ids []string
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		ids, err = tx.RefundsDue()
		return err
	})
	for _, id := range ids {
		if perr := a.PayRefund(ctx, id); perr != nil {
			err = errors.Join(err, fmt.Errorf("refund %s: %w", id, perr))
		}
	}
	return err
}

// PayRefund holds the money and queues the payment, once the buyer has said
// where to and what came in is in the books. Else it waits.
func (a *App) PayRefund(ctx context.Context, id string) error {
	waits := ""
	_, err := a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
		if r.Status != refund.Created || r.State.Address == "" || r.State.Order != "" {
			return nil
		}
		var err error
		if waits, err = a.refundWaits(tx, r, inv); err != nil || waits != "" {
			return a.noteRefund(tx, r, waits, err)
		}
		if r.State.Entry == "" {
			if err := a.holdRefund(tx, r, inv, now); err != nil {
				return err
			}
		}
		if err := a.queueRefund(tx, r, inv, now); err != nil {
			return err
		}
		r.State.Problem = ""
		if err := tx.SetRefund(r); err != nil {
			return err
		}
		return a.noteUnapplied(tx, inv, now)
	})
	var short *ledger.Insufficient
	if errors.As(err, &short) || errors.Is(err, fault.RefundInvalid) {
		waits = "the ledger's balance does not cover it"
		_, err = a.changeRefund(ctx, id, func(tx *store.Tx, r *refund.Refund, _ *invoice.Invoice, _ time.Time) error {
			return a.noteRefund(tx, r, waits, nil)
		})
	}
	return err
}

// refundWaits says what a refund with an address still waits for.
func (a *App) refundWaits(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice) (string, error) {
	if inv.State.Entry == "" && (r.Terms.FromCredit || r.Terms.Reason == refund.Over) {
		return "the invoice's payment lost its confirmations; it waits for them", nil
	}
	if r.Terms.FromCredit || r.State.Entry != "" {
		return "", nil
	}
	others, err := tx.RefundsOf(inv.ID)
	if err != nil {
		return "", err
	}
	// What others have sent lies in the same account: this one gets no more of it
	// than what is there of its own invoice.
	own := unapplied(inv, r.Terms.Asset, others, func(o *refund.Refund) bool { return o.State.Entry != "" })
	if own.Cmp(r.Terms.Gross.Delta()) < 0 {
		return fmt.Sprintf("the payment waits for %d confirmations", inv.Depths(r.Terms.Asset).Credit), nil
	}
	return "", nil
}

func (a *App) noteRefund(tx *store.Tx, r *refund.Refund, why string, err error) error {
	if err != nil || r.State.Problem == why {
		return err
	}
	r.State.Problem = why
	return tx.SetRefund(r)
}

// holdRefund takes a refund's money out of what it is paid from, in the books.
func (a *App) holdRefund(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
	e := ledger.New(ledger.Reserve, fmt.Sprintf("refund/%s/%d", r.ID, r.State.Events), r.Merchant, now)
	e.Refs = ledger.Refs{Invoice: r.Invoice, Refund: r.ID, Support: r.Terms.Support}
	if r.Terms.FromCredit {
		currency, value, fee, err := a.refundValue(tx, r, inv)
		if err != nil {
			return err
		}
		code := ledger.InvoiceRefund
		if r.Terms.Immediate {
			code = ledger.ImmediateRefund
		}
		e.Line(currency, value.Delta().Neg(), code, "").Credit(ledger.Reserved, currency, value)
		if !r.Terms.BuyerPays {
			e.Line(currency, fee.Delta().Neg(), ledger.RefundFee, "").Credit(ledger.NetworkCharged, currency, fee)
		}
	} else {
		e.Debit(ledger.Unapplied, r.Terms.Asset, r.Terms.Gross).Credit(ledger.Reserved, r.Terms.Asset, r.Terms.Gross)
	}
	err := a.post(tx, e)
	var short *ledger.Insufficient
	if errors.As(err, &short) && short.Account == ledger.Merchant {
		cur, _ := money.Lookup(short.Asset)
		return fault.Invalid(fault.RefundInvalid, "amount", "the %s ledger has %s, and %s are needed with the fee", short.Asset, money.Format(cur, short.Have), money.Format(cur, short.Need))
	}
	r.State.Entry = e.ID
	return err
}

// refundValue is what a refund and its fee are in the ledger that the invoice was
// credited to.
func (a *App) refundValue(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice) (currency string, value, fee money.Units, err error) {
	credit, err := tx.Entry(inv.State.Entry)
	if err != nil {
		return "", value, fee, fmt.Errorf("the credit of invoice %s: %w", inv.ID, err)
	}
	for _, p := range credit.Postings {
		if p.Code == ledger.Invoice {
			currency = p.Asset
		}
	}
	if currency == r.Terms.Asset {
		return currency, r.Terms.Gross, r.Terms.AssetFee, nil
	}
	return currency, r.Terms.Amount, r.Terms.Fee, nil
}

// queueRefund hands the payment over to whoever spends from the wallet.
func (a *App) queueRefund(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice, now time.Time) error {
	option, ok := inv.Option(r.Terms.Asset)
	if !ok {
		return fmt.Errorf("invoice %s was not paid in %s", inv.ID, r.Terms.Asset)
	}
	id, err := a.newID()
	if err != nil {
		return err
	}
	o := &transfer.Order{
		ID: id, Merchant: r.Merchant, Wallet: option.Wallet, Asset: r.Terms.Asset, Chain: option.Chain, Kind: transfer.Refund, Resource: r.ID,
		Address: r.State.Address, To: r.State.To, Currency: r.Terms.Asset, Value: r.Terms.Gross, Gross: r.Terms.Gross, Kept: r.Terms.Kept(),
		State: transfer.Queued, Created: now,
	}
	if r.Terms.FromCredit {
		if o.Currency, o.Value, _, err = a.refundValue(tx, r, inv); err != nil {
			return err
		}
	}
	r.State.Order = id
	return tx.AddOrder(o)
}

// refundMoved follows the transaction that pays a refund.
func (a *App) refundMoved(tx *store.Tx, o *transfer.Order, t *transfer.Transfer, now time.Time) error {
	r, err := tx.Refund(o.Resource)
	if err != nil {
		return err
	}
	before := r.Status
	switch {
	case t.State == transfer.Sent && r.Status == refund.Created:
		err = r.Move(refund.Sent)
	case t.State == transfer.Sent && r.Status == refund.Success:
		err = r.Move(refund.Unconfirmed)
	case t.State == transfer.Confirmed && r.Status == refund.Pending:
		err = r.Move(refund.Confirmed)
	case t.State == transfer.Dropped && r.Status == refund.Created:
		r.State.Problem = t.Problem
		err = errors.Join(r.Move(refund.Refused), a.freeRefund(tx, r, now))
	}
	if err != nil || r.Status == before {
		return err
	}
	if att := t.Attempt(); att != nil && att.Txid != "" {
		r.State.Txid = att.Txid
	}
	if r.Status == refund.Success || r.Status == refund.Failure {
		r.State.Ended = now
	}
	if err := a.saveRefund(tx, r, now); err != nil {
		return err
	}
	inv, err := tx.Invoice(r.Invoice)
	if err != nil {
		return err
	}
	if r.Status == refund.Success {
		return a.save(tx, inv, []invoice.Change{{Kind: invoice.Refunded, To: inv.Status}}, now)
	}
	return a.noteUnapplied(tx, inv, now)
}
