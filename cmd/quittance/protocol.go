package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/paypro"
)

// The files of the payment protocol in a data folder: this server's secret keys, and
// the operator's signatures of the published ones.
const (
	protocolKeys       = "payment-protocol-keys.jsonl"
	protocolSignatures = "payment-protocol-signatures"
)

// wallets puts the payment protocol together and registers its routes.
func (p *program) wallets(ctx context.Context, mux *http.ServeMux) (http.Handler, error) {
	keys := keyring(p.app, p.conf.Data, p.network)
	keys.Now = p.clock.now
	if err := keys.Keep(ctx); err != nil {
		return nil, err
	}
	s := &paypro.Server{App: p.app, Keys: keys, PublicURL: p.publicURL, Signatures: filepath.Join(p.conf.Data, protocolSignatures), Log: p.log}
	s.Register(mux)
	p.loop(ctx, "wallets' payments", func(ctx context.Context) error { return p.keepWallets(ctx, keys) })
	return s, nil
}

// keepWallets sends what wallets have handed over and a crash kept back, and makes new
// keys in time.
func (p *program) keepWallets(ctx context.Context, keys *paypro.Keyring) error {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	looked := time.Now()
	for {
		if err := p.app.SendKeptPayments(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("payments that wallets have handed over", "error", err)
		}
		if time.Since(looked) > time.Hour {
			looked = time.Now()
			if err := keys.Keep(ctx); err != nil && ctx.Err() == nil {
				p.log.Error("the keys of the payment protocol", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func keyring(a *app.App, data, network string) *paypro.Keyring {
	return &paypro.Keyring{File: filepath.Join(data, protocolKeys), App: a, Network: network, Now: time.Now, Rand: rand.Reader}
}

// protocolCmd is the operator's side of the payment protocol's keys.
type protocolCmd struct {
	Keys   protocolList   `cmd:"" help:"List the keys, those of every server on this database."`
	Rotate protocolRotate `cmd:"" help:"Publish a new key of this data folder, which signs after a while."`
	Retire protocolRetire `cmd:"" help:"Take a key back: it signs nothing more and is published no longer."`
}

type protocolList struct{ place }

type protocolRow struct {
	Identity string `json:"identity"`
	Public   string `json:"publicKey"`
	From     string `json:"signsFrom"`
	Expires  string `json:"expires"`
	Retired  string `json:"retired,omitempty"`
}

func (c *protocolList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.SigningKeys(ctx)
	if err != nil {
		return err
	}
	const day = "2006-01-02 15:04:05Z"
	rows := []protocolRow{}
	for _, k := range list {
		r := protocolRow{Identity: k.Identity, Public: k.Public, From: k.From.Format(day), Expires: k.Expires.Format(day)}
		if !k.Retired.IsZero() {
			r.Retired = k.Retired.Format(day)
		}
		rows = append(rows, r)
	}
	return c.show(rows, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, "there is no key yet: a server makes one when it starts")
		}
		for _, r := range rows {
			fmt.Fprintf(w, "%s  signs from %s, expires %s", r.Identity, r.From, r.Expires)
			if r.Retired != "" {
				fmt.Fprintf(w, ", retired %s", r.Retired)
			}
			fmt.Fprintf(w, "\n  %s\n", r.Public)
		}
	})
}

type protocolRotate struct {
	place
	After time.Duration `help:"How long the new key is published before it signs, so that wallets learn of it." default:"168h" placeholder:"DURATION"`
}

func (c *protocolRotate) Run(ctx context.Context) error {
	if c.After < 0 || c.After > 60*24*time.Hour {
		return fmt.Errorf("--after is %v; a new key is published for 0s to 1440h before it signs", c.After)
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	network := "regtest"
	if len(a.Assets) > 0 {
		network = a.Assets[0].Network
	}
	k, err := keyring(a, c.Data, network).Add(ctx, time.Now().Add(c.After))
	if err != nil {
		return err
	}
	row := protocolRow{Identity: k.Identity, Public: k.Public, From: k.From.UTC().Format(time.RFC3339), Expires: k.Expires.UTC().Format(time.RFC3339)}
	return c.show(row, func(w io.Writer) {
		fmt.Fprintf(w, "%s is published, and signs from %s\n  %s\nThe published list has changed: sign it anew if you vouch for it with PGP.\nThe keys before stay published; `quittance protocol retire IDENTITY` takes one back.\n", row.Identity, row.From, row.Public)
	})
}

type protocolRetire struct {
	place
	Identity string `arg:"" help:"As the list names it."`
}

func (c *protocolRetire) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.RetireSigningKey(ctx, c.Identity); err != nil {
		return err
	}
	return c.show(map[string]string{"retired": c.Identity}, func(w io.Writer) {
		fmt.Fprintf(w, "%s signs nothing more from ten seconds on; a server without another key makes one\n", c.Identity)
	})
}
