package view

import (
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/wire"
)

// Payout renders a payout.
func (r *Renderer) Payout(p *payout.Payout) *wire.Payout {
	t := &p.Terms
	w := &wire.Payout{
		ID: p.ID, AccountID: p.Merchant, RecipientID: t.Recipient, ShopperID: t.Shopper, Email: t.Email,
		Amount: number(t.Currency, t.Amount), Currency: t.Currency, LedgerCurrency: t.LedgerCurrency, Reference: t.Reference, Label: t.Label,
		NotificationURL: t.NotificationURL, NotificationEmail: t.NotificationEmail, EffectiveDate: iso(t.Effective), RequestDate: iso(p.Created),
		DateExecuted: iso(p.State.Executed), Status: string(p.Status), GroupID: p.Group, IgnoreEmails: t.IgnoreEmails,
		Transactions: []wire.PayoutTransaction{}, Token: p.Token,
	}
	if p.Status == payout.Failed {
		w.Message = p.State.Problem
	}
	if len(p.State.Rates) > 0 {
		w.ExchangeRates = map[string]map[string]wire.Number{p.State.Asset: numbers(p.State.Rates)}
	}
	if p.State.Txid != "" {
		w.Transactions = append(w.Transactions, wire.PayoutTransaction{Txid: p.State.Txid, Amount: number(p.State.Asset, p.State.Sent), Date: iso(p.State.Executed)})
	}
	return w
}

// PayoutNotice is what a webhook says about a payout: no token, and the amount and
// the date under both names that receivers look for.
func (r *Renderer) PayoutNotice(p *payout.Payout) *wire.Payout {
	w := r.Payout(p)
	w.Token, w.Price, w.Date = "", w.Amount, w.DateExecuted
	return w
}
