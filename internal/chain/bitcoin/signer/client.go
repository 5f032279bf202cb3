package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/quittance/quittance/internal/chain"
)

// patience bounds one call: less than the spender's lease on a wallet, so that a
// signer that hangs costs no more than a round.
const patience = 30 * time.Second

// Client asks a signer. All its methods are safe for concurrent use.
type Client struct {
	path string
	http *http.Client
}

var _ chain.Signer = (*Client)(nil)

// NewClient returns the client of the signer at an address that Address takes. It
// connects for each call, so a signer may come and go.
func NewClient(address string) (*Client, error) {
	path, err := socketPath(address)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &Client{path: path, http: &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true}}}, nil
}

// Sign asks for the signatures of one plan.
func (c *Client) Sign(ctx context.Context, r chain.SignRequest) ([]byte, error) {
	var out signAnswer
	if err := c.call(ctx, http.MethodPost, signPath, signRequest{r.Transfer, r.Account.XPub, r.Account.Kind, r.Packet}, &out); err != nil {
		return nil, err
	}
	switch {
	case out.Error != "":
		return nil, errors.New(out.Error)
	case out.Withheld != nil:
		return nil, &chain.Withheld{Reason: out.Withheld.Reason, Final: out.Withheld.Final}
	case len(out.Packet) == 0:
		return nil, errors.New("its answer holds neither a signature nor a reason")
	}
	return out.Packet, nil
}

// Status lists the signer's wallets and what waits.
func (c *Client) Status(ctx context.Context) ([]WalletStatus, error) {
	var out statusAnswer
	err := c.call(ctx, http.MethodGet, statusPath, nil, &out)
	if err == nil && out.Error != "" {
		err = errors.New(out.Error)
	}
	return out.Wallets, err
}

// Approve hands over somebody's approval and returns how many people agree.
func (c *Client) Approve(ctx context.Context, a Approval) (agreed int, err error) {
	var out approveAnswer
	err = c.call(ctx, http.MethodPost, approvePath, a, &out)
	if err == nil && out.Error != "" {
		err = errors.New(out.Error)
	}
	return out.Agreed, err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	var err error
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://signer"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return c.unreached(err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("what answers at %s is not a signer of this version: it said %s", c.path, resp.Status)
	}
	return nil
}

// unreached says what to do when there is no answer.
func (c *Client) unreached(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("no signer answers at %s (%w): start it with `quittance signer`", c.path, op.Err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("the signer at %s hung up: its policy's allow_uids may not name this process's user", c.path)
	}
	return fmt.Errorf("the signer at %s gave no answer: %w", c.path, err)
}
