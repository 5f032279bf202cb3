package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// Lift brings a transaction that waits into a block by spending what it pays to one
// of our wallets with a fee for both (child pays for parent): a payment whose
// sender paid too little, or one of our own that cannot be replaced any more.
// feeRate is in smallest units per 1,000 virtual bytes; 0 asks for an estimate. It
// returns the transfer that does so; everything but the fee returns to the wallet.
func (a *App) Lift(ctx context.Context, txid string, feeRate uint64) (*transfer.Transfer, error) {
	c, err := a.waiting(ctx, txid)
	if err != nil {
		return nil, err
	}
	s, err := a.lease(ctx, c.Wallet)
	if err != nil {
		return nil, err
	}
	defer s.done(ctx)
	if s.asset.Sender == nil {
		return nil, errNoNode
	}
	parent, err := s.asset.Sender.Cost(ctx, txid)
	if errors.Is(err, chain.ErrNotFound) {
		return nil, fmt.Errorf("transaction %s does not wait for a block any more", txid)
	}
	if err != nil {
		return nil, err
	}
	if feeRate == 0 {
		if feeRate, err = s.asset.Sender.FeeRate(ctx, 1); err != nil {
			return nil, fmt.Errorf("estimate the network fee: %w", err)
		}
	}
	t, err := s.planLift(ctx, c, parent, feeRate)
	if err != nil {
		return nil, err
	}
	if err := s.advance(ctx, t.ID); err != nil {
		return nil, err
	}
	return s.read(ctx, t.ID)
}

// errNoNode means that this process reaches no network.
var errNoNode = errors.New("this command reaches no node: name the server's with --node, or ask the running sandbox")

// waiting finds the largest output of a waiting transaction that one of our wallets
// can spend.
func (a *App) waiting(ctx context.Context, txid string) (best *store.Coin, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		for i := range a.Assets {
			list, err := tx.CoinsOf(a.Assets[i].Chain, txid)
			if err != nil {
				return err
			}
			for _, c := range list {
				// A deposit that nobody asked for is booked only where it lies unspent.
				free := c.State == store.CoinPending && c.SpentBy == "" && c.Transfer == "" && (c.In || c.Invoice != "")
				if free && (best == nil || c.Amount.Cmp(best.Amount) > 0) {
					best = c
				}
			}
		}
		return nil
	})
	if err == nil && best == nil {
		err = fmt.Errorf("transaction %s does not wait, or pays none of the wallets anything that is free", txid)
	}
	return best, err
}

func (s *spender) planLift(ctx context.Context, c *store.Coin, parent chain.Cost, feeRate uint64) (*transfer.Transfer, error) {
	change, addr, err := s.newChange(ctx)
	if err != nil {
		return nil, err
	}
	o := s.outlay(ctx)
	o.Must, o.Change, o.FeeRate, o.MaxFee, o.Lifts = []chain.Coin{c.Coin}, change, feeRate, s.asset.Spending.MaxFee(1), &parent
	p, err := s.asset.Spending.Plan(o)
	if err != nil {
		return nil, errors.New(sentence(err))
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	t := transfer.Child(id, s.wallet.Merchant, s.wallet.ID, s.wallet.Asset, s.asset.Chain, s.token, s.now())
	if err := t.Add(p, change.Index); err != nil {
		return nil, err
	}
	s.tellAddress(s.asset.Chain, addr)
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.free(tx); err != nil {
			return err
		}
		if err := tx.ReserveWaiting(t.Chain, c.Outpoint, t.ID); err != nil {
			return taken(err)
		}
		err := tx.AddChangeAddress(store.ChangeAddress{Chain: t.Chain, Destination: addr, Wallet: s.wallet.ID, Index: change.Index, Created: s.now()})
		if err != nil {
			return err
		}
		return tx.AddTransfer(t)
	})
	if errors.Is(err, errTaken) {
		err = fmt.Errorf("transaction %s was mined or spent meanwhile, or money out is locked", c.Txid)
	}
	return t, err
}

// free reports errTaken while nothing may leave, and store.ErrFenced to a spender
// that is one no more.
func (s *spender) free(tx *store.Tx) error {
	if err := tx.Fence(s.lease, s.token); err != nil {
		return err
	}
	locks, err := tx.OutgoingLocks()
	if err == nil && len(locks) > 0 {
		err = errTaken
	}
	return err
}
