package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

const payTries = 5

// PayBill returns the invoice that pays a bill: the open one, or a new one. Its
// guid counts the bill's versions, so that two who ask at once get the same, and
// nobody gets one from before the bill was changed.
func (a *App) PayBill(ctx context.Context, id string) (string, error) {
	for range payTries {
		b, m, inv, err := a.BillOf(ctx, id)
		if err != nil {
			return "", err
		}
		if inv != nil && (b.Status == bill.Paid || b.Status == bill.Complete || a.awaits(inv.Invoice)) {
			return inv.ID, nil
		}
		next, err := a.openInvoice(ctx, b, m)
		if err != nil {
			return "", err
		}
		err = a.Store.Update(ctx, func(tx *store.Tx) error {
			now, err := tx.Bill(id)
			if err != nil {
				return err
			}
			if now.Version != b.Version {
				return errOvertaken
			}
			if err := now.Open(next.ID); err != nil {
				return err
			}
			return tx.SetBill(now)
		})
		if err != nil && !errors.Is(err, errOvertaken) {
			return "", err
		}
		a.tellEvents(id)
	}
	return "", fault.New(fault.Generic, "This bill is being changed; please try again")
}

// errOvertaken means that the bill is no longer what the invoice was made for.
var errOvertaken = errors.New("app: the bill changed meanwhile")

// awaits reports that an invoice can still be paid.
func (a *App) awaits(inv *invoice.Invoice) bool {
	return inv.Status == invoice.New && (a.now().Before(inv.Expires) || !inv.Received().IsZero())
}

func (a *App) openInvoice(ctx context.Context, b *bill.Bill, m *merchant.Merchant) (*invoice.Invoice, error) {
	t, _, err := a.Token(ctx, b.APIToken)
	if err != nil {
		return nil, err
	}
	cur, ok := money.Lookup(b.Terms.Currency)
	if !ok {
		return nil, fmt.Errorf("bill %s: currency %s is not in the table", b.ID, b.Terms.Currency)
	}
	total, err := b.Terms.Total(m.Settings.FeeBasisPoints, m.Settings.FeeFlat)
	if err != nil {
		return nil, fault.Invalid(fault.Invalid0, "items", "their sum with the processing fee cannot be paid")
	}
	terms := &b.Terms
	order := invoice.Order{
		Currency: cur.Code, OrderID: terms.Number, Bill: b.ID, Full: true, RedirectURL: a.PublicURL + "/bill?id=" + b.ID + "&resource=bills",
		Buyer: &invoice.Buyer{
			Name: terms.Name, Address1: terms.Address1, Address2: terms.Address2, Locality: terms.City, Region: terms.Region,
			PostalCode: terms.Zip, Country: terms.Country, Phone: terms.Phone, Email: terms.Email,
		},
	}
	for _, it := range terms.Items {
		line, err := (&bill.Terms{Items: []bill.Item{it}}).Net()
		if err != nil {
			return nil, err
		}
		order.Items = append(order.Items, invoice.Item{Amount: money.Number(cur, line), Description: it.Description})
	}
	return a.CreateInvoice(ctx, NewInvoice{
		Merchant: m, Token: t, Order: order, Price: money.Number(cur, total), GUID: fmt.Sprintf("bill:%s:v%d", b.ID, b.Version),
	})
}

// followBill lets a bill follow one of its invoices, in the transaction that
// changes the invoice.
func followBill(tx *store.Tx, inv *invoice.Invoice) error {
	if inv.Terms.Order.Bill == "" {
		return nil
	}
	b, err := tx.Bill(inv.Terms.Order.Bill)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || !b.Follow(inv) {
		return err
	}
	return tx.SetBill(b)
}
