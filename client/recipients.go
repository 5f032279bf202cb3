package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

// SubmitRecipients invites people by e-mail, at most 1,000 at once, and returns
// them in the same order. With a guid the request can be repeated safely.
func (c *Client) SubmitRecipients(ctx context.Context, guid string, list ...wire.NewRecipient) ([]wire.Recipient, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	var out []wire.Recipient
	body := wire.RecipientRequest{Token: t, GUID: guid, Recipients: list}
	return out, c.do(ctx, request{method: http.MethodPost, path: "/recipients", body: body, signed: true}, &out)
}

// RecipientFilter chooses recipients. An empty status is every one but removed.
type RecipientFilter struct {
	Status        string
	Limit, Offset int
}

// Recipients lists the merchant's recipients, newest first.
func (c *Client) Recipients(ctx context.Context, f RecipientFilter) ([]wire.Recipient, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	q := url.Values{"token": {t}}
	for name, v := range map[string]string{"status": f.Status, "limit": positive(f.Limit), "offset": positive(f.Offset)} {
		if v != "" {
			q.Set(name, v)
		}
	}
	var out []wire.Recipient
	return out, c.do(ctx, request{method: http.MethodGet, path: "/recipients", query: q, signed: true}, &out)
}

// Recipient reads one recipient.
func (c *Client) Recipient(ctx context.Context, id string) (*wire.Recipient, error) {
	return c.recipient(ctx, http.MethodGet, id, nil)
}

// UpdateRecipient changes label and notification URL; what is empty stays.
func (c *Client) UpdateRecipient(ctx context.Context, id, label, notificationURL string) (*wire.Recipient, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	return c.recipient(ctx, http.MethodPut, id, wire.RecipientUpdate{Token: t, Label: label, NotificationURL: notificationURL})
}

func (c *Client) recipient(ctx context.Context, method, id string, body any) (*wire.Recipient, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	if body == nil {
		q.Set("token", t)
	}
	var r wire.Recipient
	if err := c.do(ctx, request{method: method, path: "/recipients/" + url.PathEscape(id), query: q, body: body, signed: true}, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// RemoveRecipient removes one. The same e-mail address can be invited anew.
func (c *Client) RemoveRecipient(ctx context.Context, id string) error {
	t, err := c.need(Payout)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodDelete, path: "/recipients/" + url.PathEscape(id), query: url.Values{"token": {t}}, signed: true}, nil)
}

// ResendRecipientNotification has the recipient's webhook sent again.
func (c *Client) ResendRecipientNotification(ctx context.Context, id string) error {
	t, err := c.need(Payout)
	if err != nil {
		return err
	}
	body := map[string]string{"token": t}
	return c.do(ctx, request{method: http.MethodPost, path: "/recipients/" + url.PathEscape(id) + "/notifications", body: body, signed: true}, nil)
}
