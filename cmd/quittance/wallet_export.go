package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/merchant"
)

type walletExport struct {
	place
	nodePlace
	Merchant string `help:"Name or id; all wallets when it is left out." placeholder:"WHO"`
	Asset    string `help:"Only the wallets of this asset." placeholder:"CODE"`
}

// ahead is how far beyond the highest index a search should go: a database that was
// put back from a backup passes over as many.
const ahead = 1000

// usualGap is how many unused addresses in a row wallets look at unless told
// otherwise (BIP 44).
const usualGap = 20

// exportRow is what somebody else needs to find a wallet's coins.
type exportRow struct {
	ID       string `json:"id"`
	Merchant string `json:"merchant"`
	Asset    string `json:"asset"`
	Network  string `json:"network"`
	Kind     string `json:"kind"`
	Origin   string `json:"origin,omitempty"`
	// Both is one descriptor of both branches (BIP 389), for wallets that know those.
	Both    string `json:"descriptor"`
	Receive string `json:"receiveDescriptor"`
	Change  string `json:"changeDescriptor"`
	// The highest indices handed out; -1 when none is.
	HighestReceive int64  `json:"highestIndex"`
	HighestChange  int64  `json:"highestChangeIndex"`
	BirthHeight    int64  `json:"birthHeight,omitempty"`
	BirthDay       string `json:"birthday,omitempty"`
	GapLimit       int64  `json:"gapLimit"`
	// Import are the requests of Bitcoin Core's importdescriptors.
	Import []importRequest `json:"importdescriptors,omitempty"`
}

// importRequest is one request of importdescriptors. It is not active: the node is to
// find coins, and to hand out no address that an invoice will have.
type importRequest struct {
	Desc      string   `json:"desc"`
	Timestamp int64    `json:"timestamp"`
	Active    bool     `json:"active"`
	Internal  bool     `json:"internal"`
	Range     [2]int64 `json:"range"`
}

// clients are the programs that take importdescriptors.
var clients = map[string]string{"BTC": "bitcoin-cli", "LTC": "litecoin-cli"}

// Run prints all about the wallets but keys.
func (c *walletExport) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := chosenWallets(ctx, a, c.Merchant, c.Asset)
	if err != nil {
		return err
	}
	sources := map[string]chain.Source{}
	if len(c.Node) > 0 {
		if sources, err = c.ask(ctx, a); err != nil {
			return err
		}
	}
	rows := []exportRow{}
	for _, w := range list {
		r, err := exportOf(ctx, a, w, sources[w.Asset])
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	return c.show(rows, func(out io.Writer) {
		for _, r := range rows {
			r.print(out)
		}
	})
}

// chosenWallets lists the wallets of a merchant, or of all, that are of an asset, or
// of any.
func chosenWallets(ctx context.Context, a *app.App, who, asset string) (list []*merchant.Wallet, err error) {
	id := ""
	if who != "" {
		m, err := a.FindMerchant(ctx, who)
		if err != nil {
			return nil, err
		}
		id = m.ID
	}
	all, err := a.Wallets(ctx, id)
	for _, w := range all {
		if asset == "" || w.Asset == strings.ToUpper(asset) {
			list = append(list, w)
		}
	}
	return list, err
}

func exportOf(ctx context.Context, a *app.App, w *merchant.Wallet, src chain.Source) (exportRow, error) {
	r := exportRow{ID: w.ID, Merchant: w.Merchant, Asset: w.Asset, Network: w.Network, Kind: w.Kind}
	of, err := bitcoin.Find(w.Asset, w.Network)
	if err != nil {
		return r, err
	}
	acc, err := accountOf(w, of)
	if err != nil {
		return r, err
	}
	next, change, err := a.WalletMarks(ctx, w.ID)
	if err != nil {
		return r, err
	}
	r.Origin, r.Both, r.Receive, r.Change = acc.Origin(), acc.BothDescriptor(), acc.Descriptor(), acc.ChangeDescriptor()
	r.HighestReceive, r.HighestChange = next-1, change-1
	r.GapLimit = max(next, change) + usualGap
	b, err := app.Dated(ctx, w.Born(), src)
	if err != nil {
		return r, err
	}
	if r.BirthHeight = b.Height; !b.At.IsZero() {
		r.BirthDay = b.At.UTC().Format(time.RFC3339)
	}
	if clients[w.Asset] != "" {
		r.Import = []importRequest{
			{Desc: r.Receive, Timestamp: since(b), Range: [2]int64{0, next + ahead}},
			{Desc: r.Change, Timestamp: since(b), Internal: true, Range: [2]int64{0, change + ahead}},
		}
	}
	return r, nil
}

// since is a birthday as nodes want it; 0 searches everything.
func since(b merchant.Birthday) int64 {
	if b.At.IsZero() {
		return 0
	}
	return b.At.Unix()
}

func (r *exportRow) print(w io.Writer) {
	fmt.Fprintf(w, "wallet      %s  %s on %s\n", r.ID, r.Asset, r.Network)
	fmt.Fprintf(w, "receiving   %s\nchange      %s\nboth        %s\n", r.Receive, r.Change, r.Both)
	fmt.Fprintf(w, "handed out  %s for receiving, %s for change\n", upTo(r.HighestReceive), upTo(r.HighestChange))
	switch {
	case r.BirthDay != "" && r.BirthHeight > 0:
		fmt.Fprintf(w, "birthday    block %d, %s\n", r.BirthHeight, r.BirthDay)
	case r.BirthDay != "":
		fmt.Fprintf(w, "birthday    %s\n", r.BirthDay)
	case r.BirthHeight > 0:
		fmt.Fprintf(w, "birthday    block %d; with --node its time is found out, until then all blocks are searched\n", r.BirthHeight)
	default:
		fmt.Fprintln(w, "birthday    not known, so all blocks are searched; `quittance wallet set --birthday` says it")
	}
	if client := clients[r.Asset]; client != "" {
		fmt.Fprintf(w, "\nIn a node's own wallet (it finds the coins, it cannot spend them):\n")
		requests, _ := json.Marshal(r.Import) // plain fields
		fmt.Fprintf(w, "  %s createwallet quittance-%s true true\n  %s -rpcwallet=quittance-%s importdescriptors '%s'\n", client, r.ID, client, r.ID, requests)
	}
	fmt.Fprintf(w, `
Wallets stop looking after %d unused addresses in a row, and unpaid invoices leave more.
Set the gap limit to %d before you trust a balance: in Sparrow under Settings, Advanced;
in Electrum by wallet.change_gap_limit(%d) in its console.
`, usualGap, r.GapLimit, r.GapLimit)
}

func upTo(highest int64) string {
	if highest < 0 {
		return "none"
	}
	return fmt.Sprintf("0 to %d", highest)
}
