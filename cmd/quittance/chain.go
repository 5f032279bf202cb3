package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/store"
)

// chainCmd looks after the chains that a server follows, through its database.
type chainCmd struct {
	Status chainStatusCmd `cmd:"" help:"Show how far the chains were followed, and rescans."`
	Rescan chainRescanCmd `cmd:"" help:"Look back through blocks that were followed already, for payments to addresses that were not known then. The running server does it."`
}

// chainStatusCmd shows how far the chains were followed.
type chainStatusCmd struct{ place }

// rescanShown is a rescan as it is printed.
type rescanShown struct {
	ID    string `json:"id"`
	Chain string `json:"chain"`
	From  int64  `json:"from"`
	Next  int64  `json:"next"`
	To    int64  `json:"to"`
	State string `json:"state"`
	Found int64  `json:"found"`
}

func showRescan(r *store.Rescan) rescanShown {
	return rescanShown{r.ID, r.Chain, r.From, r.Next, r.To, r.State, r.Found}
}

func (r rescanShown) String() string {
	if r.State == store.RescanDone {
		return fmt.Sprintf("%s: rescanned from %d to %d, payments found: %d", r.Chain, r.From, r.To, r.Found)
	}
	all := max(r.To-r.From+1, 1)
	return fmt.Sprintf("%s: rescan at %d of %d (%d %%), payments found: %d", r.Chain, r.Next, r.To, (r.Next-r.From)*100/all, r.Found)
}

// Run prints both.
func (c *chainStatusCmd) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	chains, err := a.Positions(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(chains, func(x, y app.Position) int { return strings.Compare(x.Chain, y.Chain) })
	list, err := a.Rescans(ctx, 10)
	if err != nil {
		return err
	}
	type chainShown struct {
		Chain   string    `json:"chain"`
		Network string    `json:"network"`
		Height  int64     `json:"height"`
		Hash    string    `json:"hash"`
		At      time.Time `json:"at"`
	}
	out := struct {
		Chains  []chainShown  `json:"chains"`
		Rescans []rescanShown `json:"rescans"`
	}{[]chainShown{}, []rescanShown{}}
	for _, p := range chains {
		out.Chains = append(out.Chains, chainShown{p.Chain, p.Network, p.Block.Height, p.Block.Hash, p.At})
	}
	for _, r := range list {
		out.Rescans = append(out.Rescans, showRescan(r))
	}
	return c.show(out, func(w io.Writer) {
		if len(out.Chains) == 0 {
			fmt.Fprintln(w, "no chain was followed yet")
		}
		for _, p := range out.Chains {
			fmt.Fprintf(w, "%s (%s): followed to height %d\n", p.Chain, p.Network, p.Height)
		}
		for _, r := range out.Rescans {
			fmt.Fprintln(w, r)
		}
	})
}

// chainRescanCmd asks for a rescan and shows how it goes.
type chainRescanCmd struct {
	place
	Chain  string `help:"Which chain." default:"BTC"`
	From   int64  `help:"Height of the first block to read." required:"" placeholder:"HEIGHT"`
	NoWait bool   `help:"Return at once; the server goes on." name:"no-wait"`
}

const (
	rescanPoll = 500 * time.Millisecond
	rescanTell = 5 * time.Second
)

// Run returns when the rescan is done.
func (c *chainRescanCmd) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := a.StartRescan(ctx, strings.ToUpper(c.Chain), c.From)
	if err != nil {
		return err
	}
	told := time.Time{}
	for r.State == store.RescanRunning && !c.NoWait {
		if now := time.Now(); !c.JSON && now.Sub(told) >= rescanTell {
			told = now
			fmt.Fprintln(os.Stderr, showRescan(r))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the server goes on with the rescan: `quittance chain status` shows it", ctx.Err())
		case <-time.After(rescanPoll):
		}
		if r, err = a.Rescan(ctx, r.ID); err != nil {
			return err
		}
	}
	return c.show(showRescan(r), func(w io.Writer) { fmt.Fprintln(w, showRescan(r)) })
}
