package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node"
	"github.com/quittance/quittance/internal/doctor"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// doctorCmd looks an installation over. It reads the settings of serve.
type doctorCmd struct {
	serveCmd
}

// clockSources are asked for the time: web servers whose clocks are kept. The public
// URL is asked as well.
var clockSources = []string{"https://api.kraken.com", "https://api.coinbase.com", "https://www.ecb.europa.eu"}

// Run makes every check and ends with status 1 when something is broken.
func (c *doctorCmd) Run(ctx context.Context) error {
	// Opening a database in order to look at it must not make one.
	if file, ok := store.File(c.Database, c.Data); ok {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("there is no database at %s: say where the server's data is with --data", file)
		}
	}
	st, err := store.Open(ctx, c.Database, c.Data)
	if err != nil {
		return fmt.Errorf("the database cannot be opened: %w; that has to be mended first", err)
	}
	defer st.Close()
	print := func(f doctor.Finding) { printHealth(os.Stdout, f) }
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		print = func(f doctor.Finding) { _ = e.Encode(f) }
	}
	worst := doctor.Run(ctx, c.checks(st), print)
	if !c.JSON {
		fmt.Println(map[doctor.State]string{
			doctor.Fine: "Nothing is wrong.", doctor.Unknown: "Nothing that could be looked at is wrong.",
			doctor.Worse: "It works; the lines with ! are worth a look.", doctor.Broken: "The lines with ✗ need a hand.",
		}[worst])
	}
	if worst == doctor.Broken {
		return exitStatus(1)
	}
	return nil
}

func (c *doctorCmd) checks(st *store.Store) []doctor.Check {
	client := &http.Client{Timeout: 10 * time.Second}
	live := !c.Sandbox && c.Network == "main"
	list := []doctor.Check{
		{Part: "server", Look: func(ctx context.Context) []doctor.Finding { return doctor.Server(ctx, client, c.Listen) }},
		{Part: "chains", Look: func(ctx context.Context) []doctor.Finding { return doctor.Chains(ctx, client, c.Listen) }},
		{Part: "disk", Look: func(context.Context) []doctor.Finding { return doctor.Disk(c.Data) }},
	}
	if !c.Sandbox {
		list = append(list,
			doctor.Check{Part: "clock", Look: func(ctx context.Context) []doctor.Finding {
				urls := clockSources
				if c.PublicURL != "" {
					urls = append([]string{c.PublicURL + "/healthz"}, urls...)
				}
				return doctor.Clock(ctx, client, urls, time.Now)
			}},
			doctor.Check{Part: "public URL", Look: func(ctx context.Context) []doctor.Finding {
				return doctor.PublicURL(ctx, client, c.PublicURL, live, time.Now())
			}},
			doctor.Check{Part: "mail", Look: func(ctx context.Context) []doctor.Finding { return doctor.Mail(ctx, c.SMTP) }},
		)
	}
	if c.Rates == "live" {
		list = append(list, doctor.Check{Part: "prices", Look: func(ctx context.Context) []doctor.Finding {
			return doctor.Prices(ctx, client, feed.All())
		}})
	}
	list = append(list, c.nodeChecks(st)...)
	return append(list,
		doctor.Check{Part: "webhooks", Look: func(ctx context.Context) []doctor.Finding { return doctor.Lanes(ctx, st, time.Now()) }},
		doctor.Check{Part: "wallets", Look: func(ctx context.Context) []doctor.Finding {
			return doctor.Wallets(ctx, st, c.opens, c.HotMaxPayment > 0 && c.HotMaxDay > 0, live)
		}},
		doctor.Check{Part: "money out", Look: func(ctx context.Context) []doctor.Finding { return doctor.MoneyOut(ctx, st) }},
	)
}

func (c *doctorCmd) nodeChecks(st *store.Store) (list []doctor.Check) {
	p := &program{conf: &c.serveCmd, log: slog.New(slog.DiscardHandler)}
	p.conf.Light = false // the server itself says how the light client does
	chains, err := p.nodes()
	if err != nil {
		return []doctor.Check{{Part: "node", Look: func(context.Context) []doctor.Finding {
			return []doctor.Finding{{State: doctor.Broken, What: err.Error(), Do: "correct the setting"}}
		}}}
	}
	for _, f := range chains {
		list = append(list, doctor.Check{Part: "node", Look: func(ctx context.Context) []doctor.Finding {
			return doctor.Node(ctx, f.source.(*node.Node), st, time.Now())
		}})
	}
	return list
}

// opens reports whether a sealed seed opens with the passphrase that is set.
func (c *doctorCmd) opens(w *merchant.Wallet) bool {
	sealed, err := hex.DecodeString(w.SealedSeed)
	if err != nil {
		return false
	}
	for _, passphrase := range []string{c.SeedPassphrase, sandboxPassphrase} {
		if passphrase == "" || passphrase == sandboxPassphrase && w.Network != "regtest" {
			continue
		}
		if _, err := bitcoin.Open(sealed, passphrase); err == nil {
			return true
		}
	}
	return false
}

// printHealth writes one finding for people.
func printHealth(w io.Writer, f doctor.Finding) {
	sign := map[doctor.State]string{doctor.Fine: "✓", doctor.Unknown: "–", doctor.Worse: "!", doctor.Broken: "✗"}[f.State]
	fmt.Fprintf(w, "%s %-10s %s\n", sign, f.Part, f.What)
	if f.Do != "" {
		fmt.Fprintf(w, "  %-10s → %s\n", "", f.Do)
	}
}
