package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

func refundPath(id string) string { return "/refunds/" + url.PathEscape(id) }

func refundGUIDPath(guid string) string { return "/refunds/guid/" + url.PathEscape(guid) }

// CreateRefund gives the buyer of an invoice money back: all of it while the
// invoice is confirmed, any part once it is complete. The amount is in the
// invoice's currency, more than 0, and with earlier refunds at most the price.
// With Preview it is only priced, and moves nothing until ConfirmRefund. With a
// GUID the request can be repeated safely.
//
// It is refused with 010101 for an unknown invoice, 010207 for one in another
// state, 010108 when the buyer cannot be reached, 010204 while another refund of
// it is open, 010208 when the buyer pays a fee above the amount, and 010202 for an
// amount that cannot be refunded.
func (c *Client) CreateRefund(ctx context.Context, r wire.RefundRequest) (*wire.Refund, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	r.Token = t
	return one[wire.Refund](ctx, c, http.MethodPost, "/refunds", nil, r)
}

// Refund reads a refund. An unknown one is refused with 020201.
func (c *Client) Refund(ctx context.Context, id string) (*wire.Refund, error) {
	return resource[wire.Refund](ctx, c, Merchant, http.MethodGet, refundPath(id))
}

// RefundByGUID reads a refund by the guid it was created under.
func (c *Client) RefundByGUID(ctx context.Context, guid string) (*wire.Refund, error) {
	return resource[wire.Refund](ctx, c, Merchant, http.MethodGet, refundGUIDPath(guid))
}

// Refunds lists the refunds of an invoice, oldest first.
func (c *Client) Refunds(ctx context.Context, invoiceID string) ([]wire.Refund, error) {
	return get[[]wire.Refund](ctx, c, Merchant, "/refunds", "invoiceId", invoiceID)
}

// ConfirmRefund makes a preview a refund, at the fee that was quoted. Anything but
// a preview, and one that is too old, is refused with 030202.
func (c *Client) ConfirmRefund(ctx context.Context, id string) (*wire.Refund, error) {
	return c.confirmRefund(ctx, refundPath(id))
}

// ConfirmRefundByGUID confirms the preview that was created under a guid.
func (c *Client) ConfirmRefundByGUID(ctx context.Context, guid string) (*wire.Refund, error) {
	return c.confirmRefund(ctx, refundGUIDPath(guid))
}

func (c *Client) confirmRefund(ctx context.Context, path string) (*wire.Refund, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	return one[wire.Refund](ctx, c, http.MethodPut, path, nil, map[string]string{"token": t, "status": "created"})
}

// CancelRefund withdraws a refund that is not on its way yet; else, and when the
// invoice was withdrawn for it, that is refused with 040202.
func (c *Client) CancelRefund(ctx context.Context, id string) (*wire.Refund, error) {
	return resource[wire.Refund](ctx, c, Merchant, http.MethodDelete, refundPath(id))
}

// CancelRefundByGUID withdraws the refund that was created under a guid.
func (c *Client) CancelRefundByGUID(ctx context.Context, guid string) (*wire.Refund, error) {
	return resource[wire.Refund](ctx, c, Merchant, http.MethodDelete, refundGUIDPath(guid))
}

// ResendRefund asks for the refund's webhook again, and for another letter to a
// buyer who has not said where the money goes.
func (c *Client) ResendRefund(ctx context.Context, id string) error {
	return c.post(ctx, Merchant, refundPath(id)+"/notifications")
}
