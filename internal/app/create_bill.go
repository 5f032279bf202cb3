package app

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// CreateBill makes a draft with the token of a merchant.
func (a *App) CreateBill(ctx context.Context, m *merchant.Merchant, t *merchant.Token, terms bill.Terms) (*bill.Bill, error) {
	if err := a.checkBill(&terms); err != nil {
		return nil, err
	}
	b, err := a.newBill(m.ID, t.Token, string(t.Facade), terms, a.now())
	if err != nil {
		return nil, err
	}
	return b, a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddBill(b) })
}

// checkBill checks the terms and numbers the items anew.
func (a *App) checkBill(terms *bill.Terms) error {
	if err := terms.Check(); err != nil {
		return err
	}
	return a.nameItems(terms)
}

func (a *App) nameItems(terms *bill.Terms) error {
	items := make([]bill.Item, len(terms.Items))
	for i, it := range terms.Items {
		id, err := a.newID()
		if err != nil {
			return err
		}
		items[i] = it
		items[i].ID = id
	}
	terms.Items = items
	return nil
}

func (a *App) newBill(merchantID, apiToken, facade string, terms bill.Terms, now time.Time) (*bill.Bill, error) {
	id, err1 := a.newID()
	token, err2 := a.newResourceToken()
	return &bill.Bill{
		ID: id, Merchant: merchantID, APIToken: apiToken, Token: token, Status: bill.Draft, Created: now,
		Terms: terms, State: bill.State{Facade: facade},
	}, errors.Join(err1, err2)
}
