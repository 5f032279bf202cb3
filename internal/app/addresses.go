package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// newAddress takes an address of a wallet that no invoice ever had.
func (a *App) newAddress(ctx context.Context, asset *Asset, w *merchant.Wallet) (addr string, dest []byte, index int64, err error) {
	if index, err = a.nextIndex(ctx, w.ID); err != nil {
		return "", nil, 0, err
	}
	addr, dest, err = asset.Keys.Address(w.XPub, w.Kind, index)
	if err != nil {
		return "", nil, 0, fmt.Errorf("derive address %d of wallet %s: %w", index, w.ID, err)
	}
	return addr, dest, index, nil
}

// DepositAddress takes an address at which the merchant funds its ledger with coins
// of its own. What arrives is credited once it is deep enough.
func (a *App) DepositAddress(ctx context.Context, m *merchant.Merchant, assetCode string) (string, error) {
	asset, ok := a.Asset(assetCode)
	if !ok {
		return "", fmt.Errorf("asset %q is not enabled", assetCode)
	}
	wallets, err := a.walletsOf(ctx, m.ID)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(wallets, func(w *merchant.Wallet) bool { return w.Asset == assetCode })
	if i < 0 {
		return "", fmt.Errorf("%s has no wallet for %s: `quittance wallet add` gives it one", m.Name, assetCode)
	}
	w := wallets[i]
	// A command takes one index and no block of them.
	var index int64
	err = a.Store.Update(ctx, func(tx *store.Tx) (err error) {
		index, err = tx.ReserveIndices(w.ID, 1)
		return err
	})
	if err == nil && a.Journal != nil && a.recollect().marks[w.ID].index > index {
		err = errors.New("the database is older than the journal beside it: start the server first, which finds out what was forgotten")
	}
	if err == nil {
		err = a.noteIndices(w.ID, index+1, 0)
	}
	if err != nil {
		return "", err
	}
	addr, dest, err := asset.Keys.Address(w.XPub, w.Kind, index)
	if err != nil {
		return "", err
	}
	a.tellAddress(asset.Chain, dest)
	return addr, a.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.AddAddress(asset.Chain, dest, store.AddressOwner{Asset: asset.Code, Wallet: w.ID, Index: index}, a.now())
	})
}

// CheckAddresses derives each address of an invoice again from its wallet and
// refuses to show one that is not what was stored: somebody changed the row.
func (a *App) CheckAddresses(ctx context.Context, inv *invoice.Invoice) error {
	for i := range inv.Terms.Options {
		err := a.checkAddress(ctx, inv, &inv.Terms.Options[i])
		if err != nil && ctx.Err() != nil {
			return err // whoever asked has gone: nothing was found out
		}
		if err != nil {
			a.Log.Error("an invoice's address does not derive from its wallet; it is not shown", "invoice", inv.ID, "error", err)
			return fault.New(fault.InvoiceGeneric, "The payment address of this invoice could not be verified and is not shown; the operator has been told")
		}
	}
	return nil
}

func (a *App) checkAddress(ctx context.Context, inv *invoice.Invoice, o *invoice.Option) error {
	asset, ok := a.Asset(o.Asset)
	if !ok {
		return fmt.Errorf("asset %s is not enabled", o.Asset)
	}
	w, err := a.wallet(ctx, inv.Merchant, o.Wallet)
	if err != nil {
		return err
	}
	addr, dest, err := asset.Keys.Address(w.XPub, w.Kind, o.Index)
	if err != nil {
		return err
	}
	if addr != o.Address {
		return fmt.Errorf("stored %s, derived %s", o.Address, addr)
	}
	return a.Store.View(ctx, func(tx *store.Tx) error {
		owner, err := tx.Address(o.Chain, dest)
		if err != nil {
			return fmt.Errorf("the derived address is not on record: %w", err)
		}
		if owner.Invoice != inv.ID {
			return fmt.Errorf("the address belongs to invoice %s", owner.Invoice)
		}
		return nil
	})
}

func (a *App) wallet(ctx context.Context, merchantID, id string) (*merchant.Wallet, error) {
	list, err := a.walletsOf(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		if w.ID == id {
			return w, nil
		}
	}
	return nil, fmt.Errorf("wallet %s is not the merchant's", id)
}
