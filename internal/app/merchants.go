package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// CreateMerchant makes an account and returns it with its access key, which is
// shown this once: only its hash is kept.
func (a *App) CreateMerchant(ctx context.Context, name string, set merchant.Settings) (*merchant.Merchant, string, error) {
	name = strings.TrimSpace(name)
	if err := merchant.CheckName(name); err != nil {
		return nil, "", err
	}
	id, err1 := a.newID()
	key, err2 := a.randomText(20, 28)
	secret := make([]byte, 32)
	_, err3 := io.ReadFull(a.Rand, secret)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, "", err
	}
	key = "qk_" + key
	m := &merchant.Merchant{
		ID: id, Name: name, KeyHash: merchant.HashKey(key),
		WebhookSecret: "whsec_" + base64.StdEncoding.EncodeToString(secret), Settings: set, Created: a.now(),
	}
	return m, key, a.changed(ctx, func(tx *store.Tx) error { return tx.AddMerchant(m) })
}

// Merchants lists all accounts.
func (a *App) Merchants(ctx context.Context) (list []*merchant.Merchant, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Merchants()
		return err
	})
	return list, err
}

// FindMerchant finds an account by id or by its exact name; with an empty text,
// the only one there is.
func (a *App) FindMerchant(ctx context.Context, which string) (*merchant.Merchant, error) {
	list, err := a.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	var found []*merchant.Merchant
	for _, m := range list {
		if which == "" || m.ID == which || strings.EqualFold(m.Name, which) {
			found = append(found, m)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(list) == 0:
		return nil, errors.New("there is no merchant yet: run `quittance merchant create NAME`")
	case which == "":
		return nil, errors.New("there are several merchants: say which one with --merchant NAME or ID; `quittance merchant list` shows them")
	case len(found) > 1:
		return nil, fmt.Errorf("%d merchants are called %q: use the id; `quittance merchant list` shows it", len(found), which)
	}
	return nil, fmt.Errorf("no merchant is called %q: `quittance merchant list` shows all", which)
}

// ChangeMerchant changes an account's name or defaults.
func (a *App) ChangeMerchant(ctx context.Context, id string, do func(*merchant.Merchant) error) (m *merchant.Merchant, err error) {
	err = a.changed(ctx, func(tx *store.Tx) error {
		if m, err = tx.Merchant(id); err != nil {
			return err
		}
		if err := do(m); err != nil {
			return err
		}
		if err := errors.Join(merchant.CheckName(m.Name), m.Settings.Check(a.whyNotURL, invoice.WhyNotEmail)); err != nil {
			return err
		}
		return tx.SetMerchant(m)
	})
	return m, err
}

func (a *App) whyNotURL(s string) string { return invoice.WhyNotURL(s, a.AllowHTTP) }

// NewMerchantKey replaces an account's access key; the old one is void at once.
func (a *App) NewMerchantKey(ctx context.Context, id string) (string, error) {
	key, err := a.randomText(20, 28)
	if err != nil {
		return "", err
	}
	key = "qk_" + key
	_, err = a.ChangeMerchant(ctx, id, func(m *merchant.Merchant) error {
		m.KeyHash = merchant.HashKey(key)
		return nil
	})
	return key, err
}

// MerchantByKey finds the account an access key opens.
func (a *App) MerchantByKey(ctx context.Context, key string) (m *merchant.Merchant, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		m, err = tx.MerchantByKey(merchant.HashKey(strings.TrimSpace(key)))
		return refine(err, fault.Access(403, "This access key is not known; `quittance merchant key` makes a new one"))
	})
	return m, err
}
