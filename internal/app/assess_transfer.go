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
	for range len(transfer.States()) + 1 {
		e, ok := m.Next(tip)
		if !ok {
			break
		}
		if err := m.Move(e); err != nil {
			return nil, err
		}
	}
	if _, more := m.Next(tip); more {
		return nil, errStuck
	}
	m.Settle(tip)
	if !m.dirty && m.State == before && m.Settled == settled {
		return nil, nil
	}
	if err := a.bookTransfer(tx, m.Transfer, now); err != nil {
		return nil, err
	}
	if m.State != before {
		if told, err = a.transferMoved(tx, m.Transfer, before, now); err != nil {
			return nil, err
		}
	}
	return told, tx.SetTransfer(m.Transfer)
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
