package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/wire"
)

var errNoKey = errors.New("client: this needs a key")

// RequestToken asks for a token of a facade. A merchant has to approve the
// pairing code in the answer; the token is kept for use from then on.
func (c *Client) RequestToken(ctx context.Context, facade, label string) (*wire.Token, error) {
	return c.postToken(ctx, wire.TokenRequest{Facade: facade, Label: label})
}

// Claim takes a token that a merchant offered by a pairing code. It can be used
// at once.
func (c *Client) Claim(ctx context.Context, pairingCode string) (*wire.Token, error) {
	return c.postToken(ctx, wire.TokenRequest{PairingCode: pairingCode})
}

func (c *Client) postToken(ctx context.Context, r wire.TokenRequest) (*wire.Token, error) {
	if c.key == nil {
		return nil, errNoKey
	}
	r.ID = c.key.SIN()
	var list []wire.Token
	if err := c.do(ctx, request{method: http.MethodPost, path: "/tokens", body: r}, &list); err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("client: expected one token, got %d", len(list))
	}
	c.setToken(list[0].Facade, list[0].Token)
	return &list[0], nil
}

// LoadTokens asks for all tokens that this identity can use and keeps them.
func (c *Client) LoadTokens(ctx context.Context) (map[string]string, error) {
	if c.key == nil {
		return nil, errNoKey
	}
	var list []map[string]string
	if err := c.do(ctx, request{method: http.MethodGet, path: "/tokens", signed: true}, &list); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, m := range list {
		for facade, token := range m {
			c.setToken(facade, token)
			out[facade] = token
		}
	}
	return out, nil
}

// SINs lists the identities linked to the token of a facade.
func (c *Client) SINs(ctx context.Context, facade string) ([]string, error) {
	return c.sins(ctx, http.MethodGet, facade, "", nil)
}

// LinkSIN lets another identity use the token of a facade.
func (c *Client) LinkSIN(ctx context.Context, facade, sin string) ([]string, error) {
	return c.sins(ctx, http.MethodPost, facade, "", map[string]string{"sin": sin})
}

// UnlinkSIN takes the token of a facade from another identity.
func (c *Client) UnlinkSIN(ctx context.Context, facade, sin string) ([]string, error) {
	return c.sins(ctx, http.MethodDelete, facade, "/"+url.PathEscape(sin), nil)
}

func (c *Client) sins(ctx context.Context, method, facade, rest string, body any) ([]string, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	return ask[[]string](ctx, c, method, "/tokens/"+t+"/sins"+rest, nil, body)
}
