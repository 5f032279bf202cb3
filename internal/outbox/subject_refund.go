package outbox

import (
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

type ofRefund struct {
	*refund.Refund
	of *invoice.Invoice
}

func readRefund(tx *store.Tx, e store.Event) (subject, error) {
	r, err := tx.Refund(e.Resource)
	if err != nil {
		return nil, err
	}
	inv, err := tx.Invoice(r.Invoice)
	return ofRefund{r, inv}, err
}

func (s ofRefund) key() string { return s.APIToken }

func (s ofRefund) webhook(r *view.Renderer, e store.Event, _ time.Time) any {
	return extended(e, r.RefundNotice(s.Refund))
}

func (s ofRefund) mail(r *view.Renderer, e store.Event) (mail.Message, error) {
	return mail.Refund(e, s.Refund, s.of, r.ClaimURL(s.Refund))
}
