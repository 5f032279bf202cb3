package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/merchant"
)

type walletAdd struct {
	place
	Merchant   string   `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset      string   `help:"What it receives." default:"BTC"`
	Kind       string   `help:"bip84 (native segwit), bip86 (taproot), bip49 (nested segwit) or bip44 (legacy). Default: what the key's spelling or the descriptor says, else the chain's usual one." enum:",bip44,bip49,bip84,bip86" default:"" placeholder:"KIND"`
	XPub       string   `help:"Account of a wallet you keep elsewhere, watch-only or signed by --signer: its key (xpub, ypub, zpub), or its descriptor." name:"xpub" placeholder:"KEY"`
	Descriptor []string `help:"The same as a descriptor, such as wpkh([d34db33f/84h/0h/0h]xpub…/<0;1>/*); give it twice for one of receiving and one of change." sep:"none" placeholder:"TEXT"`
	Origin     string   `help:"Where a bare key comes from, for hardware signers: the master key's fingerprint and the path." placeholder:"[d34db33f/84h/0h/0h]"`
	Birthday   string   `help:"Before anything was paid to it: a block's height or a day." placeholder:"HEIGHT|YYYY-MM-DD"`
	NextIndex  int64    `help:"The first address that was never used elsewhere: those before it are passed over." name:"next-index" default:"0" placeholder:"N"`
	DryRun     bool     `help:"Show what would be added, and add nothing."`
	Signer     string   `help:"Where the 'quittance signer' process answers that has the seed." placeholder:"unix:///PATH"`
	Generate   bool     `help:"Make a new seed, print its 24 words once and keep it sealed."`
	Passphrase string   `help:"Seals the new seed." env:"QUITTANCE_SEED_PASSPHRASE"`
}

// addedRow is a new wallet with what its owner compares.
type addedRow struct {
	walletRow
	Receive []string `json:"receiveAddresses"` // the first three
	Change  string   `json:"changeAddress"`    // the first
	Doubts  []string `json:"doubts,omitempty"`
	Added   bool     `json:"added"`
}

// maxNextIndex keeps the addresses of a wallet where a search can reach them.
const maxNextIndex = 1_000_000

// given is the account as the operator wrote it.
func (c *walletAdd) given() string {
	return strings.TrimSpace(strings.Join(append([]string{c.XPub}, c.Descriptor...), "\n"))
}

func (c *walletAdd) check() error {
	switch given := c.given(); {
	case c.XPub != "" && len(c.Descriptor) > 0:
		return errors.New("say either --xpub or --descriptor: both name the account")
	case c.Generate == (given != ""):
		return errors.New("say either --xpub KEY or --descriptor TEXT (watch-only), or --generate")
	case c.Generate && (c.DryRun || c.Origin != "" || c.Birthday != "" || c.NextIndex != 0):
		return errors.New("--dry-run, --origin, --birthday and --next-index are about a wallet that is there already; --generate makes one")
	case c.NextIndex < 0 || c.NextIndex > maxNextIndex:
		return fmt.Errorf("--next-index is from 0 to %d", maxNextIndex)
	case c.Generate && len(c.Passphrase) < leastPassphrase:
		return errors.New("--generate needs a passphrase of at least 12 characters to seal the seed with: set QUITTANCE_SEED_PASSPHRASE")
	case c.Signer != "" && c.Generate:
		return errors.New("--signer needs --xpub: the account key that `quittance signer init` printed")
	}
	return nil
}

// Run adds a wallet.
func (c *walletAdd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	asset, ok := a.Asset(strings.ToUpper(c.Asset))
	if !ok {
		return fmt.Errorf("asset %q is not one that can be received on this network", c.Asset)
	}
	of, err := bitcoin.Find(asset.Code, asset.Network)
	if err != nil {
		return plainly(err)
	}
	w := &merchant.Wallet{Merchant: m.ID, Asset: asset.Code, Network: asset.Network}
	acc, words, err := c.account(ctx, a, of, w)
	if err != nil {
		return plainly(err)
	}
	if err := a.CheckWallet(ctx, w); err != nil {
		return err
	}
	if !c.DryRun {
		if w, err = a.OpenWallet(ctx, asset.Code, *w); err != nil {
			return plainly(err)
		}
	}
	return c.report(m, w, acc, words)
}

// account fills in what a wallet is made of: the account as it was given, or a new
// one.
func (c *walletAdd) account(ctx context.Context, a *app.App, of *bitcoin.Chain, w *merchant.Wallet) (acc *bitcoin.Account, words string, err error) {
	if c.Generate {
		acc, w.SealedSeed, words, err = newSeed(of, kindOf(c.Kind, of), c.Passphrase, bitcoin.DefaultWorkFactor)
	} else {
		acc, err = c.imported(of)
	}
	if err != nil {
		return nil, "", err
	}
	if c.Signer != "" {
		if w.Signer, err = checkSigner(ctx, c.Signer, acc.XPub(), string(acc.Kind())); err != nil {
			return nil, "", err
		}
	}
	if c.Birthday != "" {
		if w.Birth, err = birthday(ctx, a, of.Code, c.Birthday); err != nil {
			return nil, "", err
		}
	}
	w.Kind, w.XPub, w.Origin, w.NextIndex = string(acc.Kind()), acc.XPub(), acc.Origin(), c.NextIndex
	return acc, words, nil
}

func (c *walletAdd) imported(of *bitcoin.Chain) (*bitcoin.Account, error) {
	acc, err := bitcoin.Import(c.given(), bitcoin.Kind(c.Kind), of)
	if err != nil || c.Origin == "" {
		return acc, err
	}
	with, err := acc.WithOrigin(c.Origin)
	if err == nil && acc.Origin() != "" && acc.Origin() != with.Origin() {
		err = fmt.Errorf("--origin says %s and the descriptor says %s: leave --origin out", with.Origin(), acc.Origin())
	}
	return with, err
}

// compared is how many addresses are shown for comparison.
const compared = 3

func (c *walletAdd) report(m *merchant.Merchant, w *merchant.Wallet, acc *bitcoin.Account, words string) error {
	row := addedRow{Doubts: acc.Doubts(), Added: !c.DryRun}
	var err error
	if row.walletRow, err = walletRowOf(w); err != nil {
		return err
	}
	row.Words = words
	for i := range uint32(compared) {
		addr, _, err := acc.Address(i)
		if err != nil {
			return err
		}
		row.Receive = append(row.Receive, addr)
	}
	if row.Change, _, err = acc.Change(0); err != nil {
		return err
	}
	if w.Custody() == merchant.WatchOnly && row.Origin == "" {
		row.Doubts = append(row.Doubts, "where the key comes from is not known, and hardware signers find their key by it: add it with `quittance wallet set --origin [FINGERPRINT/PATH]`")
	}
	return c.show(row, func(out io.Writer) { row.print(out, m.Name) })
}

func (r *addedRow) print(out io.Writer, who string) {
	verb := "receives"
	if !r.Added {
		verb = "would receive"
	}
	fmt.Fprintf(out, "%s %s %s on %s\ndescriptor     %s\n", who, verb, r.Asset, r.Network, r.Descriptor)
	fmt.Fprintf(out, "receives at    %s\nchange at      %s\n", strings.Join(r.Receive, "\n               "), r.Change)
	if r.Words == "" {
		fmt.Fprintln(out, "Compare these addresses with those that your wallet shows; if one differs, this is another wallet.")
	}
	if r.Signer != "" {
		fmt.Fprintf(out, "signed by      %s\n", r.Signer)
	}
	for _, d := range r.Doubts {
		fmt.Fprintf(out, "note           %s\n", d)
	}
	if r.Words != "" {
		fmt.Fprintf(out, "\nWrite these words down now; they are not shown again:\n  %s\n", r.Words)
	}
}

// firstBlock is the day of Bitcoin's block 0; no chain of the family is older.
var firstBlock = time.Date(2009, 1, 3, 0, 0, 0, 0, time.UTC)

// birthday reads a block's height or a day.
func birthday(ctx context.Context, a *app.App, asset, text string) (b merchant.Birthday, err error) {
	if height, err := strconv.ParseInt(text, 10, 64); err == nil {
		known, err := a.FollowedTo(ctx, asset)
		switch {
		case err != nil:
			return b, err
		case height < 0 || known > 0 && height > known:
			return b, fmt.Errorf("--birthday: there is no block %d yet; the chain was followed up to %d", height, known)
		}
		return merchant.Birthday{Height: height}, nil
	}
	b.At, err = time.Parse(time.DateOnly, text)
	if err != nil || b.At.Before(firstBlock) || b.At.After(a.Now()) {
		return b, fmt.Errorf("--birthday: %q is neither a block's height nor a past day such as 2023-11-30", text)
	}
	return b, nil
}

// born says when a wallet was, for people.
func born(b merchant.Birthday) string {
	var parts []string
	if b.Height > 0 {
		parts = append(parts, fmt.Sprintf("block %d", b.Height))
	}
	if !b.At.IsZero() {
		parts = append(parts, b.At.Format(time.DateOnly))
	}
	return "born " + cmp.Or(strings.Join(parts, ", "), "nobody knows when")
}

// plainly is an error without the name of the package that found it.
func plainly(err error) error {
	if text := err.Error(); strings.HasPrefix(text, "bitcoin: ") {
		return errors.New(strings.TrimPrefix(text, "bitcoin: "))
	}
	return err
}
