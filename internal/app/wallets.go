package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// AddWallet gives a merchant an account key to receive an asset with. sealed is
// the seed it came from, sealed, or empty for watch-only.
func (a *App) AddWallet(ctx context.Context, merchantID, assetCode, kind, xpub, sealed string) (*merchant.Wallet, error) {
	return a.OpenWallet(ctx, assetCode, merchant.Wallet{Merchant: merchantID, Kind: kind, XPub: xpub, SealedSeed: sealed})
}

// AddSignerWallet gives a merchant an account key whose seed a signer process has,
// which answers at an address such as unix:///PATH.
func (a *App) AddSignerWallet(ctx context.Context, merchantID, assetCode, kind, xpub, signer string) (*merchant.Wallet, error) {
	return a.OpenWallet(ctx, assetCode, merchant.Wallet{Merchant: merchantID, Kind: kind, XPub: xpub, Signer: signer})
}

// SetWalletSigner gives a merchant's wallet of an asset to a signer process; empty
// takes it away. What waits for a signature is asked for there from then on.
func (a *App) SetWalletSigner(ctx context.Context, merchantID, assetCode, signer string) (*merchant.Wallet, error) {
	return a.changeWallet(ctx, merchantID, assetCode, func(tx *store.Tx, _ *Asset, w *merchant.Wallet) error {
		w.Signer = signer
		return tx.SetWalletSigner(w.ID, signer)
	})
}

// OpenWallet gives a merchant a wallet for an asset. Its merchant, kind, key, origin,
// custody, birthday and next index are as given, the rest is filled in. A seed that was made here
// is as old as the block that was followed last.
func (a *App) OpenWallet(ctx context.Context, assetCode string, w merchant.Wallet) (*merchant.Wallet, error) {
	asset, ok := a.Asset(assetCode)
	if !ok {
		return nil, fmt.Errorf("asset %q is not enabled on this server", assetCode)
	}
	var err error
	if w.XPub, err = asset.Keys.Check(w.XPub, w.Kind); err != nil {
		return nil, err
	}
	if w.Origin, err = asset.Keys.Origin(w.XPub, w.Kind, w.Origin); err != nil {
		return nil, err
	}
	if w.ID, err = a.newID(); err != nil {
		return nil, err
	}
	w.Asset, w.Network, w.Created = asset.Code, asset.Network, a.now()
	err = a.changed(ctx, func(tx *store.Tx) error {
		if err := whyNoWallet(tx, &w); err != nil {
			return err
		}
		if w.SealedSeed != "" && w.Birth == (merchant.Birthday{}) {
			if w.Birth, err = bornNow(tx, asset, &w); err != nil {
				return err
			}
		}
		if err := tx.AddWallet(&w); err != nil || w.NextIndex == 0 {
			return err
		}
		_, err := tx.ReserveChange(w.ID, w.NextIndex) // what was used elsewhere had change too
		return err
	})
	if errors.Is(err, store.ErrExists) {
		err = errKeyTaken // another process was faster
	}
	return &w, err
}

var errKeyTaken = errors.New("this account key already belongs to a wallet: one key serves one wallet, or addresses would be used twice")

// CheckWallet says why a wallet cannot be opened, without opening it.
func (a *App) CheckWallet(ctx context.Context, w *merchant.Wallet) error {
	return a.Store.View(ctx, func(tx *store.Tx) error { return whyNoWallet(tx, w) })
}

// whyNoWallet refuses a key that serves a wallet already, whoever's and of whatever
// kind, and a second wallet for an asset.
func whyNoWallet(tx *store.Tx, w *merchant.Wallet) error {
	other, err := tx.WalletByKey(w.XPub)
	if err == nil {
		m, err := tx.Merchant(other.Merchant)
		if err != nil {
			return err
		}
		return fmt.Errorf("this account key already belongs to the %s wallet of %s: one key serves one wallet, or addresses would be used twice; take another account of your wallet", other.Asset, m.Name)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	list, err := tx.Wallets(w.Merchant)
	if err == nil && slices.ContainsFunc(list, func(o *merchant.Wallet) bool { return o.Asset == w.Asset }) {
		err = fmt.Errorf("the merchant already has a %s wallet: `quittance wallet list` shows it", w.Asset)
	}
	return err
}

// bornNow is the birthday of what is made now: the block that was followed last.
func bornNow(tx *store.Tx, asset *Asset, w *merchant.Wallet) (merchant.Birthday, error) {
	b := merchant.Birthday{At: w.Created}
	c, err := tx.Cursor(asset.Chain)
	if errors.Is(err, store.ErrNotFound) {
		return b, nil
	}
	b.Height = c.Block.Height
	return b, err
}

// SetWalletOrigin says where the key of a merchant's wallet comes from, so that what
// is exported from then on to be signed elsewhere says so.
func (a *App) SetWalletOrigin(ctx context.Context, merchantID, assetCode, origin string) (*merchant.Wallet, error) {
	return a.changeWallet(ctx, merchantID, assetCode, func(tx *store.Tx, asset *Asset, w *merchant.Wallet) (err error) {
		if w.Origin, err = asset.Keys.Origin(w.XPub, w.Kind, origin); err != nil {
			return err
		}
		return tx.SetWalletOrigin(w.ID, w.Origin)
	})
}

// SetWalletBirthday says from when on a merchant's wallet may have been paid.
func (a *App) SetWalletBirthday(ctx context.Context, merchantID, assetCode string, b merchant.Birthday) (*merchant.Wallet, error) {
	return a.changeWallet(ctx, merchantID, assetCode, func(tx *store.Tx, _ *Asset, w *merchant.Wallet) error {
		w.Birth = b
		return tx.SetWalletBirth(w.ID, b)
	})
}

// changeWallet changes a merchant's wallet of an asset.
func (a *App) changeWallet(ctx context.Context, merchantID, assetCode string, do func(*store.Tx, *Asset, *merchant.Wallet) error) (w *merchant.Wallet, err error) {
	asset, ok := a.Asset(assetCode)
	if !ok {
		return nil, fmt.Errorf("the merchant has no %s wallet", assetCode)
	}
	err = a.changed(ctx, func(tx *store.Tx) error {
		if w, err = walletIn(tx, merchantID, assetCode); err != nil {
			return err
		}
		return do(tx, asset, w)
	})
	return w, err
}

// walletIn finds a merchant's wallet of an asset.
func walletIn(tx *store.Tx, merchantID, assetCode string) (*merchant.Wallet, error) {
	list, err := tx.Wallets(merchantID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(w *merchant.Wallet) bool { return w.Asset == assetCode })
	if i < 0 {
		return nil, fmt.Errorf("the merchant has no %s wallet: `quittance wallet add` gives it one", assetCode)
	}
	return list[i], nil
}

// Wallets lists a merchant's wallets.
func (a *App) Wallets(ctx context.Context, merchantID string) (list []*merchant.Wallet, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Wallets(merchantID)
		return err
	})
	return list, err
}

// FollowedTo is the height up to which a chain was followed, 0 when none has been.
func (a *App) FollowedTo(ctx context.Context, chainName string) (int64, error) {
	c, err := a.Cursor(ctx, chainName)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return c.Height, err
}
