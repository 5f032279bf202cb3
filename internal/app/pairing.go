package app

import (
	"context"
	"errors"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// RequestToken is a client's wish for a token; a merchant has to approve the
// pairing code in it. The same guid and SIN return the request made first while
// it waits: nobody signs this call, so it must not hand out a token in use.
func (a *App) RequestToken(ctx context.Context, sin, facade, label, guid string) (*merchant.Token, error) {
	f, err := merchant.ParseFacade(facade)
	if err != nil {
		return nil, err
	}
	t, err := a.draftToken(func(token, code string) (merchant.Token, error) {
		return merchant.Request(token, code, sin, f, label, guid, a.now())
	})
	if err != nil {
		return nil, err
	}
	out := &t
	err = a.changed(ctx, func(tx *store.Tx) error {
		if guid != "" {
			linked, err := tx.TokensBySIN(sin)
			if err != nil {
				return err
			}
			for _, old := range linked {
				if old.GUID == guid && old.State == merchant.Inactive && !a.now().After(old.CodeExpiry) {
					out = old
					return nil
				}
			}
		}
		return tx.AddToken(&t)
	})
	return out, err
}

func (a *App) draftToken(make func(token, code string) (merchant.Token, error)) (merchant.Token, error) {
	token, err1 := a.newToken()
	code, err2 := a.pairingCode()
	if err := errors.Join(err1, err2); err != nil {
		return merchant.Token{}, err
	}
	return make(token, code)
}

// OfferToken makes a merchant's pairing code for a client to claim, or, with
// open, a pos token that needs no signatures.
func (a *App) OfferToken(ctx context.Context, merchantID string, f merchant.Facade, label string, open bool) (*merchant.Token, error) {
	t, err := a.draftToken(func(token, code string) (merchant.Token, error) {
		return merchant.Offer(token, code, merchantID, f, label, open, a.now())
	})
	if err != nil {
		return nil, err
	}
	return &t, a.changed(ctx, func(tx *store.Tx) error { return tx.AddToken(&t) })
}

// ClaimToken binds an offered token to the client that knows its code.
func (a *App) ClaimToken(ctx context.Context, sin, code string) (*merchant.Token, error) {
	return a.pair(ctx, code, func(t *merchant.Token) error {
		if t.State == merchant.Inactive {
			return fault.New(fault.Invalid0, "Pairing code %s belongs to a client's request for the %s facade and waits for the merchant's approval: open /api-access-request?pairingCode=%s, or run `quittance pair approve %s`", code, t.Facade, code, code)
		}
		return t.Claim(sin, a.now())
	})
}

// ApprovePairing gives a client's waiting request to a merchant.
func (a *App) ApprovePairing(ctx context.Context, code, merchantID string) (*merchant.Token, error) {
	return a.pair(ctx, code, func(t *merchant.Token) error {
		if t.State == merchant.Unclaimed {
			return fault.New(fault.Invalid0, "Pairing code %s was made by a merchant: the client claims it, there is nothing to approve", code)
		}
		return t.Approve(merchantID, a.now())
	})
}

func (a *App) pair(ctx context.Context, code string, do func(*merchant.Token) error) (t *merchant.Token, err error) {
	if err := merchant.CheckPairingCode(code); err != nil {
		return nil, err
	}
	err = a.changed(ctx, func(tx *store.Tx) error {
		if t, err = tx.TokenByCode(code); err != nil {
			if errors.Is(err, store.ErrNotFound) {
				return merchant.UnknownCode(code)
			}
			return err
		}
		was := t.State
		if err := do(t); err != nil {
			return err
		}
		return tx.SetToken(t, was)
	})
	return t, err
}

// PairingRequest shows what waits for approval under a code.
func (a *App) PairingRequest(ctx context.Context, code string) (t *merchant.Token, err error) {
	if err := merchant.CheckPairingCode(code); err != nil {
		return nil, err
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		t, err = tx.TokenByCode(code)
		if errors.Is(err, store.ErrNotFound) {
			return merchant.UnknownCode(code)
		}
		return err
	})
	return t, err
}

// PendingPairings lists client requests that wait for approval.
func (a *App) PendingPairings(ctx context.Context) (list []*merchant.Token, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.PendingRequests(a.now())
		return err
	})
	return list, err
}

// ActiveTokens lists the tokens a client identity can use.
func (a *App) ActiveTokens(ctx context.Context, sin string) (list []*merchant.Token, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.TokensBySIN(sin)
		for _, t := range all {
			if t.State == merchant.Active {
				list = append(list, t)
			}
		}
		return err
	})
	return list, err
}

// MerchantTokens lists a merchant's tokens.
func (a *App) MerchantTokens(ctx context.Context, merchantID string) (list []*merchant.Token, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.TokensOf(merchantID)
		return err
	})
	return list, err
}

// ChangeToken runs do on one of a merchant's tokens: linking a SIN, removing
// one, revoking it.
func (a *App) ChangeToken(ctx context.Context, token, merchantID string, do func(*merchant.Token) error) (t *merchant.Token, err error) {
	err = a.changed(ctx, func(tx *store.Tx) error {
		t, err = tx.Token(token)
		if err == nil && t.Merchant != merchantID {
			err = store.ErrNotFound
		}
		if err != nil {
			return refine(err, fault.New(fault.NotFound, "Token not found"))
		}
		was := t.State
		if err := do(t); err != nil {
			return err
		}
		return tx.SetToken(t, was)
	})
	return t, err
}
