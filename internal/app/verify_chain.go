package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// newestAddresses is how many of the addresses are derived again in one run.
const newestAddresses = 10_000

// creditBacked reads each booked payment again: its block is in the best chain,
// and, for those that blocks can still move, the block holds it.
func (v *verification) creditBacked(f *Finding) error {
	f.Of = "booked payments"
	if len(v.sources) == 0 {
		f.Skipped = "no chain can be asked from here"
		return nil
	}
	blocks := map[string]*chain.Block{}
	return v.view(func(tx *store.Tx) error {
		return tx.BookedCredits(func(c *invoice.Credit) error {
			src, ok := v.sources[c.Chain]
			if !ok || f.Breach != "" {
				return nil
			}
			f.Checked++
			hash, err := src.HashAt(v.ctx, c.Height)
			if err != nil && !errors.Is(err, chain.ErrNotFound) {
				return err
			}
			if hash != c.BlockHash {
				f.Breach = fmt.Sprintf("payment %s:%d is booked from block %s, which is not in the best chain", c.Outpoint.Txid, c.Outpoint.Vout, c.BlockHash)
				return nil
			}
			if c.Settled {
				return nil
			}
			b := blocks[hash]
			if b == nil {
				if b, err = src.Block(v.ctx, hash); err != nil {
					return err
				}
				blocks[hash] = b
			}
			if !paysAs(b, c) {
				f.Breach = fmt.Sprintf("payment %s:%d of %s %s is booked and is not in its block", c.Outpoint.Txid, c.Outpoint.Vout, c.Amount, c.Asset)
			}
			return nil
		})
	})
}

func paysAs(b *chain.Block, c *invoice.Credit) bool {
	for i := range b.Txs {
		if b.Txs[i].ID != c.Outpoint.Txid {
			continue
		}
		for _, p := range b.Txs[i].Payments {
			if p.Vout == c.Outpoint.Vout {
				return p.Amount.Cmp(c.Amount) == 0 && p.Asset == c.Asset
			}
		}
	}
	return false
}

// unspent asks the back ends for the coins that the books say are there.
func (v *verification) unspent(f *Finding) error {
	f.Of = "coins"
	for i := range v.Assets {
		asset := &v.Assets[i]
		var coins []chain.PlacedCoin
		err := v.view(func(tx *store.Tx) error {
			wallets, err := tx.Wallets("")
			if err != nil {
				return err
			}
			for _, w := range wallets {
				list, err := tx.SpendableCoins(w.ID)
				if err != nil {
					return err
				}
				for _, c := range list {
					if c.Chain == asset.Chain && c.State == store.CoinMined {
						coins = append(coins, chain.PlacedCoin{Outpoint: c.Outpoint, To: c.To, Block: c.Block})
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(coins) == 0 {
			continue
		}
		if asset.Sender == nil || v.sources[asset.Chain] == nil {
			f.Skipped = "no chain can be asked from here"
			continue
		}
		there, err := stillUnspent(v.ctx, asset.Sender, coins)
		if errors.Is(err, chain.ErrSyncing) {
			f.Skipped = err.Error()
			continue
		}
		if err != nil {
			return err
		}
		f.Checked += int64(len(coins))
		known := map[chain.Outpoint]bool{}
		for _, o := range there {
			known[o] = true
		}
		for _, o := range coins {
			if !known[o.Outpoint] && f.Breach == "" {
				f.Breach = fmt.Sprintf("coin %s:%d is in the books and not unspent on the chain", o.Txid, o.Vout)
			}
		}
	}
	return nil
}

// stillUnspent asks a back end which coins are there.
func stillUnspent(ctx context.Context, s chain.Sender, coins []chain.PlacedCoin) ([]chain.Outpoint, error) {
	if a, ok := s.(chain.Auditor); ok {
		return a.StillUnspent(ctx, coins)
	}
	list := make([]chain.Outpoint, len(coins))
	for i := range coins {
		list[i] = coins[i].Outpoint
	}
	return s.Unspent(ctx, list)
}

// addresses derives the newest addresses again.
func (v *verification) addresses(f *Finding) error {
	f.Of = fmt.Sprintf("addresses, the newest %d", newestAddresses)
	return v.view(func(tx *store.Tx) error {
		wallets, err := tx.Wallets("")
		if err != nil {
			return err
		}
		byID := map[string]chain.Account{}
		for _, w := range wallets {
			byID[w.ID] = chain.Account{XPub: w.XPub, Kind: w.Kind}
		}
		return tx.NewestAddresses(newestAddresses, func(destination string, o store.AddressOwner) error {
			f.Checked++
			asset, ok := v.Asset(o.Asset)
			acc, known := byID[o.Wallet]
			if !ok || f.Breach != "" {
				return nil
			}
			_, dest, err := asset.Keys.Address(acc.XPub, acc.Kind, o.Index)
			want, _ := hex.DecodeString(destination)
			if !known || err != nil || !bytes.Equal(dest, want) {
				f.Breach = fmt.Sprintf("the address of index %d of wallet %s is not the one that derives from it", o.Index, o.Wallet)
			}
			return nil
		})
	})
}

// statuses assesses each invoice that blocks can still move again: it must be
// where the rules put it.
func (v *verification) statuses(f *Finding) error {
	f.Of = "invoices with open payments"
	return v.view(func(tx *store.Tx) error {
		tips, err := tx.Tips()
		if err != nil {
			return err
		}
		for chainName := range tips {
			ids, err := tx.InvoicesWithOpenCredits(chainName)
			if err != nil {
				return err
			}
			for _, id := range ids {
				inv, err := tx.Invoice(id)
				if err != nil {
					return err
				}
				f.Checked++
				where, err := whereRulesPut(inv, tips, v.now())
				if err != nil {
					return err
				}
				if !slices.Contains(where, inv.Status) && f.Breach == "" {
					f.Breach = fmt.Sprintf("invoice %s is %s where its payments make it %s", id, inv.Status, where[0])
				}
			}
		}
		return nil
	})
}

// whereRulesPut finds where an invoice may stand: up to when the chain was read is
// known to who read it only, so its deadlines may have been seen to pass or not.
func whereRulesPut(inv *invoice.Invoice, tips map[string]int64, now time.Time) (where []invoice.Status, err error) {
	read := map[string]time.Time{}
	for chainName := range tips {
		read[chainName] = now
	}
	for _, at := range []map[string]time.Time{nil, read} {
		again := *inv
		again.Credits = slices.Clone(inv.Credits)
		if _, err := again.Assess(invoice.Facts{Now: now, Tips: tips, ReadAt: at}); err != nil {
			return nil, err
		}
		where = append(where, again.Status)
	}
	return where, nil
}

// bound holds the chains against the ones that the database has followed.
func (v *verification) bound(f *Finding) error {
	f.Of = "chains"
	for name, src := range v.sources {
		f.Checked++
		err := v.view(func(tx *store.Tx) error {
			c, err := tx.Cursor(name)
			if err == nil && (c.Genesis != src.Genesis() || c.Network != src.Network()) {
				f.Breach = (&WrongChainError{Chain: name, Have: c.Network + " " + c.Genesis, Got: src.Network() + " " + src.Genesis()}).Error()
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(v.sources) == 0 {
		f.Skipped = "no chain can be asked from here"
	}
	return nil
}
