package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

func billPath(id string) string { return "/bills/" + url.PathEscape(id) }

// CreateBill makes a bill by the token of a facade (POS or Merchant). It is a
// draft until it is delivered. Currency and items are required, and an e-mail
// address unless EmailBill is false (refused with 010002); prices are in units of
// the currency.
func (c *Client) CreateBill(ctx context.Context, facade string, b wire.Bill) (*wire.Bill, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	b.Token = t
	return one[wire.Bill](ctx, c, http.MethodPost, "/bills", nil, b)
}

// Bill reads a bill; facade says whose view. An unknown one is refused with
// 020001.
func (c *Client) Bill(ctx context.Context, facade, id string) (*wire.Bill, error) {
	return resource[wire.Bill](ctx, c, facade, http.MethodGet, billPath(id))
}

// Bills lists the merchant's bills, newest first; an empty status is all.
func (c *Client) Bills(ctx context.Context, status string) ([]wire.Bill, error) {
	return get[[]wire.Bill](ctx, c, Merchant, "/bills", "status", status)
}

// UpdateBill replaces what a bill says. It is authorized by the bill's own token
// if b has one. One that is paid is refused with 030002.
func (c *Client) UpdateBill(ctx context.Context, id string, b wire.Bill) (*wire.Bill, error) {
	if b.Token == "" {
		t, err := c.need(Merchant)
		if err != nil {
			return nil, err
		}
		b.Token = t
	}
	return one[wire.Bill](ctx, c, http.MethodPut, billPath(id), nil, b)
}

// DeliverBill mails a bill to its payer and the copies, at most once a minute
// (else 010002); token is the bill's own.
func (c *Client) DeliverBill(ctx context.Context, id, token string) error {
	_, err := ask[string](ctx, c, http.MethodPost, billPath(id)+"/deliveries", nil, map[string]string{"token": token})
	return err
}
