package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

// Rates lists what one unit of the base currency is worth.
func (c *Client) Rates(ctx context.Context, base string) ([]wire.Rate, error) {
	var list []wire.Rate
	return list, c.do(ctx, request{method: http.MethodGet, path: "/rates/" + url.PathEscape(base)}, &list)
}

// Rate is how many units of quote one unit of base is worth.
func (c *Client) Rate(ctx context.Context, base, quote string) (*wire.Rate, error) {
	var r wire.Rate
	return &r, c.do(ctx, request{method: http.MethodGet, path: "/rates/" + url.PathEscape(base) + "/" + url.PathEscape(quote)}, &r)
}

// Currencies lists every currency the server knows.
func (c *Client) Currencies(ctx context.Context) ([]wire.Currency, error) {
	var list []wire.Currency
	return list, c.do(ctx, request{method: http.MethodGet, path: "/currencies"}, &list)
}

// Wallets lists the wallets that can pay at this server.
func (c *Client) Wallets(ctx context.Context) ([]wire.Wallet, error) {
	var list []wire.Wallet
	return list, c.do(ctx, request{method: http.MethodGet, path: "/supportedwallets"}, &list)
}
