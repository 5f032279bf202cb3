package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

// CreateBill makes a bill by the token of a facade (POS or Merchant).
func (c *Client) CreateBill(ctx context.Context, facade string, b wire.Bill) (*wire.Bill, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	b.Token = t
	return one[wire.Bill](ctx, c, request{method: http.MethodPost, path: "/bills", body: b, signed: true})
}

// Bill reads a bill; facade says whose view.
func (c *Client) Bill(ctx context.Context, facade, id string) (*wire.Bill, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	return one[wire.Bill](ctx, c, request{method: http.MethodGet, path: "/bills/" + url.PathEscape(id), query: url.Values{"token": {t}}, signed: true})
}

// Bills lists the merchant's bills, newest first; an empty status is all.
func (c *Client) Bills(ctx context.Context, status string) ([]wire.Bill, error) {
	return list[wire.Bill](ctx, c, "/bills", status)
}

// UpdateBill replaces what a bill says. It is authorized by the bill's own token
// if b has one.
func (c *Client) UpdateBill(ctx context.Context, id string, b wire.Bill) (*wire.Bill, error) {
	if b.Token == "" {
		t, err := c.need(Merchant)
		if err != nil {
			return nil, err
		}
		b.Token = t
	}
	return one[wire.Bill](ctx, c, request{method: http.MethodPut, path: "/bills/" + url.PathEscape(id), body: b, signed: true})
}

// DeliverBill mails a bill to its payer; token is the bill's own.
func (c *Client) DeliverBill(ctx context.Context, id, token string) error {
	return c.do(ctx, request{method: http.MethodPost, path: "/bills/" + url.PathEscape(id) + "/deliveries", body: map[string]string{"token": token}, signed: true}, nil)
}

// CreateSubscription makes a series of bills.
func (c *Client) CreateSubscription(ctx context.Context, s wire.Subscription) (*wire.Subscription, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	s.Token = t
	return one[wire.Subscription](ctx, c, request{method: http.MethodPost, path: "/subscriptions", body: s, signed: true})
}

// Subscription reads a subscription.
func (c *Client) Subscription(ctx context.Context, id string) (*wire.Subscription, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	return one[wire.Subscription](ctx, c, request{method: http.MethodGet, path: "/subscriptions/" + url.PathEscape(id), query: url.Values{"token": {t}}, signed: true})
}

// Subscriptions lists the merchant's, newest first; an empty status is all.
func (c *Client) Subscriptions(ctx context.Context, status string) ([]wire.Subscription, error) {
	return list[wire.Subscription](ctx, c, "/subscriptions", status)
}

// UpdateSubscription changes a subscription. It is authorized by the
// subscription's own token if s has one.
func (c *Client) UpdateSubscription(ctx context.Context, id string, s wire.Subscription) (*wire.Subscription, error) {
	if s.Token == "" {
		t, err := c.need(Merchant)
		if err != nil {
			return nil, err
		}
		s.Token = t
	}
	return one[wire.Subscription](ctx, c, request{method: http.MethodPut, path: "/subscriptions/" + url.PathEscape(id), body: s, signed: true})
}

func one[T any](ctx context.Context, c *Client, r request) (*T, error) {
	var v T
	if err := c.do(ctx, r, &v); err != nil {
		return nil, err
	}
	return &v, nil
}

func list[T any](ctx context.Context, c *Client, path, status string) ([]T, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	q := url.Values{"token": {t}}
	if status != "" {
		q.Set("status", status)
	}
	var out []T
	err = c.do(ctx, request{method: http.MethodGet, path: path, query: q, signed: true}, &out)
	return out, err
}
