package app

import (
	"time"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// assessTransfer walks a transfer's state machine as far as the chain carries,
// books what follows and tells what it pays. It returns the resources concerned.
func (a *App) assessTransfer(tx *store.Tx, m *moving, tip int64, now time.Time) (told []string, err error) {
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
