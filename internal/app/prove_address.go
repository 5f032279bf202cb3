package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// GiveAddress notes where a recipient wants to be paid. It is shown back and has
// to be proven before it counts.
func (a *App) GiveAddress(ctx context.Context, link, asset, address string) (*recipient.Recipient, error) {
	nonce, err := a.newID()
	if err != nil {
		return nil, err
	}
	return a.byLink(ctx, link, func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		assets, err := a.payoutAssets(tx, r.Merchant)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(assets, func(x *Asset) bool { return x.Code == asset })
		if i < 0 {
			return nil, fault.Invalid(fault.Invalid0, "asset", "%.20q is not something you can be paid in here", asset)
		}
		canonical, err := canonicalAddress(assets[i], address)
		if err != nil {
			return nil, err
		}
		return []recipient.Change{{Kind: recipient.AddressGiven, To: r.Status}}, r.Give(asset, canonical, nonce, a.now())
	})
}

// canonicalAddress reads an address and writes it as the chain does, so that
// what is shown back is what would be paid.
func canonicalAddress(x *Asset, address string) (string, error) {
	if strings.TrimSpace(address) == "" {
		return "", fault.Missing(fault.Missing0, "address")
	}
	destination, err := x.Spending.Destination(strings.TrimSpace(address))
	if err != nil {
		return "", fault.Invalid(fault.Invalid0, "address", "%v", err)
	}
	return x.Spending.AddressOf(destination)
}

// ForgetAddress drops an address that was given and not proven. nonce says which
// one the page was showing.
func (a *App) ForgetAddress(ctx context.Context, link, nonce string) (*recipient.Recipient, error) {
	return a.byLink(ctx, link, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		if _, err := r.Pending(nonce); err != nil {
			return nil, err
		}
		r.State.Candidate = nil
		return nil, nil
	})
}

// SignAddress takes the address over if the signature is of its challenge. The
// link and all others of the recipient are used up by it.
func (a *App) SignAddress(ctx context.Context, link, nonce, signature string) (*recipient.Recipient, error) {
	return a.byLink(ctx, link, func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		c, err := r.Pending(nonce)
		if err != nil {
			return nil, err
		}
		text := r.Challenge()
		if err := a.verifyMessage(c.Asset, c.Address, text, signature); err != nil {
			return nil, err
		}
		return a.prove(tx, r, recipient.Proof{Kind: recipient.BySignature, Text: text, Signature: signature})
	})
}

func (a *App) prove(tx *store.Tx, r *recipient.Recipient, p recipient.Proof) ([]recipient.Change, error) {
	changes, err := r.Prove(p, a.now())
	if err != nil {
		return nil, err
	}
	return changes, tx.UseLinks(r.ID, "")
}

func (a *App) verifyMessage(asset, address, text, signature string) error {
	x, ok := a.Asset(asset)
	if !ok || x.Messages == nil {
		return fault.New(fault.Invalid0, "Signed messages are not available for %s on this server", asset)
	}
	if strings.TrimSpace(signature) == "" {
		return fault.Missing(fault.Missing0, "signature")
	}
	if err := x.Messages.Verify(address, text, signature); err != nil {
		return fault.Invalid(fault.Invalid0, "signature", "%v", err)
	}
	return nil
}

// PayoutAddress is where a recipient is paid in an asset at a time, as people
// read it and as the chain itself uses it. What is stored is not believed: the
// address is read again, and the proof by signature checked again.
func (a *App) PayoutAddress(r *recipient.Recipient, asset string, now time.Time) (address string, destination []byte, err error) {
	if r.Status != recipient.Active {
		return "", nil, fault.New(fault.Invalid0, "The recipient is %s; only an active one can be paid", r.Status)
	}
	found, ok := r.AddressAt(asset, now)
	x, known := a.Asset(asset)
	if !ok || !known || x.Spending == nil {
		return "", nil, fault.New(fault.Invalid0, "The recipient has no address for %s", asset)
	}
	if found.Proof.Kind == recipient.BySignature {
		if !strings.Contains(found.Proof.Text, r.ID) || !strings.Contains(found.Proof.Text, found.Address) {
			return "", nil, fault.New(fault.Generic, "The proof of the recipient's address is of something else")
		}
		if err := a.verifyMessage(asset, found.Address, found.Proof.Text, found.Proof.Signature); err != nil {
			return "", nil, err
		}
	}
	destination, err = x.Spending.Destination(found.Address)
	return found.Address, destination, err
}
