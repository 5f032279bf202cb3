package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
)

// approverHash is how an approver's key is kept.
func approverHash(key string) string { return merchant.HashKey("approver:" + strings.TrimSpace(key)) }

// AddApprover makes somebody who may release payouts, and returns the key, which
// is shown this once.
func (a *App) AddApprover(ctx context.Context, merchantID, name string) (string, error) {
	if err := merchant.CheckName(name); err != nil {
		return "", errors.New("an approver needs a name of 1 to 200 bytes")
	}
	key, err := a.randomText(20, 28)
	if err != nil {
		return "", err
	}
	key = "qa_" + key
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.AddApprover(store.Approver{KeyHash: approverHash(key), Merchant: merchantID, Name: name, Created: a.now()})
	})
	if errors.Is(err, store.ErrExists) {
		return "", fmt.Errorf("there is an approver called %q already", name)
	}
	return key, err
}

// ReleasePayout notes that an approver agrees to a payout that is held.
func (a *App) ReleasePayout(ctx context.Context, id, key string) (p *payout.Payout, err error) {
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		who, err := tx.Approver(approverHash(key))
		if err != nil {
			return refine(err, fault.Access(http.StatusForbidden, "This approver's key is not known: `quittance approver add NAME` makes one"))
		}
		if p, err = tx.Payout(id); err != nil || p.Merchant != who.Merchant {
			if err == nil || errors.Is(err, store.ErrNotFound) {
				err = fmt.Errorf("no payout of this merchant has the id %q", id)
			}
			return err
		}
		if err := p.Release(who.Name); err != nil {
			return err
		}
		return tx.SetPayout(p)
	})
	return p, err
}
