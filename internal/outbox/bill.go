package outbox

import (
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

type ofBill struct {
	*bill.Bill
	from *merchant.Merchant
}

func readBill(tx *store.Tx, e store.Event) (subject, error) {
	b, err := tx.Bill(e.Resource)
	if err != nil {
		return nil, err
	}
	m, err := tx.Merchant(b.Merchant)
	return ofBill{b, m}, err
}

func (s ofBill) key() string { return s.APIToken }

// webhook is never asked for: bills are only mailed.
func (s ofBill) webhook(r *view.Renderer, e store.Event, _ time.Time) any {
	return extended(e, r.Bill(s.Bill, merchant.POS))
}

func (s ofBill) mail(r *view.Renderer, _ store.Event) (mail.Message, error) {
	return mail.ComposeBill(s.Bill, s.from, r.BillURL(s.ID))
}
