package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// Shown is an invoice with what is needed to show it.
type Shown struct {
	*invoice.Invoice
	Tips    map[string]int64 // followed height by chain
	Refunds []*refund.Refund // oldest first
}

func notFound() *fault.Error { return fault.New(fault.InvoiceNotFound, "Invoice not found") }

// Invoice reads an invoice by id.
func (a *App) Invoice(ctx context.Context, id string) (Shown, error) {
	return a.show(ctx, func(tx *store.Tx) (*invoice.Invoice, error) { return tx.Invoice(id) })
}

// InvoiceByGUID reads a merchant's invoice by the guid it was created under.
func (a *App) InvoiceByGUID(ctx context.Context, merchantID, guid string) (Shown, error) {
	return a.show(ctx, func(tx *store.Tx) (*invoice.Invoice, error) { return tx.InvoiceByMerchantGUID(merchantID, guid) })
}

func (a *App) show(ctx context.Context, read func(*store.Tx) (*invoice.Invoice, error)) (s Shown, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		if s.Invoice, err = read(tx); err != nil {
			return refine(err, notFound())
		}
		return s.fill(tx)
	})
	return s, err
}

// fill reads what belongs to an invoice.
func (s *Shown) fill(tx *store.Tx) (err error) {
	if len(s.Credits) > 0 {
		if s.Tips, err = tx.Tips(); err != nil {
			return err
		}
	}
	if s.State.Refunds > 0 {
		s.Refunds, err = tx.RefundsOf(s.ID)
	}
	return err
}

// ListInvoices returns one page of a merchant's invoices, newest first.
func (a *App) ListInvoices(ctx context.Context, f store.InvoiceFilter) (list []Shown, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		page, err := tx.ListInvoices(f)
		if err != nil {
			return err
		}
		for _, inv := range page {
			s := Shown{Invoice: inv}
			if err := s.fill(tx); err != nil {
				return err
			}
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// change runs one operation on one invoice and stores what came of it.
func (a *App) change(ctx context.Context, id string, do func(inv *invoice.Invoice) ([]invoice.Change, error)) (s Shown, err error) {
	now := a.now()
	var refused error
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invoice(id)
		if err != nil {
			return refine(err, notFound())
		}
		var changes []invoice.Change
		changes, refused = do(inv)
		if refused != nil && !keep(refused) {
			return refused
		}
		if err := a.save(tx, inv, changes, now); err != nil {
			return err
		}
		s.Invoice = inv
		return s.fill(tx)
	})
	if err == nil {
		err = refused
		a.tellEvents(id)
	}
	return s, err
}

// keep reports that a refusal left a trace that must be stored: a wrong code counts.
func keep(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Code == fault.InvoiceSMSVerify
}
