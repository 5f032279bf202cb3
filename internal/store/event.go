package store

import (
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// Event is something that happened to a resource, numbered without gaps.
type Event struct {
	ID       string
	Merchant string
	Kind     string // of the resource: "invoice", "bill" …
	Resource string
	Seq      int64
	Code     int64 // of the webhook, 0 for events that have none
	Name     string
	Status   string // of the resource after it
	Detail   string
	At       time.Time
}

const eventColumns = `id, merchant, kind, resource, seq, code, name, status, detail, at`

// AddEvent stores an event in the transaction that makes it true.
func (tx *Tx) AddEvent(e Event) error {
	return tx.one(ErrExists, `INSERT INTO event (`+eventColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.ID, e.Merchant, e.Kind, e.Resource, e.Seq, e.Code, e.Name, e.Status, e.Detail, ms(e.At))
}

// Event reads one event.
func (tx *Tx) Event(id string) (Event, error) {
	list, err := tx.events(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Event{}, err
	}
	return list[0], nil
}

// EventsOf lists what happened to a resource after a sequence number, in order.
func (tx *Tx) EventsOf(resource string, after int64) ([]Event, error) {
	return tx.events(`resource = $1 AND seq > $2 ORDER BY seq`, resource, after)
}

func (tx *Tx) events(where string, args ...any) ([]Event, error) {
	var out []Event
	err := tx.each(`SELECT `+eventColumns+` FROM event WHERE `+where, args, func(r sqldb.Rows) error {
		var e Event
		var t int64
		err := r.Scan(&e.ID, &e.Merchant, &e.Kind, &e.Resource, &e.Seq, &e.Code, &e.Name, &e.Status, &e.Detail, &t)
		e.At = at(t)
		out = append(out, e)
		return err
	})
	return out, err
}

// LastEvent is the number of a resource's last event; 0 before the first.
func (tx *Tx) LastEvent(resource string) (n int64, err error) {
	err = tx.row(`SELECT COALESCE(max(seq), 0) FROM event WHERE resource = $1`, []any{resource}, &n)
	return n, err
}
