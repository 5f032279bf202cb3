package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// moving is a transfer that a reading of the chain concerns.
type moving struct {
	*transfer.Transfer
	dirty bool
}

func (b *batch) transfer(id string) (*moving, error) {
	if m, ok := b.transfers[id]; ok {
		return m, nil
	}
	t, err := b.tx.Transfer(id)
	if err != nil {
		return nil, fmt.Errorf("transfer %s: %w", id, err)
	}
	m := &moving{Transfer: t}
	b.transfers[id] = m
	return m, nil
}

// transferSeen tells the transfer that reserved a coin by what the coin is spent:
// one of its attempts, recognised by inputs and outputs, or something foreign.
func (b *batch) transferSeen(c *store.Coin, tx *chain.Tx, block chain.Ref) error {
	if c.Transfer == "" {
		return nil
	}
	m, err := b.transfer(c.Transfer)
	if err != nil {
		return err
	}
	place := &transfer.Place{Txid: tx.ID, Hash: block.Hash, Height: block.Height}
	i, err := b.attempt(m, tx)
	if err != nil {
		return err
	}
	m.dirty = true
	if i < 0 {
		return nil // foreign; see whereForeign
	}
	m.Attempts[i].Seen = true
	if block.Hash != "" {
		m.Attempts[i].Place, m.Current = place, i
	}
	return nil
}

// attempt is the position of the attempt that a transaction is, -1 without.
func (b *batch) attempt(m *moving, tx *chain.Tx) (int, error) {
	if i := m.Find(tx.ID); i >= 0 && m.Attempts[i].Txid == tx.ID {
		return i, nil
	}
	before := slices.Clone(m.Attempts)
	if !m.Adopt(tx) {
		return -1, nil
	}
	i := m.Find(tx.ID)
	// In its former form it can no longer confirm, nor can what spends its change.
	if old := before[i].Txid; old != "" {
		return i, b.lose(old)
	}
	return i, nil
}

// transferUndone takes back what a block that left the best chain said about a
// transfer.
func (b *batch) transferUndone(id, hash string) error {
	if id == "" {
		return nil
	}
	m, err := b.transfer(id)
	if err != nil {
		return err
	}
	for i := range m.Attempts {
		if p := m.Attempts[i].Place; p != nil && p.Hash == hash {
			m.Attempts[i].Place, m.dirty = nil, true
		}
	}
	return nil
}

// touch has a transfer looked at again, because something happened to one of its
// inputs.
func (b *batch) touch(id string) error {
	if id == "" {
		return nil
	}
	m, err := b.transfer(id)
	if err == nil {
		m.dirty = true
	}
	return err
}

// assessTransfers lets the transfers that the reading concerns take their steps.
func (b *batch) assessTransfers() error {
	if len(b.p.New)+len(b.p.Undo) > 0 {
		list, err := b.tx.OpenTransfers(b.p.Chain)
		if err != nil {
			return err
		}
		for _, t := range list {
			if _, ok := b.transfers[t.ID]; !ok {
				b.transfers[t.ID] = &moving{Transfer: t}
			}
		}
	}
	if len(b.transfers) == 0 {
		return b.bookStrangers()
	}
	tips, err := b.tx.Tips()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(b.transfers)) {
		m := b.transfers[id]
		told, err := b.app.assessTransfer(b.tx, m, tips[b.p.Chain], b.now)
		if err != nil {
			return fmt.Errorf("transfer %s: %w", id, err)
		}
		b.touched = append(b.touched, told...)
	}
	return b.bookStrangers()
}

// errStuck guards against a state table that goes in circles.
var errStuck = errors.New("app: a transfer does not come to rest")
