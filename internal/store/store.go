package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/store/postgres"
	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/store/sqlite"
)

var (
	// ErrNotFound means that no row has this key.
	ErrNotFound = errors.New("store: not found")
	// ErrExists means that a row with this key is already there.
	ErrExists = errors.New("store: already exists")
	// ErrChanged means that the row is no longer as it was read; the operation
	// starts over.
	ErrChanged = errors.New("store: changed meanwhile")
)

// Store is one open database.
type Store struct {
	engine sqldb.Engine
}

// Open opens the database that url names: postgres://… or postgresql://… for a
// server, sqlite:PATH or a plain path for a file. An empty url is the file
// quittance.db in the data folder.
func Open(ctx context.Context, url, dataDir string) (*Store, error) {
	if file, ok := File(url, dataDir); ok {
		e, err := sqlite.Open(ctx, file)
		if err != nil {
			return nil, fmt.Errorf("open the database file %s: %w", file, err)
		}
		return New(e), nil
	}
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, fmt.Errorf("the database URL must start with postgres:// or sqlite:, or be a file's path")
	}
	e, err := postgres.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open the PostgreSQL database: %w", err)
	}
	return New(e), nil
}

// File is the path of the SQLite file that a database URL names; ok is false
// when it names none.
func File(url, dataDir string) (path string, ok bool) {
	switch {
	case url == "":
		return filepath.Join(dataDir, "quittance.db"), true
	case strings.HasPrefix(url, "sqlite:"):
		return strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//"), true
	}
	return url, !strings.Contains(url, "://")
}

// New wraps an engine that is already open.
func New(e sqldb.Engine) *Store { return &Store{engine: e} }

// Engine is the name of the database engine: sqlite or postgres.
func (s *Store) Engine() string { return s.engine.Name() }

// Close ends all operations and closes the database.
func (s *Store) Close() error { return s.engine.Close() }

// Tx is one transaction.
type Tx struct {
	ctx context.Context
	c   sqldb.Conn
}

const changedTries = 20

// Update runs fn in one transaction and returns when it is durable. fn may run
// again and must not act on anything but tx and its own results.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	var err error
	for range changedTries {
		err = s.engine.Update(ctx, func(c sqldb.Conn) error { return fn(&Tx{ctx, c}) })
		if !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return err
}

// View runs fn on one snapshot.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return s.engine.View(ctx, func(c sqldb.Conn) error { return fn(&Tx{ctx, c}) })
}

// one runs a statement that must touch exactly one row; a guarded update that
// finds none reports miss.
func (tx *Tx) one(miss error, query string, args ...any) error {
	n, err := tx.c.Exec(tx.ctx, query, args...)
	switch {
	case errors.Is(err, sqldb.ErrUnique):
		return fmt.Errorf("%w: %w", ErrExists, err)
	case err != nil:
		return err
	case n != 1:
		return miss
	}
	return nil
}

func (tx *Tx) exec(query string, args ...any) (int64, error) {
	return tx.c.Exec(tx.ctx, query, args...)
}

// row reads one row, or ErrNotFound.
func (tx *Tx) row(query string, args []any, dest ...any) error {
	err := tx.c.QueryRow(tx.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sqldb.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// each calls scan for every row of a query.
func (tx *Tx) each(query string, args []any, scan func(sqldb.Rows) error) error {
	rows, err := tx.c.Query(tx.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
