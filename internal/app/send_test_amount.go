package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// SendTestAmount queues a test amount, out of the merchant's ledger. The same test
// handed over again is queued once.
func (a *App) SendTestAmount(ctx context.Context, t TestAmount) error {
	now := a.now()
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Order(t.ID); err == nil || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		m, err := tx.Merchant(t.Merchant)
		if err != nil {
			return err
		}
		w, asset, err := a.walletFor(tx, t.Merchant, t.Asset)
		if err != nil {
			return err
		}
		to, err := asset.Spending.Destination(t.Address)
		if err != nil {
			return err
		}
		currency, value := t.Asset, t.Amount
		if !m.Settings.LedgerInAsset {
			if value, err = a.cost(t.Asset, m.Settings.LedgerCurrency(), t.Amount); err != nil {
				return err
			}
			currency = m.Settings.LedgerCurrency()
		}
		e := ledger.New(ledger.Reserve, proofKey(t.ID), t.Merchant, now).
			Line(currency, value.Delta().Neg(), ledger.Custom, "Test amount to recipient "+t.Recipient).Credit(ledger.Reserved, currency, value)
		if err := a.post(tx, e); err != nil {
			return err
		}
		return tx.AddOrder(&transfer.Order{
			ID: t.ID, Merchant: t.Merchant, Wallet: w.ID, Asset: asset.Code, Chain: asset.Chain, Kind: transfer.Proof, Resource: t.Recipient,
			Address: t.Address, To: to, Currency: currency, Value: value, Gross: t.Amount, State: transfer.Queued, Created: now,
		})
	})
}

// walletFor is the merchant's wallet that can send an asset.
func (a *App) walletFor(tx *store.Tx, merchantID, assetCode string) (*merchant.Wallet, *Asset, error) {
	wallets, err := tx.Wallets(merchantID)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range wallets {
		if asset, ok := a.Asset(w.Asset); ok && w.Asset == assetCode && asset.Spending != nil {
			return w, asset, nil
		}
	}
	return nil, nil, fmt.Errorf("the merchant has no wallet that can send %s", assetCode)
}

// cost is what an amount of an asset costs in a currency now, rounded up.
func (a *App) cost(asset, currency string, amount money.Units) (money.Units, error) {
	table, err := a.Rates.Current()
	if err != nil {
		return money.Units{}, err
	}
	from, _ := money.Lookup(asset)
	to, ok := money.Lookup(currency)
	if !ok {
		return money.Units{}, fmt.Errorf("%q is not a currency", currency)
	}
	return table.Due(amount, from, to)
}

// proofMoved gives back what was held for a test amount that will not be sent: the
// recipient signs a text instead.
func (a *App) proofMoved(tx *store.Tx, o *transfer.Order, t *transfer.Transfer, now time.Time) error {
	if t.State != transfer.Dropped {
		return nil
	}
	for _, key := range []string{proofKey(o.ID), recalledKey(o)} {
		e, err := tx.EntryByKey(key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil {
			_, err = a.reverse(tx, e.ID, now)
		}
		return err
	}
	return fmt.Errorf("nothing is held for test amount %s", o.ID)
}

func proofKey(id string) string { return "proof/" + id }
