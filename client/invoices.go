package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/quittance/quittance/wire"
)

// CreateInvoice makes an invoice by the token of a facade (POS or Merchant).
func (c *Client) CreateInvoice(ctx context.Context, facade string, r wire.InvoiceRequest) (*wire.Invoice, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	r.Token = t
	return c.invoice(ctx, request{method: http.MethodPost, path: "/invoices", body: r, signed: true})
}

// Invoice reads an invoice; facade says whose view. An empty facade is the
// public view, without a token.
func (c *Client) Invoice(ctx context.Context, facade, id string) (*wire.Invoice, error) {
	q := url.Values{}
	if facade != "" {
		t, err := c.need(facade)
		if err != nil {
			return nil, err
		}
		q.Set("token", t)
	}
	return c.invoice(ctx, request{method: http.MethodGet, path: "/invoices/" + url.PathEscape(id), query: q, signed: facade != ""})
}

// InvoiceByGUID reads an invoice by the guid it was created under.
func (c *Client) InvoiceByGUID(ctx context.Context, facade, guid string) (*wire.Invoice, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	return c.invoice(ctx, request{method: http.MethodGet, path: "/invoices/guid/" + url.PathEscape(guid), query: url.Values{"token": {t}}, signed: true})
}

// InvoiceFilter chooses invoices. From and To are required; both are inclusive.
type InvoiceFilter struct {
	From, To      time.Time
	Status        string
	OrderID       string
	Limit, Offset int
}

// Invoices lists the merchant's invoices, newest first.
func (c *Client) Invoices(ctx context.Context, f InvoiceFilter) ([]wire.Invoice, error) {
	return get[[]wire.Invoice](ctx, c, Merchant, "/invoices",
		"dateStart", f.From.UTC().Format(instantForm), "dateEnd", f.To.UTC().Format(instantForm), "status", f.Status, "orderId", f.OrderID,
		"limit", positive(f.Limit), "offset", positive(f.Offset))
}

// InvoiceUpdate changes the buyer's contact: exactly one of BuyerEmail and BuyerSms.
type InvoiceUpdate struct {
	BuyerEmail string `json:"buyerEmail,omitempty"`
	BuyerSms   string `json:"buyerSms,omitempty"`
	SmsCode    string `json:"smsCode,omitempty"`
	AutoVerify bool   `json:"autoVerify,omitempty"` // sandbox
	Token      string `json:"token"`
}

// UpdateInvoice changes the buyer's contact.
func (c *Client) UpdateInvoice(ctx context.Context, id string, u InvoiceUpdate) (*wire.Invoice, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	u.Token = t
	return c.invoice(ctx, request{method: http.MethodPut, path: "/invoices/" + url.PathEscape(id), body: u, signed: true})
}

// CancelInvoice withdraws an invoice; force also when a payment was seen and the
// buyer cannot be reached.
func (c *Client) CancelInvoice(ctx context.Context, id string, force bool) (*wire.Invoice, error) {
	return c.cancel(ctx, "/invoices/"+url.PathEscape(id), force)
}

// CancelInvoiceByGUID withdraws the invoice that was created under a guid.
func (c *Client) CancelInvoiceByGUID(ctx context.Context, guid string, force bool) (*wire.Invoice, error) {
	return c.cancel(ctx, "/invoices/guid/"+url.PathEscape(guid), force)
}

func (c *Client) cancel(ctx context.Context, path string, force bool) (*wire.Invoice, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	q := url.Values{"token": {t}, "forceCancel": {strconv.FormatBool(force)}}
	return c.invoice(ctx, request{method: http.MethodDelete, path: path, query: q, signed: true})
}

// ResendInvoice asks for the invoice's webhook again.
func (c *Client) ResendInvoice(ctx context.Context, id string) error {
	return c.post(ctx, Merchant, "/invoices/"+url.PathEscape(id)+"/notifications")
}

// PayInvoice lets a sandbox server pay the invoice; until is "confirmed" or
// "complete".
func (c *Client) PayInvoice(ctx context.Context, id, until string) (*wire.Invoice, error) {
	t, err := c.need(Merchant)
	if err != nil {
		return nil, err
	}
	return c.invoice(ctx, request{method: http.MethodPut, path: "/invoices/pay/" + url.PathEscape(id), body: map[string]string{"token": t, "status": until}, signed: true})
}

// InvoiceEvents asks for a token that opens the invoice's event stream.
func (c *Client) InvoiceEvents(ctx context.Context, id string) (*wire.EventToken, error) {
	return resource[wire.EventToken](ctx, c, Merchant, http.MethodGet, "/invoices/"+url.PathEscape(id)+"/events")
}

func (c *Client) invoice(ctx context.Context, r request) (*wire.Invoice, error) {
	var inv wire.Invoice
	if err := c.do(ctx, r, &inv); err != nil {
		return nil, err
	}
	return &inv, nil
}
