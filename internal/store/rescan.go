package store

import (
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// States of a rescan.
const (
	RescanRunning = "running"
	RescanDone    = "done"
)

// Rescan is a look back through blocks that were followed already.
type Rescan struct {
	ID      string
	Chain   string
	From    int64 // the first block that is read
	Next    int64 // the block that is read next
	To      int64 // the last block, as far as is known; it moves with the cursor
	State   string
	Found   int64 // payments that were not known
	Created time.Time
	Updated time.Time
}

// Running reports whether there is something left to read.
func (r *Rescan) Running() bool { return r.State == RescanRunning }

// AddRescan stores a new one.
func (tx *Tx) AddRescan(r *Rescan) error {
	return tx.one(ErrExists, `INSERT INTO rescan (id, chain, from_height, next_height, to_height, state, found, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, r.ID, r.Chain, r.From, r.Next, r.To, r.State, r.Found, ms(r.Created), ms(r.Updated))
}

// MoveRescan stores how far one has come, or reports ErrChanged when somebody else did
// since it was read at a height, or it is done.
func (tx *Tx) MoveRescan(r *Rescan, from int64) error {
	return tx.one(ErrChanged, `UPDATE rescan SET next_height = $3, to_height = $4, state = $5, found = $6, updated_at = $7
		WHERE id = $1 AND next_height = $2 AND state = 'running'`, r.ID, from, r.Next, r.To, r.State, r.Found, ms(r.Updated))
}

// Rescan reads one by its id.
func (tx *Tx) Rescan(id string) (*Rescan, error) {
	list, err := tx.rescans(`WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// RunningRescans lists those of a chain that are not done, oldest first.
func (tx *Tx) RunningRescans(chainName string) ([]*Rescan, error) {
	return tx.rescans(`WHERE chain = $1 AND state = 'running' ORDER BY created_at, id`, chainName)
}

// Rescans lists the newest of all chains.
func (tx *Tx) Rescans(limit int) ([]*Rescan, error) {
	return tx.rescans(`ORDER BY created_at DESC, id LIMIT $1`, limit)
}

func (tx *Tx) rescans(where string, args ...any) (out []*Rescan, err error) {
	err = tx.each(`SELECT id, chain, from_height, next_height, to_height, state, found, created_at, updated_at FROM rescan `+where, args, func(r sqldb.Rows) error {
		var x Rescan
		var created, updated int64
		err := r.Scan(&x.ID, &x.Chain, &x.From, &x.Next, &x.To, &x.State, &x.Found, &created, &updated)
		x.Created, x.Updated = at(created), at(updated)
		out = append(out, &x)
		return err
	})
	return out, err
}
