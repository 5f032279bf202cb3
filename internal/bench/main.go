package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	bin      string        // the program under test
	dir      string        // scratch
	round    time.Duration // length of one measured round
	rounds   int           // of each figure; the median counts
	invoices int           // rows behind the lists
	rows     []row
}

// row is one line of the table.
type row struct {
	what   string
	ours   string
	floor  string
	ratio  float64 // 0: none
	target string
	ok     bool
}

func main() {
	var b bench
	floor := flag.String("floor", "", "internal: serve the floor on this data folder")
	only := flag.String("only", "", "measure only what has this in its name")
	flag.StringVar(&b.bin, "bin", "bin/quittance", "the program")
	flag.DurationVar(&b.round, "round", 2*time.Second, "length of one measured round")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds of each figure; the median counts")
	flag.IntVar(&b.invoices, "invoices", 1_000_000, "invoices behind the lists")
	flag.Parse()
	if *floor != "" {
		serveFloor(*floor)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, only string) error {
	dir, err := os.MkdirTemp("", "quittance-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"start", b.start}, {"requests", b.requests}, {"match", b.match}, {"light", b.light}, {"catch-up", b.catchUp}, {"books", b.books}, {"payouts", b.payouts}, {"webhooks", b.webhooks}, {"lists", b.lists},
	} {
		if !strings.Contains(part.name, only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s…\n", part.name)
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	b.print()
	return nil
}

// add notes a figure. A target of 0 has none; below says that the ratio must
// stay below it instead of reaching it.
func (b *bench) add(r row) { b.rows = append(b.rows, r) }

func (b *bench) print() {
	fmt.Printf("%-44s %22s %22s %7s  %s\n", "figure", "ours", "floor", "ratio", "to reach")
	for _, r := range b.rows {
		ratio, mark := "", ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.2f", r.ratio)
		}
		if r.target != "" {
			mark = "missed"
			if r.ok {
				mark = "reached"
			}
		}
		fmt.Printf("%-44s %22s %22s %7s  %s %s\n", r.what, r.ours, r.floor, ratio, r.target, mark)
	}
}
