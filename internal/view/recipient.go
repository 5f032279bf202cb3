package view

import (
	"net/url"

	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/wire"
)

// Recipient renders a recipient. Addresses are shown to nobody but their owner.
func (r *Renderer) Recipient(p *recipient.Recipient) *wire.Recipient {
	return &wire.Recipient{
		ID: p.ID, Email: p.Email, Label: p.State.Label, Status: string(p.Status), ShopperID: orNull(p.State.ShopperID),
		NotificationURL: p.State.NotificationURL, Token: p.Token,
	}
}

// RecipientNotice is what a webhook says about a recipient.
func (r *Renderer) RecipientNotice(p *recipient.Recipient) *wire.RecipientNotice {
	return &wire.RecipientNotice{ID: p.ID, Email: p.Email, Label: p.State.Label, Status: string(p.Status), ShopperID: orNull(p.State.ShopperID)}
}

// RecipientURL is the page that a one-time link leads to.
func (r *Renderer) RecipientURL(link string) string {
	return r.PublicURL + "/recipient?link=" + url.QueryEscape(link)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
