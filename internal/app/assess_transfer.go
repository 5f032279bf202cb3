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
	settled := m.Settled
	for range len(transfer.States()) + 1 {
		e, ok := m.Next(tip)
		if !ok {
			break
		}
		more, err := a.stepTransfer(tx, m.Transfer, e, now)
		if err != nil {
			return nil, err
		}
		told, m.dirty = append(told, more...), true
	}
	if _, more := m.Next(tip); more {
		return nil, errStuck
	}
	m.Settle(tip)
	if !m.dirty && m.Settled == settled {
		return nil, nil
	}
	if err := a.bookTransfer(tx, m.Transfer, now); err != nil {
		return nil, err
	}
	return told, tx.SetTransfer(m.Transfer)
}

// stepTransfer takes one step. What the transfer pays is told each of them: a server
// that was away learns at once that a payment was sent and that it is confirmed, and
// what it pays takes these steps one after the other.
func (a *App) stepTransfer(tx *store.Tx, t *transfer.Transfer, e transfer.Event, now time.Time) (told []string, err error) {
	before := t.State
	if err := t.Move(e); err != nil {
		return nil, err
	}
	if err := a.bookTransfer(tx, t, now); err != nil || t.State == before {
		return nil, err
	}
	if t.Joins && t.State == transfer.Lost {
		// No attempt will be made again, so what is left of its coins pays others.
		return nil, tx.FreeCoins(t.ID)
	}
	return a.transferMoved(tx, t, before, now)
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
