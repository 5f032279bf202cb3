package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

type recipientCmd struct {
	List   recipientList   `cmd:"" help:"List recipients, newest first."`
	Invite recipientInvite `cmd:"" help:"Send a recipient a fresh link: to go on, or to change the address."`
	Verify recipientVerify `cmd:"" help:"Note that you checked who a recipient is."`
	Pause  recipientPause  `cmd:"" help:"Stop payments to a recipient."`
	Resume recipientResume `cmd:"" help:"Take a paused recipient back to where it was."`
}

type recipientRow struct {
	ID        string       `json:"id"`
	Merchant  string       `json:"merchant"`
	Email     string       `json:"email"`
	Label     string       `json:"label,omitempty"`
	Status    string       `json:"status"`
	Addresses []addressRow `json:"addresses"`
}

// addressRow is one proven address of the history.
type addressRow struct {
	Asset   string `json:"asset"`
	Address string `json:"address"`
	Proof   string `json:"proof"`
	Given   string `json:"given"`
	From    string `json:"from"`
	Void    bool   `json:"void,omitempty"` // another one took its place before it was used
}

func recipientRowOf(r *recipient.Recipient) recipientRow {
	row := recipientRow{ID: r.ID, Merchant: r.Merchant, Email: r.Email, Label: r.State.Label, Status: string(r.Status), Addresses: []addressRow{}}
	for _, a := range r.State.Addresses {
		row.Addresses = append(row.Addresses, addressRow{
			Asset: a.Asset, Address: a.Address, Proof: string(a.Proof.Kind),
			Given: a.Given.Format(time.RFC3339), From: a.From.Format(time.RFC3339), Void: !a.Void.IsZero(),
		})
	}
	return row
}

func (r recipientRow) print(w io.Writer) {
	fmt.Fprintf(w, "%s  %-10s  %s  %s\n", r.ID, r.Status, r.Email, r.Label)
	for _, a := range r.Addresses {
		void := ""
		if a.Void {
			void = ", void"
		}
		fmt.Fprintf(w, "  %s %s from %s by %s%s\n", a.Asset, a.Address, a.From, a.Proof, void)
	}
}

type recipientList struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Status   string `help:"Only those in this state; removed ones are shown with 'removed' alone." placeholder:"STATUS"`
	Limit    int    `help:"How many." default:"100"`
	Offset   int    `help:"How many to skip."`
}

func (c *recipientList) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	f := store.RecipientFilter{Merchant: m.ID, Limit: max(c.Limit, 1), Offset: max(c.Offset, 0)}
	if c.Status != "" {
		var ok bool
		if f.Status, ok = recipient.ParseStatus(c.Status); !ok {
			return fmt.Errorf("%q is not a state of a recipient: %v", c.Status, recipient.Statuses())
		}
	}
	list, err := a.ListRecipients(ctx, f)
	if err != nil {
		return err
	}
	rows := []recipientRow{}
	for _, r := range list {
		rows = append(rows, recipientRowOf(r))
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			r.print(w)
		}
	})
}

// oneRecipient is what the commands about one recipient have in common.
type oneRecipient struct {
	place
	ID string `arg:"" help:"The recipient's id; 'quittance recipient list' shows it."`
}

func (c *oneRecipient) change(ctx context.Context, do func(*app.App) (*recipient.Recipient, error), says string) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := do(a)
	if err != nil {
		return err
	}
	return c.show(recipientRowOf(r), func(w io.Writer) { fmt.Fprintf(w, "%s is %s%s\n", r.Email, r.Status, says) })
}

type recipientInvite struct{ oneRecipient }

func (c *recipientInvite) Run(ctx context.Context) error {
	return c.change(ctx, func(a *app.App) (*recipient.Recipient, error) { return a.InviteRecipient(ctx, c.ID) },
		"; a mail with a fresh link is on its way")
}

type recipientVerify struct{ oneRecipient }

func (c *recipientVerify) Run(ctx context.Context) error {
	return c.change(ctx, func(a *app.App) (*recipient.Recipient, error) { return a.VerifyRecipient(ctx, c.ID) }, "")
}

type recipientPause struct{ oneRecipient }

func (c *recipientPause) Run(ctx context.Context) error {
	return c.change(ctx, func(a *app.App) (*recipient.Recipient, error) { return a.PauseRecipient(ctx, c.ID) }, "")
}

type recipientResume struct{ oneRecipient }

func (c *recipientResume) Run(ctx context.Context) error {
	return c.change(ctx, func(a *app.App) (*recipient.Recipient, error) { return a.ResumeRecipient(ctx, c.ID) }, "")
}
