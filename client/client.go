package client

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/quittance/quittance/wire"
)

// Client is a connection to one server under one identity. It is safe for
// concurrent use.
type Client struct {
	base string
	key  *Key
	http *http.Client

	mu     sync.Mutex
	tokens map[string]string // by facade
}

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient sends requests through h.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithToken uses a token that was obtained before.
func WithToken(facade, token string) Option {
	return func(c *Client) { c.tokens[facade] = token }
}

// New returns a client of the server at base, such as https://pay.example.com.
// Without a key only what needs no signature can be asked.
func New(base string, key *Key, opts ...Option) *Client {
	c := &Client{base: strings.TrimRight(base, "/"), key: key, http: &http.Client{Timeout: 30 * time.Second}, tokens: map[string]string{}}
	for _, o := range opts {
		o(c)
	}
	return c
}

// Facades of tokens.
const (
	Merchant = "merchant"
	POS      = "pos"
	Payout   = "payout"
)

// Error is a refusal of the server.
type Error struct {
	Status  int    // of the HTTP answer
	Code    string // six digits
	Message string
	Params  []wire.ParamError
}

func (e *Error) Error() string { return fmt.Sprintf("%s (code %s)", e.Message, e.Code) }

// Token returns the token held for a facade.
func (c *Client) Token(facade string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tokens[facade]
	return t, ok
}

func (c *Client) setToken(facade, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[facade] = token
}

func (c *Client) need(facade string) (string, error) {
	if t, ok := c.Token(facade); ok {
		return t, nil
	}
	return "", fmt.Errorf("client: no token for the %s facade; pair first", facade)
}
