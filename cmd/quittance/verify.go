package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
)

// verifyCmd proves the books, while the server serves.
type verifyCmd struct {
	place
	nodePlace
}

// Run evaluates every invariant and ends with status 1 when one does not hold.
// The sandbox's chain lives in the server, so the server looks at it and this asks
// the server for what it found.
func (c *verifyCmd) Run(ctx context.Context) error {
	if running, err := (controlPlace{Data: c.Data}).client(); err == nil {
		var list []app.Finding
		if err = running.Ask(ctx, "verify", &list); err == nil {
			return c.printAll(list)
		}
		if !errors.Is(err, control.ErrNoAnswer) {
			return err
		}
		fmt.Fprintln(os.Stderr, "the sandbox does not run, so its chain cannot be asked")
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	o := app.VerifyOptions{}
	if o.Sources, err = c.ask(ctx, a); err != nil {
		return err
	}
	breaches, err := a.Verify(ctx, app.VerifyOptions{Sources: o.Sources, Report: func(f app.Finding) { c.print(os.Stdout, f) }})
	if err == nil && breaches > 0 {
		err = exitStatus(1)
	}
	return err
}

func (c *verifyCmd) printAll(list []app.Finding) error {
	breaches := 0
	for _, f := range list {
		c.print(os.Stdout, f)
		if f.Breach != "" {
			breaches++
		}
	}
	if breaches > 0 {
		return exitStatus(1)
	}
	return nil
}

// findings verifies the running server's database against its chain.
func (p *program) findings(ctx context.Context, _ url.Values) (any, error) {
	list := []app.Finding{}
	_, err := p.app.Verify(ctx, app.VerifyOptions{Sources: p.sources(), Report: func(f app.Finding) { list = append(list, f) }})
	return list, err
}

func (c *verifyCmd) print(w io.Writer, f app.Finding) {
	if c.JSON {
		_ = json.NewEncoder(w).Encode(f)
		return
	}
	printFinding(w, f)
}

// printFinding writes one line.
func printFinding(w io.Writer, f app.Finding) {
	switch {
	case f.Breach != "":
		fmt.Fprintf(w, "✗ %-24s %s\n", f.Name, f.Breach)
	case f.Skipped != "" && f.Checked == 0:
		fmt.Fprintf(w, "– %-24s not checked: %s\n", f.Name, f.Skipped)
	default:
		fmt.Fprintf(w, "✓ %-24s %d %s\n", f.Name, f.Checked, f.Of)
	}
}
