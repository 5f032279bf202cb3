package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
)

// controlName is the file in the data folder that says where a running sandbox
// is moved.
const controlName = "sandbox-control.json"

type controlFile struct {
	URL    string `json:"url"`
	Public string `json:"public"`
}

type sandboxCmd struct {
	Status      sandboxStatus      `cmd:"" help:"Where the chain stands."`
	Pay         sandboxPay         `cmd:"" help:"Pay an address from the faucet."`
	Mine        sandboxMine        `cmd:"" help:"Mine blocks."`
	Replace     sandboxReplace     `cmd:"" help:"Replace an unconfirmed payment (BIP 125)."`
	Doublespend sandboxDoublespend `cmd:"" help:"Mine a block that spends a payment's coins elsewhere."`
	Reorg       sandboxReorg       `cmd:"" help:"Replace the last blocks by a longer branch."`
	Invalidate  sandboxInvalidate  `cmd:"" help:"Take the last blocks off the chain."`
}

// controlPlace says which running server is meant.
type controlPlace struct {
	Data string `help:"Data folder of the running server (${default})." default:"quittance-data" env:"QUITTANCE_DATA" placeholder:"DIR"`
	URL  string `help:"Its control address; default: as the data folder says." name:"control-url" placeholder:"URL"`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (p controlPlace) client() (*control.Client, error) {
	if p.URL != "" {
		return &control.Client{URL: p.URL}, nil
	}
	b, err := os.ReadFile(filepath.Join(p.Data, controlName))
	if err != nil {
		return nil, fmt.Errorf("no sandbox runs on %s: start it with `quittance serve --sandbox --data %s`", p.Data, p.Data)
	}
	var f controlFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", controlName, err)
	}
	return &control.Client{URL: f.URL}, nil
}

func (p controlPlace) do(ctx context.Context, what string, in any) error {
	c, err := p.client()
	if err != nil {
		return err
	}
	var st *control.Status
	if what == "status" {
		st, err = c.Status(ctx)
	} else {
		st, err = c.Do(ctx, what, in)
	}
	if err != nil {
		return err
	}
	return place{JSON: p.JSON}.show(st, func(w io.Writer) {
		if st.Txid != "" {
			fmt.Fprintf(w, "transaction %s\n", st.Txid)
		}
		fmt.Fprintf(w, "height %d  %s\nmempool %d  faucet %s (%s sat)\n", st.Height, st.Hash, st.Mempool, st.Faucet, st.Balance)
	})
}

type sandboxStatus struct{ controlPlace }

func (c *sandboxStatus) Run(ctx context.Context) error { return c.do(ctx, "status", nil) }

type sandboxPay struct {
	controlPlace
	Address     string `arg:"" help:"Where to."`
	Amount      uint64 `arg:"" name:"satoshi" help:"How much, in whole satoshi."`
	FeeRate     uint64 `help:"Satoshi per virtual byte." default:"2"`
	Replaceable bool   `help:"Signal that the payment may be replaced." default:"true" negatable:""`
}

func (c *sandboxPay) Run(ctx context.Context) error {
	return c.do(ctx, "pay", control.Pay{Address: c.Address, Amount: c.Amount, FeeRate: c.FeeRate, Replaceable: c.Replaceable})
}

type sandboxMine struct {
	controlPlace
	Blocks int `arg:"" optional:"" default:"1" help:"How many."`
}

func (c *sandboxMine) Run(ctx context.Context) error {
	return c.do(ctx, "mine", control.Mine{Blocks: c.Blocks})
}

type sandboxReplace struct {
	controlPlace
	Txid    string `arg:"" help:"The payment to replace."`
	Address string `help:"Where the money goes instead; default: back to the faucet." placeholder:"ADDRESS"`
	Amount  uint64 `help:"Satoshi." default:"0"`
	FeeRate uint64 `help:"Satoshi per virtual byte." default:"0"`
}

func (c *sandboxReplace) request() control.Replace {
	return control.Replace{Txid: c.Txid, Address: c.Address, Amount: c.Amount, FeeRate: c.FeeRate}
}

func (c *sandboxReplace) Run(ctx context.Context) error { return c.do(ctx, "replace", c.request()) }

type sandboxDoublespend struct{ sandboxReplace }

func (c *sandboxDoublespend) Run(ctx context.Context) error {
	return c.do(ctx, "doublespend", c.request())
}

type sandboxReorg struct {
	controlPlace
	Depth int      `arg:"" help:"How many blocks are replaced."`
	Extra int      `help:"How many blocks longer than the least the branch is." default:"0"`
	Drop  []string `help:"Transactions that vanish." placeholder:"TXID"`
	Keep  bool     `help:"Leave the abandoned transactions in the mempool."`
}

func (c *sandboxReorg) Run(ctx context.Context) error {
	return c.do(ctx, "reorg", control.Reorg{Depth: c.Depth, Extra: c.Extra, Drop: c.Drop, Keep: c.Keep})
}

type sandboxInvalidate struct {
	controlPlace
	Depth int `arg:"" help:"How many blocks."`
}

func (c *sandboxInvalidate) Run(ctx context.Context) error {
	return c.do(ctx, "invalidate", control.Reorg{Depth: c.Depth})
}
