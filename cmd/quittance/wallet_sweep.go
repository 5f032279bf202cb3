package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/internal/chain/bitcoin/sweep"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

type walletSweep struct {
	place
	nodePlace
	Merchant   string  `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset      string  `help:"What the old wallet holds." default:"BTC"`
	Passphrase bool    `help:"Its words have a passphrase of their own (BIP 39): it is asked for, or on the second line of standard input." name:"with-passphrase"`
	Accounts   int     `help:"How many accounts of a seed to look at." default:"1" placeholder:"N"`
	Gap        int     `help:"How many unused addresses in a row end the search." default:"20" placeholder:"N"`
	Birthday   string  `help:"Before anything was paid to it, for nodes that cannot search what is unspent: a block's height or a day." placeholder:"HEIGHT|YYYY-MM-DD"`
	Rate       feeRate `help:"Fee rate in satoshi per virtual byte; 0 asks for an estimate." name:"sweep-fee-rate" default:"0" placeholder:"RATE"`
	Yes        bool    `help:"Send it. Without this it is only shown."`
}

// sweepRow is a sweep for people.
type sweepRow struct {
	Asset   string      `json:"asset"`
	Amount  string      `json:"amount"` // that arrives, smallest units
	Fee     string      `json:"fee"`
	VSize   int64       `json:"vsize"`
	Inputs  []sweepCoin `json:"inputs"`
	Left    []sweepCoin `json:"left,omitempty"` // not worth their fee, or too many for one transaction
	Address string      `json:"address,omitempty"`
	Txid    string      `json:"txid,omitempty"`
	State   string      `json:"state"` // shown, kept, sent or refused
	Why     string      `json:"why,omitempty"`
}

type sweepCoin struct {
	Coin   string `json:"coin"`
	Amount string `json:"amount"`
	Path   string `json:"path"` // kind, branch and index in the old wallet
}

// oldWallet is what a sweep works with.
type oldWallet struct {
	*app.App
	merchant *merchant.Merchant
	wallet   *merchant.Wallet
	asset    *app.Asset
	chain    *bitcoin.Chain
	keys     *sweep.Old
	coins    []sweep.Coin
	rate     uint64
}

// Run empties an old wallet.
func (c *walletSweep) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	o := &oldWallet{App: a, merchant: m}
	if o.wallet, err = walletOf(ctx, a, m.ID, c.Asset); err != nil {
		return err
	}
	o.asset, _ = a.Asset(o.wallet.Asset)
	if o.chain, err = bitcoin.Find(o.asset.Code, o.asset.Network); err != nil {
		return plainly(err)
	}
	if c.Accounts < 1 || c.Accounts > 100 || c.Gap < sweep.Gap || c.Gap > 10_000 {
		return fmt.Errorf("--accounts is from 1 to 100, and --gap from %d to 10,000", sweep.Gap)
	}
	hideMemory()
	if o.keys, err = c.read(o.chain); err != nil {
		return err
	}
	if err := c.search(ctx, o); err != nil {
		return plainly(err)
	}
	if err := a.CheckSweep(ctx, o.asset.Chain, sweep.Outpoints(o.coins)); err != nil {
		return err
	}
	row, err := c.make(ctx, o)
	if err != nil {
		return err
	}
	return c.show(row, row.print)
}

// read takes the secret from the terminal or from standard input, never from the
// command line, which other users of the machine see.
func (c *walletSweep) read(of *bitcoin.Chain) (*sweep.Old, error) {
	in := bufio.NewReader(os.Stdin)
	line := func(prompt string) (string, error) {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			return secretLine(prompt)
		}
		text, err := in.ReadString('\n')
		if text == "" {
			return "", errors.Join(errors.New("nothing came from standard input: the words, or the key, are expected there"), notEnd(err))
		}
		return strings.TrimRight(text, "\r\n"), nil
	}
	secret, err := line("The old wallet's words, or its private key (xprv or WIF): ")
	if err != nil {
		return nil, err
	}
	passphrase := ""
	if c.Passphrase {
		if passphrase, err = line("The passphrase of these words: "); err != nil {
			return nil, err
		}
	}
	return sweep.Open(secret, passphrase, c.Accounts, of)
}

// search finds the old wallet's coins and the network's fee rate.
func (c *walletSweep) search(ctx context.Context, o *oldWallet) (err error) {
	running, runs := (controlPlace{Data: c.Data}).client()
	if runs == nil {
		err = searchSandbox(ctx, o, running, c.Gap)
	} else {
		err = c.searchNode(ctx, o)
	}
	if c.Rate > 0 {
		o.rate = uint64(c.Rate)
	}
	return err
}

func (c *walletSweep) searchNode(ctx context.Context, o *oldWallet) error {
	sources, err := c.ask(ctx, o.App)
	if err != nil {
		return err
	}
	src := sources[o.asset.Code]
	finder, ok := src.(chain.Finder)
	if src == nil || !ok || o.asset.Sender == nil {
		return fmt.Errorf("name a node of %s with --node: the old wallet's coins are searched for there", o.chain.Name)
	}
	var b merchant.Birthday
	if c.Birthday != "" {
		if b, err = birthday(ctx, o.App, o.asset.Code, c.Birthday); err != nil {
			return err
		}
	}
	from, err := app.BirthHeight(ctx, b, src)
	if err != nil {
		return err
	}
	if c.Birthday == "" {
		finder = noBlocks{finder}
	}
	if o.coins, err = o.keys.Coins(ctx, sweep.On(finder, src, from, c.Gap)); err != nil {
		return err
	}
	// What a waiting transaction spends already is left out.
	free, err := o.asset.Sender.Unspent(ctx, sweep.Outpoints(o.coins))
	if err != nil {
		return err
	}
	o.coins = slices.DeleteFunc(o.coins, func(k sweep.Coin) bool { return !slices.Contains(free, k.Outpoint) })
	o.rate, err = o.asset.Sender.FeeRate(ctx, sweepWithin)
	return err
}

// noBlocks keeps a node that cannot search what is unspent from being asked for every
// block there ever was, which takes days on a main network.
type noBlocks struct{ chain.Finder }

func (n noBlocks) FindCoins(ctx context.Context, scripts [][]byte) ([]chain.Found, error) {
	found, err := n.Finder.FindCoins(ctx, scripts)
	if errors.Is(err, chain.ErrNoScan) {
		err = errors.New("this node cannot search what is unspent, so its blocks have to be read one by one: say with --birthday from when on")
	}
	return found, err
}

// sweepWithin is how many blocks the fee of a sweep is meant for.
const sweepWithin = 6

// foundThere is what the running sandbox answers.
type foundThere struct {
	sweep.Finding
	Rate uint64 `json:"rate"`
}

// askedAtOnce is how many destinations fit into one question.
const askedAtOnce = 200

// searchSandbox asks the running sandbox: for destinations only, no key leaves this
// process.
func searchSandbox(ctx context.Context, o *oldWallet, running *control.Client, gap int) (err error) {
	find := func(ctx context.Context, scripts [][]byte) (*sweep.Finding, error) {
		all := &sweep.Finding{}
		for part := range slices.Chunk(scripts, askedAtOnce) {
			list := make([]string, len(part))
			for i, s := range part {
				list[i] = hex.EncodeToString(s)
			}
			var got foundThere
			if err := running.Ask(ctx, "find?"+url.Values{"to": {strings.Join(list, ",")}}.Encode(), &got); err != nil {
				return nil, err
			}
			all.Coins, all.Used, all.Tip, o.rate = append(all.Coins, got.Coins...), append(all.Used, got.Used...), got.Tip, got.Rate
		}
		return all, nil
	}
	o.coins, err = o.keys.Coins(ctx, sweep.Search{Find: find, First: gap, Gap: gap})
	return err
}

// find answers a running sandbox's operator: what lies at destinations, and what the
// network asks for.
func (p *program) find(ctx context.Context, q url.Values) (any, error) {
	var scripts [][]byte
	for text := range strings.SplitSeq(q.Get("to"), ",") {
		s, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	f, err := sweep.Walk(ctx, p.play.source, 0, scripts)
	if err != nil {
		return nil, err
	}
	ops := make([]chain.Outpoint, len(f.Coins))
	for i, k := range f.Coins {
		ops[i] = k.Outpoint
	}
	free, err := p.play.chain.Unspent(ctx, ops)
	if err != nil {
		return nil, err
	}
	f.Coins = slices.DeleteFunc(f.Coins, func(k chain.Found) bool { return !slices.Contains(free, k.Outpoint) })
	rate, err := p.play.chain.FeeRate(ctx, sweepWithin)
	return foundThere{*f, rate}, err
}

// make builds the transaction and, when that was said, stores and sends it.
func (c *walletSweep) make(ctx context.Context, o *oldWallet) (*sweepRow, error) {
	to, err := c.destination(ctx, o)
	if err != nil {
		return nil, err
	}
	script, err := o.asset.Spending.Destination(to)
	if err != nil {
		return nil, err
	}
	t, err := o.keys.Build(o.coins, script, o.rate)
	if err != nil {
		return nil, err
	}
	row := &sweepRow{Asset: o.asset.Code, Amount: t.Amount.String(), Fee: t.Fee.String(), VSize: t.VSize, Inputs: rowsOf(t.Inputs), Left: rowsOf(t.Left), State: "shown"}
	if !c.Yes {
		return row, nil
	}
	s := &store.Sweep{
		Chain: o.asset.Chain, Txid: t.ID, Merchant: o.merchant.ID, Wallet: o.wallet.ID, Address: to,
		Amount: t.Amount, Fee: t.Fee, Inputs: int64(len(t.Inputs)), Raw: t.Raw,
	}
	if err := o.KeepSweep(ctx, s); err != nil {
		return nil, err
	}
	// Without a node here the server sends it.
	err = o.SendSweep(ctx, s)
	row.Address, row.Txid, row.State, row.Why = to, t.ID, string(s.State), s.Problem
	return row, err
}

// destination is a new address of the merchant's wallet, or, when nothing is sent, one
// of the same kind.
func (c *walletSweep) destination(ctx context.Context, o *oldWallet) (string, error) {
	if c.Yes && len(o.coins) > 0 {
		return o.DepositAddress(ctx, o.merchant, o.asset.Code)
	}
	addr, _, err := o.asset.Keys.Address(o.wallet.XPub, o.wallet.Kind, 0)
	return addr, err
}

func rowsOf(coins []sweep.Coin) []sweepCoin {
	rows := make([]sweepCoin, len(coins))
	for i, k := range coins {
		rows[i] = sweepCoin{fmt.Sprintf("%s:%d", k.Txid, k.Vout), k.Amount.String(), k.Path()}
	}
	return rows
}

func (r *sweepRow) print(w io.Writer) {
	for _, k := range r.Inputs {
		fmt.Fprintf(w, "%s  %s %s  %s\n", k.Coin, k.Amount, r.Asset, k.Path)
	}
	for _, k := range r.Left {
		fmt.Fprintf(w, "%s  %s %s  %s  stays: it costs more than it brings, or there is no room for it\n", k.Coin, k.Amount, r.Asset, k.Path)
	}
	fmt.Fprintf(w, "%d coins bring %s %s (smallest units); the network gets %s for %d vB\n", len(r.Inputs), r.Amount, r.Asset, r.Fee, r.VSize)
	switch {
	case r.State == "shown":
		fmt.Fprintln(w, "Nothing was sent. Say --yes to send it to a new address of the wallet here.")
	case r.State == string(store.SweepRefused):
		fmt.Fprintf(w, "transaction %s: %s\n", r.Txid, r.Why)
	case r.State == string(store.SweepKept):
		fmt.Fprintf(w, "transaction %s to %s is stored, and the server sends it %s\n", r.Txid, r.Address, r.Why)
	default:
		fmt.Fprintf(w, "transaction %s to %s was sent; it is credited like a deposit after six confirmations\n", r.Txid, r.Address)
	}
}

// notEnd is a fault of reading; that there is no more is none.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
