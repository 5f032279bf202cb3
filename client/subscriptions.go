package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

func subscriptionPath(id string) string { return "/subscriptions/" + url.PathEscape(id) }

// CreateSubscription makes a series of bills. BillData needs a currency, items, an
// e-mail address and a due date, whose distance to the first delivery is kept for
// all later ones. Schedule is weekly, monthly (if empty), quarterly, yearly or six
// cron fields, and comes back as cron. Only an active one makes bills, the first
// at NextDelivery, or at once when that is empty or past.
func (c *Client) CreateSubscription(ctx context.Context, s wire.Subscription) (*wire.Subscription, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	s.Token = t
	return one[wire.Subscription](ctx, c, http.MethodPost, "/subscriptions", nil, s)
}

// Subscription reads a subscription. An unknown one is refused with 020001.
func (c *Client) Subscription(ctx context.Context, id string) (*wire.Subscription, error) {
	return resource[wire.Subscription](ctx, c, Merchant, http.MethodGet, subscriptionPath(id))
}

// Subscriptions lists the merchant's, newest first; an empty status is all.
func (c *Client) Subscriptions(ctx context.Context, status string) ([]wire.Subscription, error) {
	return get[[]wire.Subscription](ctx, c, Merchant, "/subscriptions", "status", status)
}

// UpdateSubscription changes a subscription; the bill's data is replaced whole. It
// is authorized by the subscription's own token if s has one. A cancelled one
// never changes again (030002).
func (c *Client) UpdateSubscription(ctx context.Context, id string, s wire.Subscription) (*wire.Subscription, error) {
	if s.Token == "" {
		t, err := c.need(Merchant)
		if err != nil {
			return nil, err
		}
		s.Token = t
	}
	return one[wire.Subscription](ctx, c, http.MethodPut, subscriptionPath(id), nil, s)
}
