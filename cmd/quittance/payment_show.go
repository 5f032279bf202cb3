package main

import (
	"context"
	"fmt"
	"io"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// paymentShow lists an invoice's payments with what speaks against those that wait.
type paymentShow struct {
	place
	Invoice string `arg:"" help:"Id of the invoice."`
}

type creditRow struct {
	Outpoint      string   `json:"outpoint"`
	Amount        string   `json:"amount"`
	Asset         string   `json:"asset"`
	State         string   `json:"state"` // pending, mined or gone
	Confirmations int64    `json:"confirmations"`
	Needs         int64    `json:"needs"` // confirmations that complete it
	Score         int      `json:"score"` // how sure it was when it was seen waiting, 0 to 100
	Trusted       int      `json:"trusted"`
	Doubts        []string `json:"doubts"`
	FirstSeen     string   `json:"firstSeen"`
}

// Run reads the invoice as it stands.
func (c *paymentShow) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	inv, err := a.Invoice(ctx, c.Invoice)
	if err != nil {
		return err
	}
	rows := []creditRow{}
	for i := range inv.Credits {
		rows = append(rows, creditRowOf(inv, &inv.Credits[i]))
	}
	return c.show(rows, func(w io.Writer) {
		fmt.Fprintf(w, "invoice %s is %s\n", inv.ID, inv.Status)
		if len(rows) == 0 {
			fmt.Fprintln(w, "nothing came in for it")
		}
		for _, r := range rows {
			fmt.Fprintf(w, "%s %s  %s  %d of %d confirmations  since %s\n  %s\n", r.Amount, r.Asset, r.State, r.Confirmations, r.Needs, r.FirstSeen, r.Outpoint)
			if r.State != string(invoice.Pending) {
				continue
			}
			fmt.Fprintf(w, "  score %d; at high speed %d is trusted\n", r.Score, r.Trusted)
			for _, d := range r.Doubts {
				fmt.Fprintf(w, "  – %s\n", d)
			}
		}
	})
}

func creditRowOf(inv app.Shown, c *invoice.Credit) creditRow {
	need := inv.Depths(c.Asset)
	r := creditRow{
		Outpoint: fmt.Sprintf("%s:%d", c.Outpoint.Txid, c.Outpoint.Vout), Amount: c.Amount.String(), Asset: c.Asset, State: string(c.State),
		Confirmations: c.Confirmations(inv.Tips[c.Chain]), Needs: need.Credit, Score: c.Score, Trusted: need.Trust, Doubts: c.Doubts,
		FirstSeen: c.FirstSeen.UTC().Format("2006-01-02 15:04:05Z"),
	}
	if cur, ok := money.Lookup(c.Asset); ok {
		r.Amount = money.Format(cur, c.Amount)
	}
	return r
}
