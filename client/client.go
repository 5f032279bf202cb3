package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/quittance/quittance/wire"
)

const maxAnswer = 32 << 20

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

// request is one call.
type request struct {
	method string
	path   string
	query  url.Values
	body   any
	signed bool
}

// do sends a request and reads the data of the answer into out, unless it is nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Accept-Version", "2.0.0")
	if r.signed && c.key != nil {
		req.Header.Set("X-Identity", c.key.Identity())
		req.Header.Set("X-Signature", c.key.Sign(target, body))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return read(resp, out)
}

func read(resp *http.Response, out any) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	var answer struct {
		Status string            `json:"status"`
		Code   string            `json:"code"`
		Error  string            `json:"error"`
		Errors []wire.ParamError `json:"errors"`
		Data   json.RawMessage   `json:"data"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return fmt.Errorf("client: the answer (HTTP %d) is not of this API: %w", resp.StatusCode, err)
	}
	if answer.Error != "" || resp.StatusCode != http.StatusOK {
		return &Error{Status: resp.StatusCode, Code: answer.Code, Message: answer.Error, Params: answer.Errors}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Data, out)
}
