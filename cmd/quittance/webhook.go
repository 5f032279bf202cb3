package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
)

type webhookCmd struct {
	List   webhookList   `cmd:"" help:"Show what was sent about an invoice, and what came back."`
	Resend webhookResend `cmd:"" help:"Send a delivery again, now."`
	Secret webhookSecret `cmd:"" help:"Print the secret that receivers check webhooks with."`
}

type webhookList struct {
	place
	Invoice string `arg:"" help:"The invoice's id."`
}

type deliveryRow struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Endpoint string   `json:"endpoint"`
	Code     int64    `json:"code"`
	Name     string   `json:"name"`
	State    string   `json:"state"`
	Next     string   `json:"next,omitempty"`
	Tries    []tryRow `json:"tries"`
}

type tryRow struct {
	At         string `json:"at"`
	DurationMS int64  `json:"durationMs"`
	Status     int    `json:"status,omitempty"` // HTTP; none for mails and when nobody answered
	Answer     string `json:"answer,omitempty"`
	Error      string `json:"error,omitempty"`
}

// outcome is what came of a try, in words.
func (t tryRow) outcome() string {
	switch {
	case t.Status != 0:
		return strings.TrimSpace(fmt.Sprintf("HTTP %d  %s", t.Status, t.Error))
	case t.Error != "":
		return t.Error
	}
	return "sent"
}

func deliveryRowOf(d app.Delivered) deliveryRow {
	r := deliveryRow{ID: d.ID, Kind: d.Kind, Endpoint: d.Endpoint, Code: d.Code, Name: d.Name, State: d.State, Tries: []tryRow{}}
	if d.State == "waiting" {
		r.Next = d.RunAt.Format(time.RFC3339)
	}
	for _, t := range d.Tries {
		r.Tries = append(r.Tries, tryRow{t.At.Format(time.RFC3339), t.Duration.Milliseconds(), t.Status, t.Answer, t.Error})
	}
	return r
}

func (c *webhookList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Deliveries(ctx, c.Invoice)
	if err != nil {
		return err
	}
	rows := []deliveryRow{}
	for _, d := range list {
		rows = append(rows, deliveryRowOf(d))
	}
	return c.show(rows, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintf(w, "nothing was sent about %s, and nothing waits\n", c.Invoice)
		}
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %d %s → %s  %s\n", r.ID, r.Code, r.Name, r.Endpoint, r.State)
			for _, t := range r.Tries {
				fmt.Fprintf(w, "    %s  %4d ms  %s\n", t.At, t.DurationMS, t.outcome())
			}
			if r.Next != "" {
				fmt.Fprintf(w, "    next try %s\n", r.Next)
			}
		}
	})
}

type webhookResend struct {
	place
	Delivery string `arg:"" help:"The delivery's id, from webhook list."`
}

func (c *webhookResend) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.Redeliver(ctx, c.Delivery); err != nil {
		return err
	}
	return c.show(map[string]string{"id": c.Delivery, "state": "waiting"}, func(w io.Writer) {
		fmt.Fprintln(w, "it is sent again by the running server within a second or two")
	})
}

type webhookSecret struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
}

func (c *webhookSecret) Run(ctx context.Context) error {
	_, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	return c.show(map[string]string{"secret": m.WebhookSecret}, func(w io.Writer) { fmt.Fprintln(w, m.WebhookSecret) })
}
