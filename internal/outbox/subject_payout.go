package outbox

import (
	"time"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

type ofPayout struct {
	*payout.Payout
	from *merchant.Merchant
}

func readPayout(tx *store.Tx, e store.Event) (subject, error) {
	p, err := tx.Payout(e.Resource)
	if err != nil {
		return nil, err
	}
	m, err := tx.Merchant(p.Merchant)
	return ofPayout{p, m}, err
}

func (s ofPayout) key() string { return s.APIToken }

func (s ofPayout) webhook(r *view.Renderer, e store.Event, _ time.Time) any {
	return extended(e, r.PayoutNotice(s.Payout))
}

func (s ofPayout) mail(_ *view.Renderer, e store.Event) (mail.Message, error) {
	return mail.Payout(e, s.Payout, s.from)
}
