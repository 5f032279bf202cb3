package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// walletConfirm has somebody show that a wallet's words are written down.
type walletConfirm struct {
	place
	Wallet string `help:"Id of the wallet; not needed while there is one with a seed here." placeholder:"ID"`
}

// Run reads the words from the terminal or standard input and holds them against the
// wallet's key. They are not kept.
func (c *walletConfirm) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Wallets(ctx, "")
	if err != nil {
		return err
	}
	w, err := c.pick(list)
	if err != nil {
		return err
	}
	words, err := secretLine("Words of the wallet, in one line: ")
	if err != nil {
		return err
	}
	seed, err := bitcoin.SeedFromMnemonic(strings.Join(strings.Fields(words), " "), "")
	if err != nil {
		return err
	}
	of, err := bitcoin.Find(w.Asset, w.Network)
	if err != nil {
		return err
	}
	acc, err := bitcoin.AccountFromSeed(seed, bitcoin.Kind(w.Kind), of, 0)
	if err != nil {
		return err
	}
	if acc.XPub() != w.XPub {
		return fmt.Errorf("these are the words of another wallet: look for those of %s, or move its money to a new wallet while its seed still opens here", w.ID)
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error { return tx.ConfirmBackup(w.ID, time.Now()) })
	if err != nil {
		return err
	}
	return c.show(map[string]string{"wallet": w.ID}, func(out io.Writer) {
		fmt.Fprintf(out, "these are the words of the %s wallet %s; keep them where no fire and no thief gets at them\n", w.Asset, w.ID)
	})
}

// pick finds the wallet that is meant among those whose seed is sealed here.
func (c *walletConfirm) pick(list []*merchant.Wallet) (*merchant.Wallet, error) {
	var found []*merchant.Wallet
	for _, w := range list {
		if w.SealedSeed != "" && (c.Wallet == "" || w.ID == c.Wallet) {
			found = append(found, w)
		}
	}
	switch {
	case len(found) == 0 && c.Wallet != "":
		return nil, fmt.Errorf("no wallet %q has its seed sealed here: `quittance wallet list` shows them", c.Wallet)
	case len(found) == 0:
		return nil, errors.New("no wallet has its seed sealed here: there is nothing to write down")
	case len(found) > 1:
		return nil, errors.New("several wallets have their seeds sealed here: say which with --wallet; `quittance wallet list` shows them")
	}
	return found[0], nil
}
