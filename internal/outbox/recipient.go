package outbox

import (
	"context"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

// ofRecipient is a recipient with whom it is invited by. link is the one-time
// link of the mail that is about to be sent; empty for one that has none.
type ofRecipient struct {
	*recipient.Recipient
	by   *merchant.Merchant
	link string
}

func readRecipient(tx *store.Tx, e store.Event) (subject, error) {
	r, err := tx.Recipient(e.Resource)
	if err != nil {
		return nil, err
	}
	by, err := tx.Merchant(r.Merchant)
	return ofRecipient{Recipient: r, by: by}, err
}

func (s ofRecipient) key() string { return s.APIToken }

func (s ofRecipient) webhook(r *view.Renderer, e store.Event, _ time.Time) any {
	return extended(e, r.RecipientNotice(s.Recipient))
}

func (s ofRecipient) mail(r *view.Renderer, e store.Event) (mail.Message, error) {
	url := ""
	if s.link != "" {
		url = r.RecipientURL(s.link)
	}
	return mail.ComposeRecipient(e, s.Recipient, s.by.Name, url)
}

// withLink makes the link that a mail is sent for. The store knows its hash
// alone, so it has to be made for each try.
func (s ofRecipient) withLink(ctx context.Context, a *app.App, e store.Event) (subject, error) {
	if !mail.HasLink(e) {
		return s, nil
	}
	link, err := a.IssueRecipientLink(ctx, e)
	s.link = link
	return s, err
}
