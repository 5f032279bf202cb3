package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// CoinSource says what an unspent coin came from.
type CoinSource string

// A coin was paid to an invoice, is the rest of a payment out, was deposited by the
// merchant, or is a deposit that had no price and waits for a decision.
const (
	FromInvoice   CoinSource = "invoice"
	FromChange    CoinSource = "change"
	FromDeposit   CoinSource = "deposit"
	FromUnapplied CoinSource = "unapplied"
)

// Coin is an unspent coin with what an operator wants to know of it.
type Coin struct {
	*store.Coin
	Address string
	Depth   int64 // confirmations; 0 while it waits
	Source  CoinSource
	Label   string
	// Reserved is the transfer that is to spend it, empty for none.
	Reserved string
}

// Coins lists a wallet's unspent coins, the oldest first; those that wait are last.
func (a *App) Coins(ctx context.Context, w *merchant.Wallet) (list []Coin, err error) {
	asset, ok := a.Asset(w.Asset)
	if !ok {
		return nil, fmt.Errorf("asset %q is not enabled", w.Asset)
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		coins, err := tx.UnspentCoins(w.ID)
		if err != nil {
			return err
		}
		labels, err1 := tx.CoinLabels(asset.Chain)
		tips, err2 := tx.Tips()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		list = nil
		for _, c := range coins {
			k := Coin{Coin: c, Label: labels[c.Outpoint], Reserved: c.Transfer}
			if k.Confirmed {
				k.Depth = tips[asset.Chain] - c.Block.Height + 1
			}
			if k.Source, err = sourceOf(tx, c); err != nil {
				return err
			}
			if k.Address, _, err = ownAddress(asset, w, c.Path); err != nil {
				return err
			}
			list = append(list, k)
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b Coin) int { return int(b.Depth - a.Depth) })
	return list, err
}

// sourceOf tells what made a coin. At a destination for change that may also be
// somebody who knows its address; what a deposit was booked as says whether it was
// credited.
func sourceOf(tx *store.Tx, c *store.Coin) (CoinSource, error) {
	if c.Invoice != "" {
		return FromInvoice, nil
	}
	if c.Path.Change {
		_, err := tx.TransferOf(c.Chain, c.Txid)
		if !errors.Is(err, store.ErrNotFound) {
			return FromChange, err
		}
	}
	if c.EntryIn == "" {
		return FromDeposit, nil
	}
	e, err := tx.Entry(c.EntryIn)
	if err == nil && slices.ContainsFunc(e.Postings, func(p ledger.Posting) bool { return p.Account == ledger.Unapplied }) {
		return FromUnapplied, nil
	}
	return FromDeposit, err
}

func ownAddress(asset *Asset, w *merchant.Wallet, p chain.Path) (string, []byte, error) {
	return asset.Spending.Own(chain.Account{XPub: w.XPub, Kind: w.Kind}, p)
}

// maxLabel is how long a label may be, in bytes (BIP 329 advises 255 characters).
const maxLabel = 255

// LabelCoin says what a coin is; an empty text takes the label away. The coin has to
// be one that a wallet has or had.
func (a *App) LabelCoin(ctx context.Context, asset *Asset, o chain.Outpoint, label string) error {
	label = strings.TrimSpace(label)
	if len(label) > maxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, unicode.IsControl) {
		return fmt.Errorf("a label is one line of at most %d bytes", maxLabel)
	}
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Coin(asset.Chain, o)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("no wallet here has or had the coin %s:%d: `quittance wallet coins` lists them", o.Txid, o.Vout)
		}
		if err != nil {
			return err
		}
		return tx.SetCoinLabel(asset.Chain, o, label, a.now())
	})
}

// LabelsOf reads the labels of a wallet's coins, spent ones too.
func (a *App) LabelsOf(ctx context.Context, w *merchant.Wallet) (labels map[chain.Outpoint]string, err error) {
	asset, ok := a.Asset(w.Asset)
	if !ok {
		return nil, fmt.Errorf("asset %q is not enabled", w.Asset)
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.CoinLabels(asset.Chain)
		if err != nil {
			return err
		}
		labels = map[chain.Outpoint]string{}
		for o, label := range all {
			c, err := tx.Coin(asset.Chain, o)
			if err != nil {
				return err
			}
			if c.Wallet == w.ID {
				labels[o] = label
			}
		}
		return nil
	})
	return labels, err
}
