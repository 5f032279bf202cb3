package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/quittance/quittance/wire"
)

const maxAnswer = 32 << 20

// request is one call.
type request struct {
	method string
	path   string
	query  url.Values
	body   any
	signed bool
}

// do sends a request and reads what the answer carries into out, unless it is nil.
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

// read takes what is in data. A ledger's lines and a group of payouts come
// without that wrapping: there the whole answer counts.
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
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		if err := json.Unmarshal(b, &answer); err != nil {
			return fmt.Errorf("client: the answer (HTTP %d) is not of this API: %w", resp.StatusCode, err)
		}
	}
	if answer.Error != "" || resp.StatusCode != http.StatusOK {
		return &Error{Status: resp.StatusCode, Code: answer.Code, Message: answer.Error, Params: answer.Errors}
	}
	if out == nil {
		return nil
	}
	if answer.Data == nil {
		answer.Data = b
	}
	return json.Unmarshal(answer.Data, out)
}

// ask sends a signed request and reads the answer.
func ask[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (T, error) {
	var v T
	err := c.do(ctx, request{method: method, path: path, query: query, body: body, signed: true}, &v)
	return v, err
}

// one is ask for a single resource.
func one[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (*T, error) {
	v, err := ask[T](ctx, c, method, path, query, body)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// query authorizes with the token of a facade and adds the filters that say
// something, as pairs of name and value.
func (c *Client) query(facade string, pairs ...string) (url.Values, error) {
	t, err := c.need(facade)
	if err != nil {
		return nil, err
	}
	q := url.Values{"token": {t}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q, nil
}

// get reads by the token of a facade.
func get[T any](ctx context.Context, c *Client, facade, path string, pairs ...string) (T, error) {
	q, err := c.query(facade, pairs...)
	if err != nil {
		var none T
		return none, err
	}
	return ask[T](ctx, c, http.MethodGet, path, q, nil)
}

// resource reads or, with DELETE, withdraws one resource by the token of a facade.
func resource[T any](ctx context.Context, c *Client, facade, method, path string) (*T, error) {
	q, err := c.query(facade)
	if err != nil {
		return nil, err
	}
	return one[T](ctx, c, method, path, q, nil)
}

// post acts by the token of a facade; the answer only says that it was done.
func (c *Client) post(ctx context.Context, facade, path string) error {
	t, err := c.need(facade)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodPost, path: path, body: map[string]string{"token": t}, signed: true}, nil)
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

const instantForm = "2006-01-02T15:04:05.000Z"

// instant writes a time in UTC to the millisecond; the zero time is left out.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(instantForm)
}
