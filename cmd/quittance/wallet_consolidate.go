package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/quittance/quittance/internal/app"
)

// feeRate is in satoshi per 1,000 virtual bytes; people write it per virtual byte.
type feeRate int64

// UnmarshalText reads satoshi per virtual byte with up to three decimals.
func (r *feeRate) UnmarshalText(text []byte) error {
	before, after, _ := strings.Cut(string(text), ".")
	whole, err1 := strconv.ParseUint(before, 10, 31)
	parts, err2 := strconv.ParseUint(after+strings.Repeat("0", max(0, 3-len(after))), 10, 31)
	if err1 != nil || err2 != nil || len(after) > 3 {
		return fmt.Errorf("%q is not a fee rate in satoshi per virtual byte, such as 2 or 1.5", text)
	}
	*r = feeRate(whole*1000 + parts)
	return nil
}

type walletConsolidate struct {
	place
	nodePlace
	Merchant string  `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset    string  `help:"Of the wallet." default:"BTC"`
	MaxRate  feeRate `help:"Do nothing while the network asks for more, in satoshi per virtual byte." name:"max-fee-rate" default:"2" placeholder:"RATE"`
	AtLeast  int     `help:"Do nothing when fewer coins than this can be joined." name:"at-least" default:"10" placeholder:"N"`
	DryRun   bool    `help:"Say what would be done, and do nothing." name:"dry-run"`
}

// Run joins coins: the running sandbox does it itself, elsewhere it is planned here,
// and the server signs and sends.
func (c *walletConsolidate) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	w, err := walletOf(ctx, a, m.ID, c.Asset)
	if err != nil {
		return err
	}
	var got *app.Consolidated
	if running, err := (controlPlace{Data: c.Data}).client(); err == nil {
		q := url.Values{"wallet": {w.ID}, "rate": {strconv.FormatInt(int64(c.MaxRate), 10)}, "least": {strconv.Itoa(c.AtLeast)}, "dry": {strconv.FormatBool(c.DryRun)}}
		err = running.Ask(ctx, "consolidate?"+q.Encode(), &got)
		if err != nil {
			return err
		}
	} else {
		if _, err := c.ask(ctx, a); err != nil {
			return err
		}
		got, err = a.Consolidate(ctx, w.ID, app.Consolidation{MaxFeeRate: uint64(c.MaxRate), AtLeast: c.AtLeast, DryRun: c.DryRun})
		if err != nil {
			return err
		}
	}
	return c.show(got, func(w io.Writer) { printConsolidated(w, got) })
}

func printConsolidated(w io.Writer, got *app.Consolidated) {
	switch what := fmt.Sprintf("%d coins of %s satoshi together become one, for %s satoshi and %d vB", got.Coins, got.Amount, got.Fee, got.VSize); {
	case got.Why != "":
		fmt.Fprintln(w, got.Why)
	case got.Transfer == "":
		fmt.Fprintf(w, "it would be done: %s\n", what)
	default:
		fmt.Fprintf(w, "transfer %s: %s\n", got.Transfer, what)
	}
}

// consolidate answers a running sandbox's operator.
func (p *program) consolidate(ctx context.Context, q url.Values) (any, error) {
	rate, err1 := strconv.ParseUint(q.Get("rate"), 10, 64)
	least, err2 := strconv.Atoi(q.Get("least"))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return p.app.Consolidate(ctx, q.Get("wallet"), app.Consolidation{MaxFeeRate: rate, AtLeast: least, DryRun: q.Get("dry") == "true"})
}
