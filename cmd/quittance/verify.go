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
	if c.Node != "" {
		n, err := c.connect(ctx)
		if err != nil {
			return err
		}
		o.Sources, a.Assets[0].Sender = sources(n), n
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
	_, err := p.app.Verify(ctx, app.VerifyOptions{Sources: sources(p.source), Report: func(f app.Finding) { list = append(list, f) }})
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

// outgoingCmd is the switch for all money out.
type outgoingCmd struct {
	Status outgoingStatus `cmd:"" help:"Say whether money leaves, and if not, why."`
	Lock   outgoingLock   `cmd:"" help:"Let no money leave until it is unlocked."`
	Unlock outgoingUnlock `cmd:"" help:"Lift a lock, once you have looked at its reason."`
}

type outgoingStatus struct{ place }

func (c *outgoingStatus) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Locks(ctx)
	if err != nil {
		return err
	}
	type row struct {
		Reason string `json:"reason"`
		Detail string `json:"detail"`
		Since  string `json:"since"`
	}
	rows := []row{}
	for _, l := range list {
		rows = append(rows, row{l.Reason, l.Detail, l.At.Format("2006-01-02 15:04:05Z")})
	}
	return c.show(rows, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, "money leaves")
		}
		for _, r := range rows {
			fmt.Fprintf(w, "no money leaves: %s since %s\n  %s\n  `quittance outgoing unlock %s` lifts it\n", r.Reason, r.Since, r.Detail, r.Reason)
		}
	})
}

type outgoingLock struct {
	place
	Why string `arg:"" help:"A sentence for whoever looks." default:"an operator stopped it"`
}

func (c *outgoingLock) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.Lock(ctx, "operator", c.Why); err != nil {
		return err
	}
	return c.show(map[string]string{"locked": "operator"}, func(w io.Writer) { fmt.Fprintln(w, "no money leaves any more") })
}

type outgoingUnlock struct {
	place
	Reason string `arg:"" help:"As the status names it."`
}

func (c *outgoingUnlock) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.Unlock(ctx, c.Reason); err != nil {
		return err
	}
	return c.show(map[string]string{"unlocked": c.Reason}, func(w io.Writer) { fmt.Fprintln(w, "unlocked") })
}
