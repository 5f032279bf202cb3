package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

func recipientPath(id string) string { return "/recipients/" + url.PathEscape(id) }

// SubmitRecipients invites people by e-mail, at most 1,000 at once, and returns
// them in the same order; one who is known already is returned as is. With a guid
// the request can be repeated safely. A bad address refuses the whole request
// with 010002.
func (c *Client) SubmitRecipients(ctx context.Context, guid string, list ...wire.NewRecipient) ([]wire.Recipient, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	body := wire.RecipientRequest{Token: t, GUID: guid, Recipients: list}
	return ask[[]wire.Recipient](ctx, c, http.MethodPost, "/recipients", nil, body)
}

// RecipientFilter chooses recipients. An empty status is every one but removed.
type RecipientFilter struct {
	Status        string
	Limit, Offset int // by default 100 and 0; the limit is 1,000 at most
}

// Recipients lists the merchant's recipients, newest first.
func (c *Client) Recipients(ctx context.Context, f RecipientFilter) ([]wire.Recipient, error) {
	return get[[]wire.Recipient](ctx, c, Payout, "/recipients", "status", f.Status, "limit", positive(f.Limit), "offset", positive(f.Offset))
}

// Recipient reads one recipient. An unknown one is refused with 020001.
func (c *Client) Recipient(ctx context.Context, id string) (*wire.Recipient, error) {
	return resource[wire.Recipient](ctx, c, Payout, http.MethodGet, recipientPath(id))
}

// UpdateRecipient changes label and notification URL; what is empty stays.
func (c *Client) UpdateRecipient(ctx context.Context, id, label, notificationURL string) (*wire.Recipient, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	body := wire.RecipientUpdate{Token: t, Label: label, NotificationURL: notificationURL}
	return one[wire.Recipient](ctx, c, http.MethodPut, recipientPath(id), nil, body)
}

// RemoveRecipient removes one. The same e-mail address can be invited anew. While
// a new payout waits for the recipient, that is refused with 040002.
func (c *Client) RemoveRecipient(ctx context.Context, id string) error {
	_, err := resource[struct{}](ctx, c, Payout, http.MethodDelete, recipientPath(id))
	return err
}

// ResendRecipientNotification has the recipient's webhook sent again.
func (c *Client) ResendRecipientNotification(ctx context.Context, id string) error {
	return c.post(ctx, Payout, recipientPath(id)+"/notifications")
}
