package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/transfer"
)

type transferCmd struct {
	List transferList `cmd:"" help:"List the transactions that pay out, newest first, and why they wait."`
	Bump transferBump `cmd:"" help:"Raise the network fee of one that is not mined yet, by replacing it (BIP 125)."`
	Drop transferDrop `cmd:"" help:"Give up one that pays nobody and that nobody has signed; its coins are free again."`
	Lift transferLift `cmd:"" help:"Bring a transaction into a block that pays one of the wallets, by spending it with a fee for both (CPFP)."`
}

// transferRow is a transfer for people.
type transferRow struct {
	ID       string   `json:"id"`
	Wallet   string   `json:"wallet"`
	State    string   `json:"state"`
	Payments int      `json:"payments"`
	Total    string   `json:"total"` // smallest units
	Asset    string   `json:"asset"`
	Txid     string   `json:"txid,omitempty"`
	Fee      string   `json:"fee"` // smallest units
	VSize    int64    `json:"vsize"`
	Attempts int      `json:"attempts"`
	Why      string   `json:"why,omitempty"`
	Joins    int      `json:"joins,omitempty"` // coins that it makes one of
	Pays     []string `json:"pays"`            // the orders' ids
}

func rowOfTransfer(t *transfer.Transfer) transferRow {
	r := transferRow{
		ID: t.ID, Wallet: t.Wallet, State: string(t.State), Payments: len(t.Members), Total: t.Total().String(), Asset: t.Asset, Attempts: len(t.Attempts),
		Why: t.Problem, Pays: []string{},
	}
	if a := t.Attempt(); a != nil {
		r.Txid, r.Fee, r.VSize = a.Txid, a.Fee.String(), a.VSize
		if t.Joins {
			r.Joins = len(a.Inputs)
		}
	}
	for _, m := range t.Members {
		r.Pays = append(r.Pays, m.Order)
	}
	return r
}

func (r transferRow) print(w io.Writer) {
	what := fmt.Sprintf("%d payments, %s", r.Payments, r.Total)
	switch {
	case r.Joins > 0:
		what = fmt.Sprintf("joins %d coins", r.Joins)
	case r.Payments == 0:
		what = "lifts another"
	}
	fmt.Fprintf(w, "%s  %-9s  %s; fee %s %s for %d vB in %d attempt(s)  %s\n", r.ID, r.State, what, r.Fee, r.Asset, r.VSize, r.Attempts, r.Txid)
	if r.Why != "" {
		fmt.Fprintf(w, "  %s\n", r.Why)
	}
}

type transferList struct {
	place
	Limit int `help:"At most so many." default:"100"`
}

func (c *transferList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Transfers(ctx, "", c.Limit)
	if err != nil {
		return err
	}
	return c.showTransfers(list)
}

func (p place) showTransfers(list []*transfer.Transfer) error {
	rows := []transferRow{}
	for _, t := range list {
		rows = append(rows, rowOfTransfer(t))
	}
	return p.show(rows, func(w io.Writer) {
		for _, r := range rows {
			r.print(w)
		}
	})
}

type transferBump struct {
	place
	nodePlace
	ID   string `arg:"" help:"Of the transfer."`
	Rate uint64 `help:"New fee rate in satoshi per 1,000 virtual bytes; 0 asks for an estimate." name:"fee-rate" placeholder:"RATE"`
}

func (c *transferBump) Run(ctx context.Context) error {
	return hurry(ctx, c.place, c.nodePlace, "bump", c.ID, c.Rate)
}

type transferDrop struct {
	place
	ID string `arg:"" help:"Of the transfer."`
}

// Run gives a transfer up.
func (c *transferDrop) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.DropTransfer(ctx, c.ID); err != nil {
		return err
	}
	return c.show(map[string]string{"dropped": c.ID}, func(w io.Writer) { fmt.Fprintf(w, "transfer %s is given up\n", c.ID) })
}

type transferLift struct {
	place
	nodePlace
	Txid string `arg:"" help:"Of the transaction that waits."`
	Rate uint64 `help:"Fee rate for both in satoshi per 1,000 virtual bytes; 0 asks for an estimate." name:"fee-rate" placeholder:"RATE"`
}

func (c *transferLift) Run(ctx context.Context) error {
	return hurry(ctx, c.place, c.nodePlace, "lift", c.Txid, c.Rate)
}

// hurry raises a fee: the running sandbox does it itself, elsewhere it is planned
// here, and the server signs and sends.
func hurry(ctx context.Context, p place, n nodePlace, how, what string, rate uint64) error {
	var row transferRow
	show := func() error { return p.show(row, row.print) }
	if running, err := (controlPlace{Data: p.Data}).client(); err == nil {
		if err := running.Ask(ctx, how+"?"+url.Values{"what": {what}, "rate": {strconv.FormatUint(rate, 10)}}.Encode(), &row); err != nil {
			return err
		}
		return show()
	}
	a, done, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err := n.ask(ctx, a); err != nil {
		return err
	}
	t, err := raise(ctx, a, how, what, rate)
	if err != nil {
		return err
	}
	row = rowOfTransfer(t)
	return show()
}

func raise(ctx context.Context, a *app.App, how, what string, rate uint64) (*transfer.Transfer, error) {
	if how == "lift" {
		return a.Lift(ctx, what, rate)
	}
	if err := a.BumpTransfer(ctx, what, rate); err != nil {
		return nil, err
	}
	return a.Transfer(ctx, what)
}

// asked answers a running sandbox's operator.
func (p *program) asked(how string) func(context.Context, url.Values) (any, error) {
	return func(ctx context.Context, q url.Values) (any, error) {
		rate, err := strconv.ParseUint(q.Get("rate"), 10, 64)
		if err != nil {
			return nil, err
		}
		t, err := raise(ctx, p.app, how, q.Get("what"), rate)
		if err != nil {
			return nil, err
		}
		return rowOfTransfer(t), nil
	}
}
