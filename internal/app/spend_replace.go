package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// replan makes a new attempt at a transfer none of whose attempts can confirm any
// more. What is left of its inputs stays in, so that it conflicts with them all
// the same.
func (s *spender) replan(ctx context.Context, t *transfer.Transfer) (again bool, err error) {
	var kept, free []*store.Coin
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if kept, err = tx.CoinsReservedFor(t.ID); err != nil {
			return err
		}
		free, err = tx.SpendableCoins(s.wallet.ID)
		return err
	})
	if err != nil {
		return false, err
	}
	o := s.outlay(ctx)
	o.Outputs, o.MaxFee = t.Outputs(), s.asset.Spending.MaxFee(len(t.Members))
	for _, c := range kept {
		// What was the change of a transaction that cannot confirm is nowhere any more.
		if c.SpentBy == "" && c.State != store.CoinGone {
			o.Must = append(o.Must, c.Coin)
		}
	}
	return s.attempt(ctx, t, o, free, transfer.PlannedAnew)
}

// BumpTransfer replaces the transaction of a transfer that waits by one with a
// higher fee. It spends everything the old one spends, so only one can confirm.
// feeRate is in smallest units per 1,000 virtual bytes; 0 asks for an estimate.
func (a *App) BumpTransfer(ctx context.Context, id string, feeRate uint64) error {
	t, err := a.Transfer(ctx, id)
	if err != nil {
		return err
	}
	s, err := a.lease(ctx, t.Wallet)
	if err != nil {
		return err
	}
	defer s.done(ctx)
	if err := a.mayLeave(ctx); err != nil {
		return err
	}
	if t, err = s.read(ctx, id); err != nil {
		return err
	}
	if t.State != transfer.Sent && t.State != transfer.Signed || t.Attempt().Place != nil {
		return fmt.Errorf("transfer %s is %s: only one that was sent and is not mined yet can be replaced", id, t.State)
	}
	last := &t.Attempts[len(t.Attempts)-1]
	if last.Raw == nil {
		return fmt.Errorf("transfer %s has a replacement already that waits for its signature", id)
	}
	if feeRate == 0 && s.asset.Sender == nil {
		return errNoNode
	}
	if feeRate == 0 {
		if feeRate, err = s.asset.Sender.FeeRate(ctx, 1); err != nil {
			return fmt.Errorf("estimate the network fee: %w", err)
		}
	}
	cur := t.Attempt()
	var free []*store.Coin
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if free, err = tx.SpendableCoins(t.Wallet); err != nil || cur.Change < 0 {
			return err
		}
		c, err := tx.Coin(t.Chain, chain.Outpoint{Txid: cur.Txid, Vout: uint32(cur.Change)})
		if err == nil && (c.Transfer != "" || c.SpentBy != "") {
			return fmt.Errorf("what transfer %s returns is spent by transfer %s already, which a replacement would undo: raise the fee of that one, it brings this one along", id, c.Transfer)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil // it was never sent
		}
		return err
	})
	if err != nil {
		return err
	}
	o := s.outlay(ctx)
	o.Must, o.Outputs, o.FeeRate, o.MaxFee = cur.Inputs, t.Outputs(), feeRate, s.asset.Spending.MaxFee(len(t.Members))
	o.Replaces = &chain.Cost{Fee: cur.Fee, VSize: cur.VSize}
	if _, err := s.attempt(ctx, t, o, free, ""); err != nil {
		return err
	}
	return s.advance(ctx, id)
}

// attempt plans another attempt and stores it before anybody signs it. Change
// returns to where it did.
func (s *spender) attempt(ctx context.Context, t *transfer.Transfer, o chain.Outlay, free []*store.Coin, e transfer.Event) (again bool, err error) {
	for _, c := range free {
		if c.Confirmed { // BIP 125, rule 2: a replacement brings no new unconfirmed inputs
			o.May = append(o.May, c.Coin)
		}
	}
	index := t.Attempts[0].ChangeIndex
	o.Change = chain.Path{Change: true, Index: index}
	if o.FeeRate == 0 {
		if o.FeeRate, err = s.asset.Sender.FeeRate(ctx, confirmIn); err != nil {
			return false, fmt.Errorf("estimate the network fee: %w", err)
		}
	}
	p, err := s.asset.Spending.Plan(o)
	if err != nil {
		return false, s.note(ctx, t.ID, sentence(err))
	}
	if err := s.at("attempt/chosen"); err != nil {
		return false, err
	}
	n := len(t.Attempts)
	err = s.change(ctx, t.ID, func(tx *store.Tx, t *transfer.Transfer) error {
		if len(t.Attempts) != n {
			return errTaken
		}
		if err := t.Add(p, index); err != nil {
			return err
		}
		for _, in := range p.Inputs {
			c, err := tx.Coin(t.Chain, in.Outpoint)
			if err != nil {
				return err
			}
			if c.Transfer == t.ID {
				continue
			}
			if err := tx.ReserveCoin(t.Chain, in.Outpoint, t.ID); err != nil {
				return taken(err)
			}
		}
		if e == "" {
			return nil
		}
		t.Foreign = nil
		return t.Move(e)
	})
	if errors.Is(err, errTaken) {
		return false, nil
	}
	if err == nil {
		err = s.at("attempt/stored")
	}
	return err == nil, err
}

// Transfer reads one transfer.
func (a *App) Transfer(ctx context.Context, id string) (t *transfer.Transfer, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		t, err = tx.Transfer(id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("no transfer has the id %q: `quittance transfer list` shows them", id)
	}
	return t, err
}
