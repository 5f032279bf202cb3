package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/message"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
)

const defaultData = "quittance-data"

// place says which database a command works on.
type place struct {
	Data     string `help:"Data folder (${default})." default:"quittance-data" env:"QUITTANCE_DATA" placeholder:"DIR"`
	Database string `help:"Database: postgres://…, or a file's path. Default: quittance.db in the data folder." env:"QUITTANCE_DATABASE" placeholder:"URL"`
	JSON     bool   `help:"Print JSON." name:"json"`
}

// open opens the database that is there, for a command that ends at once.
func (p place) open(ctx context.Context) (*app.App, func(), error) {
	if file, ok := store.File(p.Database, p.Data); ok {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("there is no database at %s: say where the server's data is with --data, or start one with `quittance serve --sandbox --data %s`", file, p.Data)
		}
	}
	return p.openOrMake(ctx)
}

// openOrMake opens the database, and makes one where there is none.
func (p place) openOrMake(ctx context.Context) (*app.App, func(), error) {
	st, err := store.Open(ctx, p.Database, p.Data)
	if err != nil {
		return nil, nil, err
	}
	network, err := networkOf(ctx, st)
	if err != nil {
		st.Close()
		return nil, nil, err
	}
	j := &journal{data: p.Data}
	a := app.New(app.Config{Store: st, Journal: j, Assets: assets(network), Rates: feed.Static(rate.Fixed(time.Now())), AllowHTTP: network == "regtest", Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	return a, func() {
		st.Close()
		_ = j.close()
	}, nil
}

// openFor opens the database and finds the merchant that the operator means.
func (p place) openFor(ctx context.Context, which string) (*app.App, *merchant.Merchant, func(), error) {
	a, done, err := p.open(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := a.FindMerchant(ctx, which)
	if err != nil {
		done()
		return nil, nil, nil, err
	}
	return a, m, done, nil
}

// networkOf is the network that the database has followed so far; regtest is
// the sandbox's.
func networkOf(ctx context.Context, st *store.Store) (string, error) {
	network := "regtest"
	err := st.View(ctx, func(tx *store.Tx) error {
		for _, code := range bitcoin.Codes() {
			c, err := tx.Cursor(code)
			if errors.Is(err, store.ErrNotFound) {
				continue // no server has followed it here yet
			}
			network = c.Network
			return err
		}
		return nil
	})
	return network, err
}

// assets lists everything that can be dealt in on a network.
func assets(network string) (list []app.Asset) {
	for _, code := range bitcoin.Codes() {
		if c, err := bitcoin.Find(code, network); err == nil {
			list = append(list, assetOf(c))
		}
	}
	return list
}

// assetOf is a chain as the operations see it.
func assetOf(c *bitcoin.Chain) app.Asset {
	return app.Asset{
		Code: c.Code, Chain: c.Code, Network: c.Network, Keys: bitcoin.NewKeys(c), Unconfirmed: true,
		LowFeeRate: float64(c.RelayFee) / 1000, Depths: invoice.Depths{Medium: c.Confirmed, Credit: c.Complete, Trust: invoice.DefaultTrust}, Spending: spending.New(c), Messages: message.New(c),
	}
}

// show prints v as JSON, or calls human.
func (p place) show(v any, human func(w io.Writer)) error {
	if !p.JSON {
		human(os.Stdout)
		return nil
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // a descriptor has <0;1> in it, and nobody shows this as a page
	return e.Encode(v)
}

// tomlConfig reads a configuration file: the keys are the flags' names, the
// tables the commands'. A key that no flag has is refused.
func tomlConfig(r io.Reader) (kong.Resolver, error) {
	values := map[string]any{}
	if _, err := toml.NewDecoder(r).Decode(&values); err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	return tomlResolver(values), nil
}

type tomlResolver map[string]any

// Validate refuses keys that nothing reads: they are mistakes of the operator.
func (t tomlResolver) Validate(root *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(root, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			known[f.Name] = true
		}
		return next(nil)
	})
	for key, v := range t {
		if _, table := v.(map[string]any); table {
			return fmt.Errorf("the configuration file has a table [%s]; its keys are plain names such as listen", key)
		}
		if !known[key] {
			return fmt.Errorf("the configuration file has the key %q, which is not a setting; `quittance serve --help` lists them", key)
		}
	}
	return nil
}

func (t tomlResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := t[flag.Name]
	if !ok {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if os.Getenv(name) != "" {
			return nil, nil // the environment wins
		}
	}
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i, p := range list {
			parts[i] = fmt.Sprint(p)
		}
		return strings.Join(parts, ","), nil
	}
	return fmt.Sprint(v), nil
}
