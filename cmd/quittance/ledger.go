package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

type ledgerCmd struct {
	List      ledgerList      `cmd:"" help:"Print the lines of a ledger, oldest first."`
	Balances  ledgerBalances  `cmd:"" help:"Print what each ledger stands at."`
	Adjust    ledgerAdjust    `cmd:"" help:"Book an entry by hand: a credit, or with a minus a debit."`
	Deposit   ledgerDeposit   `cmd:"" help:"Book money that the merchant paid in by bank."`
	Exchange  ledgerExchange  `cmd:"" help:"Turn a balance into another currency at the rate of now."`
	FeeRefund ledgerFeeRefund `cmd:"" name:"fee-refund" help:"Give an invoice's processing fee back."`
}

// ledgerPlace says whose ledger is meant.
type ledgerPlace struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
}

// with opens the merchant's books for one command.
func (p ledgerPlace) with(ctx context.Context, do func(a *app.App, m *merchant.Merchant) error) error {
	a, m, done, err := p.openFor(ctx, p.Merchant)
	if err != nil {
		return err
	}
	defer done()
	return do(a, m)
}

// balances prints what a command left behind.
func (p ledgerPlace) balances(ctx context.Context, a *app.App, m *merchant.Merchant) error {
	list, err := a.Ledgers(ctx, m)
	if err != nil {
		return err
	}
	type row struct {
		Currency string `json:"currency"`
		Balance  string `json:"balance"`
	}
	rows := []row{}
	for _, b := range list {
		if cur, ok := money.Lookup(b.Currency); ok {
			rows = append(rows, row{b.Currency, money.FormatDelta(cur, b.Amount)})
		}
	}
	return p.show(rows, func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%-5s %s\n", r.Currency, r.Balance)
		}
	})
}

func currency(code string) (*money.Currency, error) {
	cur, ok := money.Lookup(strings.ToUpper(code))
	if !ok {
		return nil, fmt.Errorf("%q is not a currency", code)
	}
	return cur, nil
}

type ledgerBalances struct{ ledgerPlace }

func (c *ledgerBalances) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App, m *merchant.Merchant) error { return c.balances(ctx, a, m) })
}

type ledgerList struct {
	ledgerPlace
	Currency string `arg:"" help:"Which ledger."`
}

func (c *ledgerList) Run(ctx context.Context) error {
	cur, err := currency(c.Currency)
	if err != nil {
		return err
	}
	type row struct {
		ID     string `json:"id"`
		At     string `json:"at"`
		Code   int64  `json:"code"`
		Type   string `json:"type"`
		Amount string `json:"amount"`
		Text   string `json:"text,omitempty"`
	}
	return c.with(ctx, func(a *app.App, m *merchant.Merchant) error {
		lines, err := a.LedgerLines(ctx, store.LineFilter{Merchant: m.ID, Asset: cur.Code})
		if err != nil {
			return err
		}
		rows := []row{}
		for _, l := range lines {
			rows = append(rows, row{l.ID, l.At.Format(time.DateTime + "Z"), int64(l.Code), l.Code.Name(), money.FormatDelta(cur, l.Amount), l.Text})
		}
		return c.show(rows, func(w io.Writer) {
			for _, r := range rows {
				fmt.Fprintf(w, "%s  %d %-24s %14s  %s\n", r.At, r.Code, r.Type, r.Amount, r.Text)
			}
		})
	})
}

type ledgerAdjust struct {
	ledgerPlace
	Amount   string `arg:"" help:"In currency units; -- before one with a minus."`
	Currency string `arg:"" help:"Which ledger."`
	Text     string `help:"Why, as the merchant reads it." required:""`
}

func (c *ledgerAdjust) Run(ctx context.Context) error {
	cur, err := currency(c.Currency)
	if err != nil {
		return err
	}
	digits, minus := strings.CutPrefix(c.Amount, "-")
	units, err := money.ParseDecimal(cur, digits)
	if err != nil {
		return err
	}
	amount := units.Delta()
	if minus {
		amount = amount.Neg()
	}
	return c.with(ctx, func(a *app.App, m *merchant.Merchant) error {
		if err := a.AdjustLedger(ctx, m, cur, amount, c.Text); err != nil {
			return err
		}
		return c.balances(ctx, a, m)
	})
}

type ledgerDeposit struct {
	ledgerPlace
	Amount    string `arg:"" help:"In currency units."`
	Currency  string `arg:"" help:"Which ledger."`
	Reference string `help:"Of the bank's; a deposit is booked once." required:""`
}

func (c *ledgerDeposit) Run(ctx context.Context) error {
	cur, err := currency(c.Currency)
	if err != nil {
		return err
	}
	units, err := money.ParseDecimal(cur, c.Amount)
	if err != nil {
		return err
	}
	return c.with(ctx, func(a *app.App, m *merchant.Merchant) error {
		if err := a.DepositFiat(ctx, m, cur, units, c.Reference); err != nil {
			return err
		}
		return c.balances(ctx, a, m)
	})
}

type ledgerExchange struct {
	ledgerPlace
	From   string `arg:"" help:"The ledger that gives."`
	To     string `arg:"" help:"The ledger that gets."`
	Amount string `help:"In units of the first; by default all of it." default:"0"`
	Fee    uint64 `help:"In hundredths of a percent of what comes out." default:"0"`
}

func (c *ledgerExchange) Run(ctx context.Context) error {
	from, err := currency(c.From)
	if err != nil {
		return err
	}
	to, err := currency(c.To)
	if err != nil {
		return err
	}
	units, err := money.ParseDecimal(from, c.Amount)
	if err != nil {
		return err
	}
	return c.with(ctx, func(a *app.App, m *merchant.Merchant) error {
		if _, err := a.ExchangeLedger(ctx, m, from, to, units, c.Fee); err != nil {
			return err
		}
		return c.balances(ctx, a, m)
	})
}

type ledgerFeeRefund struct {
	ledgerPlace
	Invoice string `arg:"" help:"Id of the invoice."`
}

func (c *ledgerFeeRefund) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App, m *merchant.Merchant) error {
		if err := a.RefundFee(ctx, m, c.Invoice); err != nil {
			return err
		}
		return c.balances(ctx, a, m)
	})
}

type paymentReturn struct {
	place
	Invoice string `arg:"" help:"Id of the invoice."`
}

// Run gives back what was kept after all.
func (c *paymentReturn) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.ReturnKept(ctx, c.Invoice); err != nil {
		return err
	}
	return c.show(map[string]string{"invoice": c.Invoice}, func(w io.Writer) {
		fmt.Fprintf(w, "the buyer of invoice %s is asked where the rest is to go\n", c.Invoice)
	})
}
