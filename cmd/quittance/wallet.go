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
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/signer"
	"github.com/quittance/quittance/internal/merchant"
)

type walletCmd struct {
	Add           walletAdd         `cmd:"" help:"Give a merchant a wallet to receive with: an account key or descriptor of yours, or a new seed."`
	Set           walletSet         `cmd:"" help:"Change who signs for a merchant's wallet, or what is known of it."`
	List          walletList        `cmd:"" help:"List wallets with their descriptors and the highest index handed out."`
	Export        walletExport      `cmd:"" help:"Print what another wallet needs to find all coins: descriptors, the highest indices, the birthday."`
	Coins         walletCoins       `cmd:"" help:"List every unspent coin, and what it came from."`
	Label         walletLabel       `cmd:"" help:"Say what a coin is, for yourself."`
	Consolidate   walletConsolidate `cmd:"" help:"Make one coin of many small ones while the network is cheap."`
	Sweep         walletSweep       `cmd:"" help:"Empty an old wallet, by its words or private key, into a merchant's wallet here."`
	ConfirmBackup walletConfirm     `cmd:"" name:"confirm-backup" help:"Show that the words of a wallet are written down: type them once more."`
	Deposit       walletDeposit     `cmd:"" help:"Print a new address at which the merchant funds its ledger."`
}

type walletRow struct {
	ID         string `json:"id"`
	Merchant   string `json:"merchant"`
	Asset      string `json:"asset"`
	Network    string `json:"network"`
	Kind       string `json:"kind"`
	Origin     string `json:"origin,omitempty"` // [fingerprint/path] of the account key
	Descriptor string `json:"descriptor"`
	First      string `json:"firstAddress"`
	NextIndex  int64  `json:"nextIndex"`
	// BirthHeight and Birthday are before anything was paid to it; a rescan may begin there.
	BirthHeight int64  `json:"birthHeight,omitempty"`
	Birthday    string `json:"birthday,omitempty"`
	WatchOnly   bool   `json:"watchOnly"`
	Custody     string `json:"custody"` // watch-only, hot or signer
	Signer      string `json:"signer,omitempty"`
	Words       string `json:"words,omitempty"`
}

func walletRowOf(w *merchant.Wallet) (walletRow, error) {
	row := walletRow{ID: w.ID, Merchant: w.Merchant, Asset: w.Asset, Network: w.Network, Kind: w.Kind, NextIndex: w.NextIndex}
	if row.BirthHeight = w.Born().Height; !w.Born().At.IsZero() {
		row.Birthday = w.Born().At.UTC().Format(time.RFC3339)
	}
	row.Custody, row.Signer, row.WatchOnly = string(w.Custody()), w.Signer, w.Custody() == merchant.WatchOnly
	c, err := bitcoin.Find(w.Asset, w.Network)
	if err != nil {
		return row, err
	}
	acc, err := accountOf(w, c)
	if err != nil {
		return row, err
	}
	row.Descriptor, row.Origin = acc.Descriptor(), acc.Origin()
	row.First, _, err = acc.Address(0)
	return row, err
}

// accountOf is a wallet's account with what is known of its key.
func accountOf(w *merchant.Wallet, c *bitcoin.Chain) (*bitcoin.Account, error) {
	acc, err := bitcoin.ParseAccount(w.XPub, bitcoin.Kind(w.Kind), c)
	if err != nil {
		return nil, err
	}
	return acc.WithOrigin(w.Origin)
}

// signs says who does, for people.
func (r *walletRow) signs() string {
	if r.Signer != "" {
		return "signed by " + r.Signer
	}
	return r.Custody
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
	Merchant string  `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Asset    string  `help:"Of the wallet." default:"BTC"`
	Signer   string  `help:"Where the 'quittance signer' process answers that has the seed; none takes it away." placeholder:"unix:///PATH"`
	Origin   *string `help:"Where the account key comes from, for hardware signers: the master key's fingerprint and the path." placeholder:"[d34db33f/84h/0h/0h]"`
	Birthday string  `help:"Before anything was paid to it: a block's height or a day." placeholder:"HEIGHT|YYYY-MM-DD"`
}

// Run changes what is known of a wallet.
func (c *walletSet) Run(ctx context.Context) error {
	if c.Signer == "" && c.Origin == nil && c.Birthday == "" {
		return errors.New("nothing is changed: say --signer, --origin or --birthday")
	}
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	w, err := c.change(ctx, a, m)
	if err != nil {
		return plainly(err)
	}
	row, err := walletRowOf(w)
	if err != nil {
		return err
	}
	return c.show(row, func(out io.Writer) {
		if c.Signer != "" {
			fmt.Fprintf(out, "the %s wallet of %s is %s\n", w.Asset, m.Name, row.signs())
		}
		if c.Origin != nil || c.Birthday != "" {
			fmt.Fprintf(out, "the %s wallet of %s comes from %s, %s\n", w.Asset, m.Name, cmp.Or(row.Origin, "a key of unknown origin"), born(w.Born()))
		}
	})
}

func (c *walletSet) change(ctx context.Context, a *app.App, m *merchant.Merchant) (w *merchant.Wallet, err error) {
	asset := strings.ToUpper(c.Asset)
	if c.Birthday != "" {
		b, err := birthday(ctx, a, asset, c.Birthday)
		if err != nil {
			return nil, err
		}
		if w, err = a.SetWalletBirthday(ctx, m.ID, asset, b); err != nil {
			return nil, err
		}
	}
	if c.Origin != nil {
		if w, err = a.SetWalletOrigin(ctx, m.ID, asset, *c.Origin); err != nil {
			return nil, err
		}
	}
	if c.Signer == "" {
		return w, nil
	}
	return c.sign(ctx, a, m.ID, asset)
}

// sign gives a wallet to a signer.
func (c *walletSet) sign(ctx context.Context, a *app.App, merchantID, asset string) (*merchant.Wallet, error) {
	list, err := a.Wallets(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	address := ""
	for _, w := range list {
		if w.Asset == asset && c.Signer != "none" {
			if address, err = checkSigner(ctx, c.Signer, w.XPub, w.Kind); err != nil {
				return nil, err
			}
		}
	}
	w, err := a.SetWalletSigner(ctx, merchantID, asset, address)
	if err == nil && w.SealedSeed != "" && address != "" {
		fmt.Fprintln(os.Stderr, "its seed stays sealed in this database too: what must be out of the server's reach belongs into a wallet that `quittance signer init` made")
	}
	return w, err
}

// kindOf is the kind of account that was asked for, else the chain's usual one.
func kindOf(asked string, c *bitcoin.Chain) string { return cmp.Or(asked, string(c.Kinds[0])) }

// newSeed makes a seed and returns its public account, the seed sealed with the
// passphrase, and its words.
func newSeed(c *bitcoin.Chain, kind, passphrase string, work int) (acc *bitcoin.Account, sealed, words string, err error) {
	entropy := make([]byte, 32)
	rand.Read(entropy)
	if words, err = bitcoin.NewMnemonic(entropy); err != nil {
		return nil, "", "", err
	}
	seed, err := bitcoin.SeedFromMnemonic(words, "")
	if err != nil {
		return nil, "", "", err
	}
	if acc, err = bitcoin.AccountFromSeed(seed, bitcoin.Kind(kind), c, 0); err != nil {
		return nil, "", "", err
	}
	box, err := bitcoin.Seal(seed, passphrase, work)
	if err != nil {
		return nil, "", "", err
	}
	return acc, fmt.Sprintf("%x", box), words, nil
}

// newMerchant makes a merchant that can receive at once; for play money only,
// whose seed needs no secret passphrase.
func newMerchant(ctx context.Context, a *app.App, name string) (*merchant.Merchant, string, error) {
	acc, sealed, _, err := newSeed(bitcoin.Regtest, "bip84", sandboxPassphrase, 10)
	if err != nil {
		return nil, "", err
	}
	m, key, err := a.CreateMerchant(ctx, name, merchant.Settings{})
	if err != nil {
		return nil, "", err
	}
	_, err = a.OpenWallet(ctx, "BTC", merchant.Wallet{Merchant: m.ID, Kind: string(acc.Kind()), XPub: acc.XPub(), Origin: acc.Origin(), SealedSeed: sealed})
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
