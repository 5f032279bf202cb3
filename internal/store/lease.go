package store

import (
	"errors"
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// ErrFenced means that somebody else has the lease by now: what its earlier
// owner still wanted to write is refused.
var ErrFenced = errors.New("store: the lease has another owner")

// Lease takes or renews a lease until a time and returns its fencing token, or
// ErrFenced while another owner has it.
func (tx *Tx) Lease(name, owner string, now, until time.Time) (token int64, err error) {
	err = tx.row(`INSERT INTO lease (name, owner, token, until) VALUES ($1, $2, 1, $4)
		ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,
			token = CASE WHEN lease.owner = excluded.owner AND lease.until >= $3 THEN lease.token ELSE lease.token + 1 END
		WHERE lease.owner = excluded.owner OR lease.until < $3
		RETURNING token`, []any{name, owner, ms(now), ms(until)}, &token)
	if errors.Is(err, ErrNotFound) {
		err = ErrFenced
	}
	return token, err
}

// Fence makes the transaction fail with ErrFenced unless the lease still has
// this token. The row is written, so that a new owner and the old one conflict.
func (tx *Tx) Fence(name string, token int64) error {
	return tx.one(ErrFenced, `UPDATE lease SET until = until WHERE name = $1 AND token = $2`, name, token)
}

// Unlease gives a lease back.
func (tx *Tx) Unlease(name string, token int64) error {
	_, err := tx.exec(`UPDATE lease SET until = 0 WHERE name = $1 AND token = $2`, name, token)
	return err
}

// Alone keeps operations that decide by what is not there yet from passing one
// another: of two with the same key at the same time one is repeated, and sees what
// the other has made. A snapshot alone would show neither of them the other's rows.
func (tx *Tx) Alone(key string) error {
	if err := tx.c.Queue(key); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO lease (name, owner, token, until) VALUES ($1, '', 1, 0) ON CONFLICT (name) DO UPDATE SET token = lease.token + 1`, key)
	return err
}

// OutgoingLock says why no money leaves.
type OutgoingLock struct {
	Reason string // one word, by which it is lifted
	Detail string // a sentence
	At     time.Time
}

// LockOutgoing stops all money out until the lock is lifted. Locking twice for
// one reason keeps the first detail.
func (tx *Tx) LockOutgoing(l OutgoingLock) error {
	_, err := tx.exec(`INSERT INTO outgoing_lock (reason, detail, at) VALUES ($1, $2, $3) ON CONFLICT (reason) DO NOTHING`, l.Reason, l.Detail, ms(l.At))
	return err
}

// UnlockOutgoing lifts a lock, or reports ErrNotFound.
func (tx *Tx) UnlockOutgoing(reason string) error {
	return tx.one(ErrNotFound, `DELETE FROM outgoing_lock WHERE reason = $1`, reason)
}

// OutgoingLocks lists why no money leaves; none: it does.
func (tx *Tx) OutgoingLocks() ([]OutgoingLock, error) {
	var out []OutgoingLock
	err := tx.each(`SELECT reason, detail, at FROM outgoing_lock ORDER BY at, reason`, nil, func(r sqldb.Rows) error {
		var l OutgoingLock
		var t int64
		err := r.Scan(&l.Reason, &l.Detail, &t)
		l.At = at(t)
		out = append(out, l)
		return err
	})
	return out, err
}
