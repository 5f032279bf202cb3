package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

// Rates lists what one unit of the base currency is worth.
func (c *Client) Rates(ctx context.Context, base string) ([]wire.Rate, error) {
	return public[[]wire.Rate](ctx, c, "/rates/"+url.PathEscape(base))
}

// Rate is how many units of quote one unit of base is worth.
func (c *Client) Rate(ctx context.Context, base, quote string) (*wire.Rate, error) {
	r, err := public[wire.Rate](ctx, c, "/rates/"+url.PathEscape(base)+"/"+url.PathEscape(quote))
	return &r, err
}

// Currencies lists every currency the server knows.
func (c *Client) Currencies(ctx context.Context) ([]wire.Currency, error) {
	return public[[]wire.Currency](ctx, c, "/currencies")
}

// Wallets lists the wallets that can pay at this server.
func (c *Client) Wallets(ctx context.Context) ([]wire.Wallet, error) {
	return public[[]wire.Wallet](ctx, c, "/supportedwallets")
}

// public asks what needs neither token nor signature.
func public[T any](ctx context.Context, c *Client, path string) (T, error) {
	var v T
	err := c.do(ctx, request{method: http.MethodGet, path: path}, &v)
	return v, err
}
