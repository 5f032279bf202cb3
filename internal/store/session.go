package store

import (
	"time"
)

// Session is an API session: requests numbered from 1, answers kept.
type Session struct {
	ID         string
	SIN        string // the first identity that used it; empty before
	LastNumber int64
	LastUsed   time.Time
}

// AddSession stores a new session and forgets those idle since before a time.
func (tx *Tx) AddSession(s Session, idleSince time.Time) error {
	if _, err := tx.exec(`DELETE FROM session_reply WHERE session IN (SELECT id FROM session WHERE last_used < $1)`, ms(idleSince)); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM session WHERE last_used < $1`, ms(idleSince)); err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO session (id, sin, last_number, last_used) VALUES ($1, $2, $3, $4)`, s.ID, s.SIN, s.LastNumber, ms(s.LastUsed))
}

// Session reads a session.
func (tx *Tx) Session(id string) (Session, error) {
	s := Session{ID: id}
	var used int64
	err := tx.row(`SELECT sin, last_number, last_used FROM session WHERE id = $1`, []any{id}, &s.SIN, &s.LastNumber, &used)
	s.LastUsed = at(used)
	return s, err
}

// SetSession moves a session on from the number it was read with.
func (tx *Tx) SetSession(s Session, was int64) error {
	return tx.one(ErrChanged, `UPDATE session SET sin = $2, last_number = $3, last_used = $4 WHERE id = $1 AND last_number = $5`,
		s.ID, s.SIN, s.LastNumber, ms(s.LastUsed), was)
}

// Reply is the kept answer to a numbered request.
type Reply struct {
	SIN    string // who signed the request; empty when nobody did
	Status int
	Body   string
}

// SetReply keeps the answer to a numbered request.
func (tx *Tx) SetReply(session string, number int64, r Reply) error {
	return tx.one(ErrExists, `INSERT INTO session_reply (session, number, sin, status, body) VALUES ($1, $2, $3, $4, $5)`, session, number, r.SIN, int64(r.Status), r.Body)
}

// Reply reads the answer to a numbered request, or ErrNotFound while it is
// still being worked on.
func (tx *Tx) Reply(session string, number int64) (r Reply, err error) {
	var status int64
	err = tx.row(`SELECT sin, status, body FROM session_reply WHERE session = $1 AND number = $2`, []any{session, number}, &r.SIN, &status, &r.Body)
	r.Status = int(status)
	return r, err
}
