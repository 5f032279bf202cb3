package outbox

import (
	"context"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
	"github.com/quittance/quittance/wire"
)

// subject is what an event is about, as it is at delivery time.
type subject interface {
	// key is the API token it was created with: BitPay's own signature is made
	// with it.
	key() string
	// webhook is the body that tells of the event.
	webhook(r *view.Renderer, e store.Event, now time.Time) any
	// mail is the letter that tells of the event.
	mail(r *view.Renderer, e store.Event) (mail.Message, error)
}

// linked is a subject whose mails take a one-time link along, which is made
// just before the mail is sent.
type linked interface {
	withLink(ctx context.Context, a *app.App, e store.Event) (subject, error)
}

// subjects reads what the events of each kind of resource are about; a row that
// is not there is store.ErrNotFound.
var subjects = map[string]func(tx *store.Tx, e store.Event) (subject, error){
	"invoice":   readInvoice,
	"merchant":  readMerchant,
	"payout":    readPayout,
	"refund":    readRefund,
	"recipient": readRecipient,
	"bill":      readBill,
}

// extended is the form of every webhook but the standard one of invoices.
func extended(e store.Event, data any) wire.Webhook {
	return wire.Webhook{Event: wire.WebhookEvent{Code: e.Code, Name: e.Name}, Data: data}
}

type ofInvoice struct{ app.Shown }

func readInvoice(tx *store.Tx, e store.Event) (subject, error) {
	var s app.Shown
	var err error
	if s.Invoice, err = tx.Invoice(e.Resource); err != nil {
		return nil, err
	}
	if len(s.Credits) > 0 {
		s.Tips, err = tx.Tips()
	}
	return ofInvoice{s}, err
}

func (s ofInvoice) key() string { return s.APIToken }

// webhook says the state now, and with extended notifications also which event
// it is sent for (spec "Invoice webhook").
func (s ofInvoice) webhook(r *view.Renderer, e store.Event, now time.Time) any {
	notice := r.Notice(s.Shown, now)
	if !s.Terms.Order.Extended {
		return notice
	}
	return extended(e, notice)
}

func (s ofInvoice) mail(r *view.Renderer, e store.Event) (mail.Message, error) {
	return mail.Compose(e, s.Shown, r.InvoiceURL(s.ID))
}
