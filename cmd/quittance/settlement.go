package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
	"github.com/quittance/quittance/wire"
)

type settlementCmd struct {
	List     settlementList   `cmd:"" help:"List settlements, newest first."`
	Now      settlementNow    `cmd:"" help:"Close the present period of a ledger at once."`
	Report   settlementReport `cmd:"" help:"Print a settlement's reconciliation report as CSV."`
	Complete settlementMark   `cmd:"" help:"Say that a settlement by bank was paid."`
	Reject   settlementReject `cmd:"" help:"Say that a settlement by bank came back; the balance has it again."`
	Address  settlementAddr   `cmd:"" help:"Give a new address to settle to: confirmed by mail, used a day later."`
}

func showSettlement(w io.Writer, s *wire.Settlement) {
	fmt.Fprintf(w, "%s  %-10s %s %s  %s → %s\n", s.ID, s.Status, s.TotalAmount, s.Currency, s.OpeningDate, s.ClosingDate)
}

type settlementList struct {
	place
	Merchant string `help:"Name or id." placeholder:"WHO"`
}

func (c *settlementList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	f := store.SettlementFilter{Limit: 1000}
	if c.Merchant != "" {
		m, err := a.FindMerchant(ctx, c.Merchant)
		if err != nil {
			return err
		}
		f.Merchant = m.ID
	}
	list, err := a.Settlements(ctx, f)
	if err != nil {
		return err
	}
	rows := []*wire.Settlement{}
	for _, s := range list {
		rows = append(rows, (&view.Renderer{}).Settlement(s))
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			showSettlement(w, r)
		}
	})
}

type settlementNow struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Currency string `help:"Which ledger; by default that of the settlements." placeholder:"CODE"`
}

func (c *settlementNow) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	if c.Currency == "" {
		c.Currency = m.Settings.LedgerCurrency()
	}
	s, err := a.SettleNow(ctx, m, strings.ToUpper(c.Currency))
	if err != nil {
		return err
	}
	if s == nil {
		return fmt.Errorf("there is nothing to settle in the %s ledger of %s: it is empty, or below the minimum", strings.ToUpper(c.Currency), m.Name)
	}
	row := (&view.Renderer{}).Settlement(s)
	return c.show(row, func(w io.Writer) { showSettlement(w, row) })
}

type settlementReport struct {
	place
	ID string `arg:"" help:"Of the settlement."`
}

func (c *settlementReport) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	s, err := a.Settlement(ctx, "", c.ID)
	if err != nil {
		return err
	}
	lines, err := a.ReconciliationLines(ctx, s)
	if err != nil {
		return err
	}
	r := &view.Renderer{}
	report := r.Report(s, lines)
	if c.JSON {
		return c.show(report, nil)
	}
	return r.WriteReport(os.Stdout, report)
}

type settlementMark struct {
	place
	ID  string `arg:"" help:"Of the settlement."`
	Fee string `help:"What the bank took, in the settlement's currency." default:"0"`
}

func (c *settlementMark) Run(ctx context.Context) error { return c.mark(ctx, true, c.Fee, "") }

type settlementReject struct {
	place
	ID  string `arg:"" help:"Of the settlement."`
	Why string `help:"What the bank said." default:"it came back"`
}

func (c *settlementReject) Run(ctx context.Context) error {
	return (&settlementMark{place: c.place, ID: c.ID}).mark(ctx, false, "0", c.Why)
}

func (c *settlementMark) mark(ctx context.Context, paid bool, fee, why string) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	s, err := a.Settlement(ctx, "", c.ID)
	if err != nil {
		return err
	}
	cur, ok := money.Lookup(s.Currency)
	if !ok {
		return fmt.Errorf("settlement %s is in %q, which is not a currency", s.ID, s.Currency)
	}
	units, err := money.ParseDecimal(cur, fee)
	if err != nil {
		return fmt.Errorf("--fee: %w", err)
	}
	if s, err = a.MarkSettlement(ctx, c.ID, paid, units, why); err != nil {
		return err
	}
	row := (&view.Renderer{}).Settlement(s)
	return c.show(row, func(w io.Writer) { showSettlement(w, row) })
}

type settlementAddr struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Address  string `arg:"" help:"Of the merchant's own wallet."`
}

func (c *settlementAddr) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	if err := a.AskSettlementAddress(ctx, m.ID, c.Address); err != nil {
		return err
	}
	return c.show(map[string]string{"address": c.Address, "rail": string(settlement.Wallet)}, func(w io.Writer) {
		fmt.Fprintf(w, "A mail with a link is on its way to %s. The address is used 24 hours after it was confirmed there.\n", m.Settings.NotificationEmail)
	})
}
