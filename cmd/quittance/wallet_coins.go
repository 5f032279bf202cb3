package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/merchant"
)

type walletCoins struct {
	place
	Merchant string `help:"Name or id; all wallets when it is left out." placeholder:"WHO"`
	Asset    string `help:"Only coins of this asset." placeholder:"CODE"`
	BIP329   bool   `help:"Print the labels as other wallets import them (BIP 329, JSON lines)." name:"bip329"`
}

// coinRow is an unspent coin for people.
type coinRow struct {
	Coin          string `json:"coin"` // txid:vout
	Wallet        string `json:"wallet"`
	Asset         string `json:"asset"`
	Amount        string `json:"amount"` // smallest units
	Confirmations int64  `json:"confirmations"`
	Address       string `json:"address"`
	Path          string `json:"path"` // below the account: 0/7 for receiving, 1/7 for change
	From          string `json:"from"` // invoice, change, deposit or unapplied
	Invoice       string `json:"invoice,omitempty"`
	Booked        bool   `json:"booked"` // it is in the books, so it can be spent
	ReservedFor   string `json:"reservedFor,omitempty"`
	Label         string `json:"label,omitempty"`
}

func rowOfCoin(c *app.Coin) coinRow {
	return coinRow{
		Coin: fmt.Sprintf("%s:%d", c.Txid, c.Vout), Wallet: c.Wallet, Asset: c.Asset, Amount: c.Amount.String(), Confirmations: c.Depth,
		Address: c.Address, Path: pathText(c.Path), From: string(c.Source), Invoice: c.Invoice, Booked: c.In, ReservedFor: c.Reserved, Label: c.Label,
	}
}

func pathText(p chain.Path) string {
	if p.Change {
		return fmt.Sprintf("1/%d", p.Index)
	}
	return fmt.Sprintf("0/%d", p.Index)
}

// Run lists coins.
func (c *walletCoins) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := chosenWallets(ctx, a, c.Merchant, c.Asset)
	if err != nil {
		return err
	}
	if c.BIP329 {
		return printLabels(ctx, a, list, os.Stdout)
	}
	rows := []coinRow{}
	for _, w := range list {
		coins, err := a.Coins(ctx, w)
		if err != nil {
			return err
		}
		for i := range coins {
			rows = append(rows, rowOfCoin(&coins[i]))
		}
	}
	return c.show(rows, func(out io.Writer) {
		for _, r := range rows {
			r.print(out)
		}
	})
}

func (r *coinRow) print(w io.Writer) {
	depth := "waits for a block"
	if r.Confirmations > 0 {
		depth = fmt.Sprintf("%d deep", r.Confirmations)
	}
	fmt.Fprintf(w, "%s  %s %s  %s\n  %s  %s  from %s %s", r.Coin, r.Amount, r.Asset, depth, r.Path, r.Address, r.From, r.Invoice)
	if r.ReservedFor != "" {
		fmt.Fprintf(w, "  reserved for transfer %s", r.ReservedFor)
	}
	if r.Label != "" {
		fmt.Fprintf(w, "\n  “%s”", r.Label)
	}
	fmt.Fprintln(w)
}

// label329 is a line of BIP 329 about an output.
type label329 struct {
	Type  string `json:"type"`
	Ref   string `json:"ref"`
	Label string `json:"label"`
}

// printLabels writes the labels of wallets' coins, spent ones too.
func printLabels(ctx context.Context, a *app.App, wallets []*merchant.Wallet, w io.Writer) error {
	lines := []label329{}
	for _, wallet := range wallets {
		labels, err := a.LabelsOf(ctx, wallet)
		if err != nil {
			return err
		}
		for o, label := range labels {
			lines = append(lines, label329{"output", fmt.Sprintf("%s:%d", o.Txid, o.Vout), label})
		}
	}
	slices.SortFunc(lines, func(a, b label329) int { return cmp.Compare(a.Ref, b.Ref) })
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

type walletLabel struct {
	place
	Asset string `help:"Of the coin." default:"BTC"`
	Coin  string `arg:"" help:"Transaction and output, as 'quittance wallet coins' prints them." placeholder:"TXID:VOUT"`
	Text  string `arg:"" help:"What it is; empty takes the label away."`
}

// Run labels a coin.
func (c *walletLabel) Run(ctx context.Context) error {
	txid, vout, ok := strings.Cut(c.Coin, ":")
	n, err := strconv.ParseUint(vout, 10, 32)
	if !ok || err != nil || len(txid) != 64 {
		return fmt.Errorf("%q is not a coin: it is written TXID:VOUT", c.Coin)
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	asset, ok := a.Asset(strings.ToUpper(c.Asset))
	if !ok {
		return fmt.Errorf("asset %q is not one that can be received on this network", c.Asset)
	}
	o := chain.Outpoint{Txid: strings.ToLower(txid), Vout: uint32(n)}
	if err := a.LabelCoin(ctx, asset, o, c.Text); err != nil {
		return err
	}
	return c.show(map[string]string{"coin": c.Coin, "label": c.Text}, func(w io.Writer) {
		if c.Text == "" {
			fmt.Fprintln(w, "the coin has no label any more")
			return
		}
		fmt.Fprintf(w, "%s is “%s”\n", c.Coin, c.Text)
	})
}

// walletOf finds a merchant's wallet of an asset.
func walletOf(ctx context.Context, a *app.App, merchantID, asset string) (*merchant.Wallet, error) {
	list, err := a.Wallets(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(w *merchant.Wallet) bool { return w.Asset == strings.ToUpper(asset) })
	if i < 0 {
		return nil, fmt.Errorf("the merchant has no %s wallet: `quittance wallet add` gives it one", strings.ToUpper(asset))
	}
	return list[i], nil
}
