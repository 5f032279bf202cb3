package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Client asks a running server's control.
type Client struct{ URL string }

// Status reads where the chain stands.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/status", nil)
	if err != nil {
		return nil, err
	}
	return c.send(req)
}

// Ask reads the answer to one of the server's further questions, with its query,
// into out.
func (c *Client) Ask(ctx context.Context, what string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/"+what, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json") // else it could be another site's form
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c.silent(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var refused struct {
			Error string `json:"error"`
		}
		_ = json.NewDecoder(resp.Body).Decode(&refused)
		return errors.New(refused.Error)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// ErrNoAnswer means that no sandbox runs where one was announced.
var ErrNoAnswer = errors.New("control: no answer")

func (c *Client) silent(err error) error {
	return fmt.Errorf("the sandbox does not answer at %s: is `quittance serve --sandbox` running? %w (%w)", c.URL, err, ErrNoAnswer)
}

// Do sends one of the requests of this package.
func (c *Client) Do(ctx context.Context, what string, in any) (*Status, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/"+what, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.send(req)
}

func (c *Client) send(req *http.Request) (*Status, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, c.silent(err)
	}
	defer resp.Body.Close()
	var out struct {
		Status
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, fmt.Errorf("the sandbox's answer cannot be read: %w", err)
	}
	if out.Error != "" {
		return nil, errors.New(out.Error)
	}
	return &out.Status, nil
}
