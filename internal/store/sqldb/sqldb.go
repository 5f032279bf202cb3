// Package sqldb is the narrow view of a database that the store is written
// against: one SQL text with $1, $2 … placeholders, run by two engines. It
// imports nothing of this module; store and the engines below it import it.
package sqldb

import (
	"context"
	"errors"
)

var (
	// ErrNoRows is returned by Row.Scan when the query found nothing.
	ErrNoRows = errors.New("sqldb: no rows")
	// ErrUnique is wrapped by the error of a statement that would have broken a
	// unique constraint. The operation it happened in is rolled back.
	ErrUnique = errors.New("sqldb: already there")
	// ErrUnknownOutcome means that a commit failed and that it could not be
	// found out whether it landed. The caller looks its work up by its own key
	// before it does anything again.
	ErrUnknownOutcome = errors.New("sqldb: the outcome of a commit is unknown")
	// ErrClosed is returned once the engine is closed.
	ErrClosed = errors.New("sqldb: closed")
)

// Row is the result of a query for one row.
type Row interface {
	Scan(dest ...any) error
}

// Rows is the result of a query, read in order; Close is safe to repeat.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Close()
	Err() error
}

// Conn runs statements inside one transaction.
type Conn interface {
	// Exec returns the number of rows the statement touched.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row
	// Queue is called before rows that many operations change, under a key that
	// stands for them. An error of it ends the operation, which then runs again
	// in its turn; until it has ended, no other of this process has the key.
	Queue(key string) error
}

// Deferred is work that the operations of one group leave for its end, so that it
// is done once for all of them.
type Deferred interface {
	// Flush does the work so far. It is called before the commit, and before any
	// statement that names what it concerns.
	Flush(c Conn) error
	// Mark is called before each operation; what it returns takes back everything
	// that was left since, because the operation failed.
	Mark() (undo func())
}

// Grouper is a Conn that runs operations of several callers in one transaction.
type Grouper interface {
	// Defer returns what the operations of the group share under a name: the
	// beginning of the names of the tables that it concerns. ok is false in a group
	// that runs again because its deferred work failed: then the operation does
	// everything itself, and the one that is at fault is found.
	Defer(name string, make func() Deferred) (d Deferred, ok bool)
}

// Engine is a database with serializable updates and snapshot reads.
type Engine interface {
	// Update runs fn in a read-write transaction and returns once it is durable.
	// fn may run more than once and must not act on the outside world. When fn
	// fails, nothing of it stays. A commit whose answer was lost is looked up:
	// Update then returns nil if it landed, the error if it did not, and
	// ErrUnknownOutcome if that could not be found out.
	Update(ctx context.Context, fn func(Conn) error) error
	// View runs fn on one consistent snapshot.
	View(ctx context.Context, fn func(Conn) error) error
	// Name is "sqlite" or "postgres".
	Name() string
	Close() error
}
