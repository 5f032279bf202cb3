package main

import (
	"context"
	"fmt"
	"io"
)

// outgoingCmd is the switch for all money out.
type outgoingCmd struct {
	Status    outgoingStatus    `cmd:"" help:"Say whether money leaves, and if not, why."`
	Lock      outgoingLock      `cmd:"" help:"Let no money leave until it is unlocked."`
	Reconcile outgoingReconcile `cmd:"" help:"Teach a database that was put back from a backup what was paid since."`
	Unlock    outgoingUnlock    `cmd:"" help:"Lift a lock, once you have looked at its reason."`
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

type outgoingReconcile struct{ place }

// Run reconciles and prints what would leave next: some of it may have been
// withdrawn in the time that was forgotten.
func (c *outgoingReconcile) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := a.Reconcile(ctx)
	if err != nil {
		return err
	}
	return c.show(r, func(w io.Writer) {
		fmt.Fprintf(w, "%d payments out that were forgotten are known again\n", len(r.Recalled))
		for _, id := range r.Recalled {
			fmt.Fprintf(w, "  transfer %s\n", id)
		}
		fmt.Fprintf(w, "%d wait to leave; look whether each is still wanted, then `quittance outgoing unlock restored`\n", len(r.Due))
		for _, d := range r.Due {
			fmt.Fprintf(w, "  %s\n", d)
		}
	})
}
