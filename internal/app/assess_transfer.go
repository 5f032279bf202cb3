package app

import (
	"errors"
	"time"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// assessTransfer walks a transfer's state machine as far as the chain carries,
// books what follows and tells what it pays. It returns the resources concerned.
func (a *App) assessTransfer(tx *store.Tx, m *moving, tip int64, now time.Time) (told []string, err error) {
	if err := a.whereForeign(tx, m); err != nil {
		return nil, err
	}
	before, settled := m.State, m.Settled
	if told, err = a.walk(tx, m, tip, now); err != nil {
		return nil, err
	}
	m.Settle(tip)
	if !m.dirty && m.State == before && m.Settled == settled {
		return nil, nil
	}
	if m.State == before {
		err = a.bookTransfer(tx, m.Transfer, now)
	}
	return told, errors.Join(err, tx.SetTransfer(m.Transfer))
}

// walk takes the steps that the chain asks for one by one: what a transfer pays
// hears of each, also of those that the server slept through.
func (a *App) walk(tx *store.Tx, m *moving, tip int64, now time.Time) (told []string, err error) {
	for range len(transfer.States()) + 1 {
		e, ok := m.Next(tip)
		if !ok {
			return told, nil
		}
		before := m.State
		if err := m.Move(e); err != nil {
			return nil, err
		}
		if err := a.bookTransfer(tx, m.Transfer, now); err != nil {
			return nil, err
		}
		if m.State == before {
			continue
		}
		moved, err := a.transferMoved(tx, m.Transfer, before, now)
		if err != nil {
			return nil, err
		}
		told = append(told, moved...)
	}
	return nil, errStuck
}

// whereForeign finds the transaction that keeps an attempt from confirming: one
// that is no attempt and spends an input, or the one that undid what an input was
// made by.
func (a *App) whereForeign(tx *store.Tx, m *moving) error {
	att := m.Attempt()
	if att == nil || m.Settled || !m.dirty && m.Foreign == nil {
		return nil
	}
	var found *transfer.Place
	for _, in := range att.Inputs {
		if att.Place != nil {
			break
		}
		c, err := tx.Coin(m.Chain, in.Outpoint)
		if err != nil {
			return err
		}
		switch {
		case c.State == store.CoinGone:
			if found, err = a.undoneBy(tx, c); err != nil {
				return err
			}
		case c.SpentBy != "" && m.Find(c.SpentBy) < 0:
			found = &transfer.Place{Txid: c.SpentBy, Hash: c.SpentIn.Hash, Height: c.SpentIn.Height}
		}
	}
	if found == nil && m.Foreign == nil || found != nil && m.Foreign != nil && *found == *m.Foreign {
		return nil
	}
	m.Foreign, m.dirty = found, true
	return nil
}

// undoneBy is the attempt that was mined, or waits, in place of the one that made
// a coin.
func (a *App) undoneBy(tx *store.Tx, c *store.Coin) (*transfer.Place, error) {
	made, err := tx.TransferOf(c.Chain, c.Txid)
	if errors.Is(err, store.ErrNotFound) {
		return &transfer.Place{Txid: c.Txid}, nil
	}
	if err != nil {
		return nil, err
	}
	if p := made.Attempt().Place; p != nil {
		return p, nil
	}
	return &transfer.Place{Txid: made.Attempt().Txid}, nil
}
