package main

import (
	"context"
	"fmt"
	"io"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
	"github.com/quittance/quittance/wire"
)

type payoutCmd struct {
	List    payoutList    `cmd:"" help:"List payouts, newest first, and why they wait."`
	Release payoutRelease `cmd:"" help:"Release a payout that is held."`
}

type payoutRow struct {
	*wire.Payout
	Why string `json:"why,omitempty"`
}

type payoutList struct {
	place
	Status string `help:"Only those in a state." placeholder:"STATUS"`
}

func (c *payoutList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Payouts(ctx, store.PayoutFilter{Limit: 1000})
	if err != nil {
		return err
	}
	rows := []payoutRow{}
	for _, p := range list {
		if c.Status != "" && string(p.Status) != c.Status {
			continue
		}
		row := payoutRow{(&view.Renderer{}).Payout(p), p.State.Problem}
		row.Token = ""
		if p.State.Held != "" {
			row.Why = "held: " + p.State.Held
		}
		if row.Why == "" && p.Status == payout.Funded {
			if row.Why, err = a.WhyWaits(ctx, p.State.Order); err != nil {
				return err
			}
		}
		rows = append(rows, row)
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %-10s %s %s to %s", r.ID, r.Status, r.Amount, r.Currency, r.Email)
			if r.Why != "" {
				fmt.Fprintf(w, " — %s", r.Why)
			}
			fmt.Fprintln(w)
		}
	})
}

type payoutRelease struct {
	place
	ID  string `arg:"" help:"Of the payout."`
	Key string `help:"The approver's key." env:"QUITTANCE_APPROVER_KEY" required:""`
}

func (c *payoutRelease) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := a.ReleasePayout(ctx, c.ID, c.Key)
	if err != nil {
		return err
	}
	return c.show(map[string]any{"id": p.ID, "held": p.State.Held, "released": p.State.Released}, func(w io.Writer) {
		if p.State.Held != "" {
			fmt.Fprintf(w, "noted; %d of %d have agreed\n", len(p.State.Released), p.State.Needs)
			return
		}
		fmt.Fprintf(w, "payout %s is released; it leaves with the next run\n", p.ID)
	})
}

type approverCmd struct {
	Add approverAdd `cmd:"" help:"Let somebody release payouts, and print the key."`
}

type approverAdd struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Name     string `arg:"" help:"Who it is."`
}

func (c *approverAdd) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	key, err := a.AddApprover(ctx, m.ID, c.Name)
	if err != nil {
		return err
	}
	return c.show(map[string]string{"name": c.Name, "key": key}, func(w io.Writer) {
		fmt.Fprintf(w, "%s may release payouts of %s with this key, which is shown this once:\n  %s\n", c.Name, m.Name, key)
	})
}

type paymentCmd struct {
	Show   paymentShow   `cmd:"" help:"Show what came in for an invoice: how deep, and how sure what waits is."`
	Held   paymentHeld   `cmd:"" help:"List money that came in and was not asked for."`
	Decide paymentDecide `cmd:"" help:"Refund it, or credit it to the ledger."`
	Return paymentReturn `cmd:"" help:"Give back what was credited after all."`
}

type paymentRow struct {
	Invoice  string `json:"invoice"`
	Amount   string `json:"amount"`
	Asset    string `json:"asset"`
	Reason   string `json:"reason"`
	Decision string `json:"decision"`
	Since    string `json:"since"`
}

type paymentHeld struct{ place }

func (c *paymentHeld) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	rows := []paymentRow{}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.UnappliedPayments("")
		for _, u := range list {
			amount := u.Amount.String()
			if cur, ok := money.Lookup(u.Asset); ok {
				amount = money.Format(cur, u.Amount)
			}
			rows = append(rows, paymentRow{u.Invoice, amount, u.Asset, string(u.Reason), u.Decision, u.Since.Format("2006-01-02 15:04:05Z")})
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %s %s  %s since %s\n", r.Invoice, r.Amount, r.Asset, r.Reason, r.Since)
		}
	})
}

type paymentDecide struct {
	place
	Invoice  string `arg:"" help:"Of the invoice that the money came for."`
	Decision string `arg:"" help:"refund or credit." enum:"refund,credit"`
}

func (c *paymentDecide) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.DecidePayment(ctx, c.Invoice, merchant.Policy(c.Decision)); err != nil {
		return err
	}
	return c.show(map[string]string{"invoice": c.Invoice, "decision": c.Decision}, func(w io.Writer) { fmt.Fprintln(w, "done") })
}
