package store

import (
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// Journals lists the ids of the journals that belong to this database.
func (tx *Tx) Journals() (ids []string, err error) {
	err = tx.each(`SELECT id FROM journal ORDER BY created_at, id`, nil, func(r sqldb.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// AddJournal notes that a journal belongs to this database.
func (tx *Tx) AddJournal(id string, now time.Time) error {
	return tx.one(ErrExists, `INSERT INTO journal (id, created_at) VALUES ($1, $2)`, id, ms(now))
}

// WalletMarks are the first indices of a wallet that were never handed out: of the
// addresses that payers see, and of those for change.
func (tx *Tx) WalletMarks(wallet string) (index, change int64, err error) {
	err = tx.row(`SELECT next_index, next_change FROM wallet WHERE id = $1`, []any{wallet}, &index, &change)
	return index, change, err
}

// ReserveChange takes the next n indices for change and returns the first.
func (tx *Tx) ReserveChange(wallet string, n int64) (first int64, err error) {
	err = tx.row(`UPDATE wallet SET next_change = next_change + $2 WHERE id = $1 RETURNING next_change - $2`, []any{wallet, n}, &first)
	return first, err
}
