package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
)

// playMoney is the sandbox chain, as the operations and the control use it.
type playMoney struct {
	chain  *sandbox.Chain
	source ownChain
	settle func(context.Context) error
}

func openPlayMoney(data string, log *slog.Logger) (*playMoney, error) {
	c, err := sandbox.Open(sandbox.Config{Dir: filepath.Join(data, "sandbox"), Log: log})
	if err != nil {
		return nil, fmt.Errorf("open the sandbox chain: %w", err)
	}
	first, err := c.HashAt(context.Background(), 1)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the sandbox chain: %w", err), c.Close())
	}
	return &playMoney{chain: c, source: ownChain{c, first}}, nil
}

// ownChain tells one sandbox from another. Block 0 is the same in all of them;
// the first one after it was mined by the sandbox itself. So a database that
// has followed another sandbox is refused, where its blocks would else look
// like a reorganisation that took every payment back.
type ownChain struct {
	chain.Source
	first string
}

// Genesis is the hash of the sandbox's first own block.
func (c ownChain) Genesis() string { return c.first }

// Pay sends from the faucet. It signals that it may be replaced, so that a trial
// can do that too.
func (p *playMoney) Pay(ctx context.Context, address string, amount uint64) (string, error) {
	return p.chain.Pay(ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: address, Amount: amount}}, Replaceable: true})
}

// Mine adds blocks and waits until they were followed.
func (p *playMoney) Mine(ctx context.Context, n int) error {
	if _, err := p.chain.Mine(ctx, n); err != nil {
		return err
	}
	return p.Settle(ctx)
}

// Settle waits until the server has followed the chain.
func (p *playMoney) Settle(ctx context.Context) error { return p.settle(ctx) }

func (p *playMoney) handler(ask map[string]func(context.Context, url.Values) (any, error)) http.Handler {
	return &control.Server{Chain: p.chain, Settle: p.Settle, Ask: ask}
}
