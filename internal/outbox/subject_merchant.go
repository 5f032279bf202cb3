package outbox

import (
	"time"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

// ofMerchant is what an account itself is told of, by mail only.
type ofMerchant struct{ *merchant.Merchant }

func readMerchant(tx *store.Tx, e store.Event) (subject, error) {
	m, err := tx.Merchant(e.Resource)
	return ofMerchant{m}, err
}

func (s ofMerchant) key() string { return s.WebhookSecret }

func (s ofMerchant) webhook(*view.Renderer, store.Event, time.Time) any { return nil }

func (s ofMerchant) mail(r *view.Renderer, e store.Event) (mail.Message, error) {
	return mail.SettlementAddress(e, s.Merchant, r.PublicURL+"/settlement-address?merchant="+s.ID+"&code="+e.Detail)
}
