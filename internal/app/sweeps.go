package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
)

// sweptLabel is what a coin is called that came from an old wallet.
const sweptLabel = "swept from an old wallet"

// CheckSweep refuses to sweep coins that a wallet here has: they would leave the books
// and come back as a stranger's.
func (a *App) CheckSweep(ctx context.Context, chainName string, coins []chain.Outpoint) error {
	return a.Store.View(ctx, func(tx *store.Tx) error {
		for _, o := range coins {
			c, err := tx.Coin(chainName, o)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil {
				err = fmt.Errorf("coin %s:%d belongs to wallet %s here, so this is no old wallet: its coins are in the books already", o.Txid, o.Vout, c.Wallet)
			}
			return err
		}
		return nil
	})
}

// KeepSweep stores a signed sweep, and what its coin is called, before it is sent. A
// crash from here on is made good by SendSweeps.
func (a *App) KeepSweep(ctx context.Context, s *store.Sweep) error {
	s.State, s.Created = store.SweepKept, a.now()
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddSweep(s); err != nil {
			return err
		}
		return tx.SetCoinLabel(s.Chain, chain.Outpoint{Txid: s.Txid}, sweptLabel, s.Created)
	})
}

// sweepAgain is how long a sweep that waits is left alone before it is handed to the
// network again.
const sweepAgain = 10 * time.Minute

// SendSweeps hands the sweeps that are in no block, as far as is known, to the network
// again. What arrives is seen and booked as every deposit is.
func (a *App) SendSweeps(ctx context.Context) error {
	var list []*store.Sweep
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.OpenSweeps(a.now().Add(-sweepAgain), 100)
		return err
	})
	for _, s := range list {
		if e := a.SendSweep(ctx, s); e != nil {
			err = errors.Join(err, fmt.Errorf("sweep %s: %w", s.Txid, e))
		}
	}
	return err
}

// SendSweep hands one sweep to the network and stores what came of it. What the network
// refuses is given up: its coins stay where they were, or went elsewhere.
func (a *App) SendSweep(ctx context.Context, s *store.Sweep) error {
	asset, ok := a.assetOn(s.Chain)
	if !ok || asset.Sender == nil || asset.Ready != nil && !asset.Ready() {
		return nil // another server sends it, or this one later
	}
	booked, err := a.sweepBooked(ctx, s)
	if err != nil {
		return err
	}
	if booked {
		s.State, s.Problem = store.SweepMined, ""
		return a.setSweep(ctx, s)
	}
	if err := a.at("sweep/kept"); err != nil {
		return err
	}
	err = asset.Sender.Send(ctx, s.Raw)
	if stop := a.at("sweep/sent"); stop != nil {
		return stop
	}
	refused := (*chain.Rejected)(nil)
	switch {
	case errors.As(err, &refused):
		s.State, s.Problem = store.SweepRefused, "the network refused it: "+refused.Reason
		a.Log.Warn("a sweep was refused", "txid", s.Txid, "why", refused.Reason)
	case err != nil:
		s.Problem = "it is not known whether the network has it: " + err.Error()
	default:
		s.State, s.Problem = store.SweepSent, ""
	}
	return a.setSweep(ctx, s)
}

func (a *App) setSweep(ctx context.Context, s *store.Sweep) error {
	s.Tried = a.now()
	return a.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetSweep(s) })
}

// sweepBooked reports that what a sweep pays is in the books, so deep that nothing has
// to be done about it any more.
func (a *App) sweepBooked(ctx context.Context, s *store.Sweep) (booked bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.CoinsOf(s.Chain, s.Txid)
		booked = len(list) > 0 && list[0].In
		return err
	})
	return booked, err
}

// assetOn finds what is received on a chain.
func (a *App) assetOn(chainName string) (*Asset, bool) {
	for i := range a.Assets {
		if a.Assets[i].Chain == chainName {
			return &a.Assets[i], true
		}
	}
	return nil, false
}
