package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// bookTransfer makes the books say what is so about a transfer: once it is sent,
// what was reserved and the network's cost have left the wallet; a replacement
// changes the cost; a lost one brings all of it back. The caller stores it.
func (a *App) bookTransfer(tx *store.Tx, t *transfer.Transfer, now time.Time) error {
	att, left := t.Attempt(), t.State == transfer.Sent || t.State == transfer.Confirmed
	if left == t.Booked.Sent && (!left || att.Txid == t.Booked.Txid) {
		return nil
	}
	e := ledger.New(ledger.Sent, fmt.Sprintf("transfer/%s/%d", t.ID, t.Booked.N+1), t.Merchant, now)
	e.Refs, e.AllowDeficit = ledger.Refs{Transfer: t.ID}, true
	if left {
		e.Refs.Txid = att.Txid
	}
	if left != t.Booked.Sent {
		orders, err := tx.OrdersIn(t.ID)
		if err != nil {
			return err
		}
		for _, o := range orders {
			bookOrder(e, o, left)
		}
	}
	fee := money.Units{}
	if left {
		fee = att.Fee
	}
	more, err := fee.Delta().Sub(t.Booked.Fee.Delta())
	if err != nil {
		return err
	}
	e.Post(ledger.NetworkPaid, t.Asset, more).Post(ledger.WalletAccount(t.Wallet), t.Asset, more.Neg())
	if len(e.Postings) > 0 {
		if err := a.post(tx, e); err != nil {
			return err
		}
		t.Booked.N++
	}
	if err := a.moveCoins(tx, t, left, now); err != nil {
		return err
	}
	t.Booked.Sent, t.Booked.Txid, t.Booked.Fee = left, "", fee
	if left {
		t.Booked.Txid = att.Txid
	}
	return nil
}

// bookOrder adds what one order takes out of the reserve and out of the wallet,
// or brings back.
func bookOrder(e *ledger.Entry, o *transfer.Order, left bool) {
	signed := func(u money.Units) money.Delta {
		if left {
			return u.Delta()
		}
		return u.Delta().Neg()
	}
	e.Post(ledger.Reserved, o.Currency, signed(o.Value))
	if o.Currency != o.Asset {
		e.Post(ledger.Exchange, o.Currency, signed(o.Value).Neg())
		e.Post(ledger.Exchange, o.Asset, signed(o.Gross))
	}
	e.Post(ledger.WalletAccount(o.Wallet), o.Asset, signed(o.Amount()).Neg())
	e.Post(ledger.NetworkCharged, o.Asset, signed(o.Kept).Neg())
}

// moveCoins notes which coins the booked attempt took and made, after those of
// the attempt that was booked before are put back.
func (a *App) moveCoins(tx *store.Tx, t *transfer.Transfer, left bool, now time.Time) error {
	if i := t.Find(t.Booked.Txid); t.Booked.Sent && i >= 0 {
		if err := a.untake(tx, t, &t.Attempts[i], t.Booked.Txid); err != nil {
			return err
		}
	}
	if !left {
		return a.freeTaken(tx, t)
	}
	att := t.Attempt()
	for _, in := range att.Inputs {
		c, err := tx.Coin(t.Chain, in.Outpoint)
		if err != nil {
			return fmt.Errorf("input %s:%d: %w", in.Txid, in.Vout, err)
		}
		c.Out, c.Transfer, c.Settled = true, t.ID, false
		if err := tx.SetCoin(c); err != nil {
			return err
		}
	}
	return a.makeChange(tx, t, att, now)
}

// makeChange counts the change in as soon as the transaction is out: it is ours,
// and the next payment may need it.
func (a *App) makeChange(tx *store.Tx, t *transfer.Transfer, att *transfer.Attempt, now time.Time) error {
	if att.Change < 0 {
		return nil
	}
	out := chain.Outpoint{Txid: att.Txid, Vout: uint32(att.Change)}
	c, err := tx.Coin(t.Chain, out)
	if errors.Is(err, store.ErrNotFound) {
		o := att.Outputs[att.Change]
		return tx.AddCoin(&store.Coin{
			Coin:  chain.Coin{Outpoint: out, Amount: o.Amount, To: o.To, Path: chain.Path{Change: true, Index: att.ChangeIndex}},
			Chain: t.Chain, Merchant: t.Merchant, Wallet: t.Wallet, Asset: t.Asset, State: store.CoinPending, In: true, Created: now,
		})
	}
	if err != nil {
		return err
	}
	// A database that was put back has taken it for a deposit.
	if err := a.unbookStranger(tx, c, true, false, now); err != nil {
		return err
	}
	c.In = true
	if c.State == store.CoinGone {
		c.State = store.CoinPending
	}
	return tx.SetCoin(c)
}

// untake puts back what was booked of an attempt under an id, which may have changed.
func (a *App) untake(tx *store.Tx, t *transfer.Transfer, att *transfer.Attempt, txid string) error {
	for _, in := range att.Inputs {
		c, err := tx.Coin(t.Chain, in.Outpoint)
		if err != nil {
			return err
		}
		c.Out = false
		if err := tx.SetCoin(c); err != nil {
			return err
		}
	}
	if att.Change < 0 {
		return nil
	}
	c, err := tx.Coin(t.Chain, chain.Outpoint{Txid: txid, Vout: uint32(att.Change)})
	if err != nil {
		return err
	}
	c.In = false
	if c.State == store.CoinPending {
		c.State = store.CoinGone
	}
	return tx.SetCoin(c)
}

// freeTaken lets go of the inputs that a foreign transaction has spent: they are
// the merchant's own withdrawal. The others stay with the transfer, so that a new
// attempt conflicts with the old ones if it can.
func (a *App) freeTaken(tx *store.Tx, t *transfer.Transfer) error {
	list, err := tx.CoinsReservedFor(t.ID)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.SpentBy == "" || t.Find(c.SpentBy) >= 0 {
			continue
		}
		c.Transfer = ""
		if err := tx.SetCoin(c); err != nil {
			return err
		}
	}
	return nil
}
