package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/merchant"
)

type pairCmd struct {
	Approve pairApprove `cmd:"" help:"Let a client that asked for a token use it."`
	Create  pairCreate  `cmd:"" help:"Make a pairing code that a client claims, or an open pos token."`
	List    pairList    `cmd:"" help:"List clients that wait for approval."`
}

type tokenRow struct {
	Token    string   `json:"token,omitempty"`
	Merchant string   `json:"merchant,omitempty"`
	Facade   string   `json:"facade"`
	Label    string   `json:"label,omitempty"`
	State    string   `json:"state"`
	SINs     []string `json:"sins"`
	Code     string   `json:"pairingCode,omitempty"`
	Expires  string   `json:"expires,omitempty"`
}

func tokenRowOf(t *merchant.Token) tokenRow {
	r := tokenRow{Token: t.Token, Merchant: t.Merchant, Facade: string(t.Facade), Label: t.Label, State: string(t.State), SINs: t.SINs, Code: t.Code}
	if r.SINs == nil {
		r.SINs = []string{}
	}
	if !t.CodeExpiry.IsZero() {
		r.Expires = t.CodeExpiry.Format(time.RFC3339)
	}
	return r
}

type pairApprove struct {
	place
	Code     string `arg:"" help:"The pairing code that the client shows."`
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
}

func (c *pairApprove) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	t, err := a.ApprovePairing(ctx, c.Code, m.ID)
	if err != nil {
		return err
	}
	return c.show(tokenRowOf(t), func(w io.Writer) {
		fmt.Fprintf(w, "approved: %s may use the %s facade of %s\n", strings.Join(t.SINs, ", "), t.Facade, m.Name)
	})
}

type pairCreate struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Facade   string `help:"What the client may do: pos, merchant or payout." enum:"pos,merchant,payout" default:"pos"`
	Label    string `help:"What the token is for."`
	Open     bool   `help:"A pos token that works at once and needs no signatures."`
}

func (c *pairCreate) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	t, err := a.OfferToken(ctx, m.ID, merchant.Facade(c.Facade), c.Label, c.Open)
	if err != nil {
		return err
	}
	return c.show(tokenRowOf(t), func(w io.Writer) {
		if c.Open {
			fmt.Fprintf(w, "pos token of %s: %s\nWhoever has it can make invoices.\n", m.Name, t.Token)
			return
		}
		fmt.Fprintf(w, "pairing code %s for the %s facade of %s, good until %s\n", t.Code, t.Facade, m.Name, t.CodeExpiry.Format(time.RFC3339))
	})
}

type pairList struct{ place }

func (c *pairList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.PendingPairings(ctx)
	if err != nil {
		return err
	}
	rows := []tokenRow{}
	for _, t := range list {
		r := tokenRowOf(t)
		r.Token = "" // a secret, and not usable yet
		rows = append(rows, r)
	}
	return c.show(rows, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, "no client waits for approval")
		}
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %s  %q  %s  until %s\n", r.Code, r.Facade, r.Label, strings.Join(r.SINs, ","), r.Expires)
		}
	})
}

type tokenCmd struct {
	List   tokenList   `cmd:"" help:"List a merchant's tokens; each is a secret."`
	Revoke tokenRevoke `cmd:"" help:"Make a token void, at once and for good."`
}

type tokenList struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
}

func (c *tokenList) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.MerchantTokens(ctx, m.ID)
	if err != nil {
		return err
	}
	rows := []tokenRow{}
	for _, t := range list {
		rows = append(rows, tokenRowOf(t))
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %-8s  %-11s  %q  %s\n", r.Token, r.Facade, r.State, r.Label, strings.Join(r.SINs, ","))
		}
	})
}

type tokenRevoke struct {
	place
	Token    string `arg:"" help:"The token."`
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
}

func (c *tokenRevoke) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	t, err := a.ChangeToken(ctx, c.Token, m.ID, func(t *merchant.Token) error {
		t.State = merchant.Invalidated
		return nil
	})
	if err != nil {
		return err
	}
	return c.show(tokenRowOf(t), func(w io.Writer) { fmt.Fprintf(w, "the %s token %q of %s is void\n", t.Facade, t.Label, m.Name) })
}
