package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

type walletDeposit struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset    string `help:"What is paid in." default:"BTC"`
}

// Run prints where a merchant pays coins of its own in.
func (c *walletDeposit) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	addr, err := a.DepositAddress(ctx, m, strings.ToUpper(c.Asset))
	if err != nil {
		return err
	}
	return c.show(map[string]string{"address": addr}, func(w io.Writer) {
		fmt.Fprintf(w, "%s\nWhat is paid there is credited to %s after six confirmations.\n", addr, m.Name)
	})
}
