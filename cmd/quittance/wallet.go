package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/signer"
	"github.com/quittance/quittance/internal/merchant"
)

type walletCmd struct {
	Add           walletAdd     `cmd:"" help:"Give a merchant an account key to receive with."`
	Set           walletSet     `cmd:"" help:"Change who signs for a merchant's wallet."`
	List          walletList    `cmd:"" help:"List wallets with their descriptors and the highest index handed out."`
	ConfirmBackup walletConfirm `cmd:"" name:"confirm-backup" help:"Show that the words of a wallet are written down: type them once more."`
	Deposit       walletDeposit `cmd:"" help:"Print a new address at which the merchant funds its ledger."`
}

type walletAdd struct {
	place
	Merchant   string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset      string `help:"What it receives." default:"BTC"`
	Kind       string `help:"bip84 (native segwit), bip86 (taproot), bip49 (nested segwit) or bip44 (legacy). Default: what the key's spelling says, else the chain's usual one." enum:",bip44,bip49,bip84,bip86" default:"" placeholder:"KIND"`
	XPub       string `help:"Account key of a wallet you keep elsewhere: watch-only, or signed by --signer." name:"xpub" placeholder:"KEY"`
	Signer     string `help:"Where the 'quittance signer' process answers that has the seed." placeholder:"unix:///PATH"`
	Generate   bool   `help:"Make a new seed, print its 24 words once and keep it sealed."`
	Passphrase string `help:"Seals the new seed." env:"QUITTANCE_SEED_PASSPHRASE"`
}

type walletRow struct {
	ID         string `json:"id"`
	Merchant   string `json:"merchant"`
	Asset      string `json:"asset"`
	Network    string `json:"network"`
	Kind       string `json:"kind"`
	Descriptor string `json:"descriptor"`
	First      string `json:"firstAddress"`
	NextIndex  int64  `json:"nextIndex"`
	WatchOnly  bool   `json:"watchOnly"`
	Custody    string `json:"custody"` // watch-only, hot or signer
	Signer     string `json:"signer,omitempty"`
	Words      string `json:"words,omitempty"`
}

func walletRowOf(w *merchant.Wallet) (walletRow, error) {
	row := walletRow{ID: w.ID, Merchant: w.Merchant, Asset: w.Asset, Network: w.Network, Kind: w.Kind, NextIndex: w.NextIndex}
	row.Custody, row.Signer, row.WatchOnly = string(w.Custody()), w.Signer, w.Custody() == merchant.WatchOnly
	c, err := bitcoin.Find(w.Asset, w.Network)
	if err != nil {
		return row, err
	}
	acc, err := bitcoin.ParseAccount(w.XPub, bitcoin.Kind(w.Kind), c)
	if err != nil {
		return row, err
	}
	row.Descriptor = acc.Descriptor()
	row.First, _, err = acc.Address(0)
	return row, err
}

// signs says who does, for people.
func (r *walletRow) signs() string {
	if r.Signer != "" {
		return "signed by " + r.Signer
	}
	return r.Custody
}

func (c *walletAdd) Run(ctx context.Context) error {
	if c.Generate == (c.XPub != "") {
		return fmt.Errorf("say either --xpub KEY (watch-only) or --generate")
	}
	if c.Generate && len(c.Passphrase) < 12 {
		return fmt.Errorf("--generate needs a passphrase of at least 12 characters to seal the seed with: set QUITTANCE_SEED_PASSPHRASE")
	}
	if c.Signer != "" {
		if c.XPub == "" {
			return errors.New("--signer needs --xpub: the account key that `quittance signer init` printed")
		}
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
		return err
	}
	c.Kind = kindOf(c.Kind, c.XPub, of)
	if c.Signer != "" {
		if c.Signer, err = checkSigner(ctx, c.Signer, c.XPub, c.Kind); err != nil {
			return err
		}
	}
	xpub, sealed, words := c.XPub, "", ""
	if c.Generate {
		if xpub, sealed, words, err = newSeed(of, c.Kind, c.Passphrase, bitcoin.DefaultWorkFactor); err != nil {
			return err
		}
	}
	w, err := c.add(ctx, a, m, xpub, sealed)
	if err != nil {
		return err
	}
	row, err := walletRowOf(w)
	if err != nil {
		return err
	}
	row.Words = words
	return c.show(row, func(out io.Writer) {
		fmt.Fprintf(out, "%s receives %s on %s\ndescriptor     %s\nfirst address  %s — compare it with your wallet's\n", m.Name, w.Asset, w.Network, row.Descriptor, row.First)
		if c.Signer != "" {
			fmt.Fprintf(out, "signed by      %s\n", c.Signer)
		}
		if words != "" {
			fmt.Fprintf(out, "\nWrite these words down now; they are not shown again:\n  %s\n", words)
		}
	})
}

func (c *walletAdd) add(ctx context.Context, a *app.App, m *merchant.Merchant, xpub, sealed string) (*merchant.Wallet, error) {
	if c.Signer != "" {
		return a.AddSignerWallet(ctx, m.ID, strings.ToUpper(c.Asset), c.Kind, xpub, c.Signer)
	}
	return a.AddWallet(ctx, m.ID, strings.ToUpper(c.Asset), c.Kind, xpub, sealed)
}

// kindOf is the kind of account that was asked for, else what the key's spelling
// says, else the chain's usual one.
func kindOf(asked, xpub string, c *bitcoin.Chain) string {
	return cmp.Or(asked, string(bitcoin.KindOf(xpub)), string(c.Kinds[0]))
}

// checkSigner reads a signer's address and asks it whether it has the seed of an
// account. One that does not run now is taken at the operator's word.
func checkSigner(ctx context.Context, text, xpub, kind string) (address string, err error) {
	if address, err = signer.Address(text); err != nil {
		return "", err
	}
	client, err := signer.NewClient(address)
	if err != nil {
		return "", err
	}
	list, err := client.Status(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "not checked: %v\n", err)
		return address, nil
	}
	if !slices.ContainsFunc(list, func(w signer.WalletStatus) bool { return w.XPub == xpub && w.Kind == kind }) {
		return "", fmt.Errorf("the signer at %s has no %s wallet with this account key: `quittance signer init` prints the key of one that it has", address, kind)
	}
	return address, nil
}

type walletSet struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset    string `help:"Of the wallet." default:"BTC"`
	Signer   string `help:"Where the 'quittance signer' process answers that has the seed; none takes it away." required:"" placeholder:"unix:///PATH"`
}

// Run gives a wallet to a signer.
func (c *walletSet) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Wallets(ctx, m.ID)
	if err != nil {
		return err
	}
	address, asset := "", strings.ToUpper(c.Asset)
	for _, w := range list {
		if w.Asset == asset && c.Signer != "none" {
			if address, err = checkSigner(ctx, c.Signer, w.XPub, w.Kind); err != nil {
				return err
			}
		}
	}
	w, err := a.SetWalletSigner(ctx, m.ID, asset, address)
	if err != nil {
		return err
	}
	if w.SealedSeed != "" && address != "" {
		fmt.Fprintln(os.Stderr, "its seed stays sealed in this database too: what must be out of the server's reach belongs into a wallet that `quittance signer init` made")
	}
	row, err := walletRowOf(w)
	if err != nil {
		return err
	}
	return c.show(row, func(out io.Writer) { fmt.Fprintf(out, "the %s wallet of %s is %s\n", asset, m.Name, row.signs()) })
}

// newSeed makes a seed and returns its public account key, the seed sealed with
// the passphrase, and its words.
func newSeed(c *bitcoin.Chain, kind, passphrase string, work int) (xpub, sealed, words string, err error) {
	entropy := make([]byte, 32)
	rand.Read(entropy)
	if words, err = bitcoin.NewMnemonic(entropy); err != nil {
		return "", "", "", err
	}
	seed, err := bitcoin.SeedFromMnemonic(words, "")
	if err != nil {
		return "", "", "", err
	}
	acc, err := bitcoin.AccountFromSeed(seed, bitcoin.Kind(kind), c, 0)
	if err != nil {
		return "", "", "", err
	}
	box, err := bitcoin.Seal(seed, passphrase, work)
	if err != nil {
		return "", "", "", err
	}
	return acc.XPub(), fmt.Sprintf("%x", box), words, nil
}

// newMerchant makes a merchant that can receive at once; for play money only,
// whose seed needs no secret passphrase.
func newMerchant(ctx context.Context, a *app.App, name string) (*merchant.Merchant, string, error) {
	xpub, sealed, _, err := newSeed(bitcoin.Regtest, "bip84", sandboxPassphrase, 10)
	if err != nil {
		return nil, "", err
	}
	m, key, err := a.CreateMerchant(ctx, name, merchant.Settings{})
	if err != nil {
		return nil, "", err
	}
	_, err = a.AddWallet(ctx, m.ID, "BTC", "bip84", xpub, sealed)
	return m, key, err
}

type walletList struct {
	place
	Merchant string `help:"Name or id." placeholder:"WHO"`
}

func (c *walletList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	id := ""
	if c.Merchant != "" {
		m, err := a.FindMerchant(ctx, c.Merchant)
		if err != nil {
			return err
		}
		id = m.ID
	}
	list, err := a.Wallets(ctx, id)
	if err != nil {
		return err
	}
	rows := []walletRow{}
	for _, w := range list {
		r, err := walletRowOf(w)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %s  %s  %s  next index %d\n  %s\n", r.ID, r.Asset, r.Network, r.signs(), r.NextIndex, r.Descriptor)
		}
	})
}
