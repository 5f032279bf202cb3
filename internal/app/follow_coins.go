package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// seeChange records a payment to one of the wallets' destinations for change.
func (b *batch) seeChange(h Hit, block *chain.Block) error {
	to, err := b.tx.ChangeOwner(b.p.Chain, h.Payment.To)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.seeCoin(h, store.AddressOwner{Asset: h.Payment.Asset, Wallet: to.Wallet, Index: to.Index}, true, block)
}

// seeCoin records that an output of ours exists. It is the wallet's side of a
// payment; what it means to an invoice is the invoice's.
func (b *batch) seeCoin(h Hit, owner store.AddressOwner, change bool, block *chain.Block) error {
	state, ref := store.CoinPending, chain.Ref{}
	if block != nil {
		state, ref = store.CoinMined, block.Ref
	}
	out := chain.Outpoint{Txid: h.Tx.ID, Vout: h.Payment.Vout}
	c, err := b.tx.Coin(b.p.Chain, out)
	if errors.Is(err, store.ErrNotFound) {
		w, err := b.tx.Wallet(owner.Wallet)
		if err != nil {
			return err
		}
		b.added++
		return b.tx.AddCoin(&store.Coin{
			Coin: chain.Coin{
				Outpoint: out, Amount: h.Payment.Amount, To: h.Payment.To, Path: chain.Path{Change: change, Index: owner.Index},
			},
			Chain: b.p.Chain, Merchant: w.Merchant, Wallet: w.ID, Asset: h.Payment.Asset, Invoice: owner.Invoice,
			State: state, Block: ref, Created: b.now,
		})
	}
	if err != nil || c.State == state && c.Block == ref || block == nil && c.State == store.CoinMined {
		return err
	}
	if err := b.touch(c.Transfer); err != nil {
		return err
	}
	c.State, c.Block = state, ref
	return b.tx.SetCoin(c)
}

// spends records which of our coins transactions consume, waiting or in a block.
// What spent the same coin before has lost.
func (b *batch) spends(txs []*chain.Tx, block chain.Ref) error {
	for _, tx := range txs {
		for _, out := range tx.Spends {
			c, err := b.tx.Coin(b.p.Chain, out)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil {
				err = b.spend(c, tx, block)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batch) spend(c *store.Coin, tx *chain.Tx, block chain.Ref) error {
	switch {
	case c.SpentBy == tx.ID && c.SpentIn == block:
		return b.transferSeen(c, tx, block)
	case c.SpentIn.Hash != "" && block.Hash == "":
		return nil // a mined spend stands until its block leaves the chain
	case c.SpentBy != "" && c.SpentBy != tx.ID:
		if err := b.lose(c.SpentBy); err != nil {
			return err
		}
	}
	first := c.SpentBy != tx.ID
	c.SpentBy, c.SpentIn, c.Settled = tx.ID, block, false
	if err := b.tx.SetCoin(c); err != nil {
		return err
	}
	if err := b.transferSeen(c, tx, block); err != nil || !first {
		return err
	}
	return b.suspect(c, tx)
}

// foreign is the reason of the lock after a coin left that nobody else has keys of.
const foreign = "foreign"

// suspect stops all money out when a coin of a wallet that a signer of ours has the
// keys of is spent by a transaction that was never made here: either the database is
// older than the chain, and what waits in it may be paid already, or somebody else
// has the keys (threats, A2 and A7). Watch-only wallets are the merchant's to spend
// from.
func (b *batch) suspect(c *store.Coin, tx *chain.Tx) error {
	if c.Transfer != "" {
		m, err := b.transfer(c.Transfer)
		if err != nil || m.Find(tx.ID) >= 0 {
			return err
		}
	}
	w, err := b.tx.Wallet(c.Wallet)
	if err != nil || w.Custody() == merchant.WatchOnly {
		return err
	}
	locks, err := b.tx.OutgoingLocks()
	if err != nil || slices.ContainsFunc(locks, func(l store.OutgoingLock) bool { return l.Reason == restored }) {
		return err // it is known already that the database is behind
	}
	b.app.Log.Error("a coin left that was not spent here; no money leaves until this is looked at: `quittance outgoing status`", "wallet", w.ID, "transaction", tx.ID)
	return b.tx.LockOutgoing(store.OutgoingLock{Reason: foreign, At: b.now, Detail: fmt.Sprintf(
		"transaction %s spends %s:%d of wallet %s and was not made here: if the whole machine was put back from a backup, what waits may be paid already, so look at each payment; else somebody has the wallet's keys; if it was you, unlock",
		tx.ID, c.Txid, c.Vout, w.ID)})
}

// undoCoins takes back what a block that left the best chain did to our coins.
func (b *batch) undoCoins(hash string) error {
	list, err := b.tx.CoinsInBlock(b.p.Chain, hash)
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := b.app.unbookStranger(b.tx, c, c.Block.Hash == hash, c.SpentIn.Hash == hash, b.now); err != nil {
			return err
		}
		if c.Block.Hash == hash {
			c.State, c.Block = store.CoinPending, chain.Ref{}
		}
		if c.SpentIn.Hash == hash {
			c.SpentIn = chain.Ref{}
			if err := b.transferUndone(c.Transfer, hash); err != nil {
				return err
			}
		}
		c.Settled = false
		if err := b.tx.SetCoin(c); err != nil {
			return err
		}
	}
	return nil
}

// loseCoins forgets a transaction that can no longer confirm: what it made is
// gone, and so is what was made of that; what it spent is there again.
func (b *batch) loseCoins(txid string) error {
	made, err := b.tx.CoinsOf(b.p.Chain, txid)
	if err != nil {
		return err
	}
	for _, c := range made {
		if c.State != store.CoinPending {
			continue
		}
		c.State = store.CoinGone
		if err := b.tx.SetCoin(c); err != nil {
			return err
		}
		if err := b.touch(c.Transfer); err != nil {
			return err
		}
		if c.SpentBy != "" {
			if err := b.lose(c.SpentBy); err != nil {
				return err
			}
		}
	}
	spent, err := b.tx.CoinsSpentBy(b.p.Chain, txid)
	if err != nil {
		return err
	}
	for _, c := range spent {
		if c.SpentIn.Hash != "" {
			continue
		}
		c.SpentBy, c.Settled = "", false
		if err := b.tx.SetCoin(c); err != nil {
			return err
		}
	}
	return nil
}
