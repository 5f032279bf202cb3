package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// conn is one connection with its prepared statements; used by one goroutine at
// a time.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt

	deferred map[string]sqldb.Deferred // of the present group, by the tables' names
	flushing bool
	plain    bool // the present group defers nothing
}

func (c *conn) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.c.Close()
}

// prepare keeps every statement: the store's texts are a small fixed set, the
// few built ones (lists) differ by their filters only.
func (c *conn) prepare(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	// A statement outlives the request that first needed it.
	s, err := c.c.PrepareContext(context.Background(), marked(query))
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	if c.stmts == nil {
		c.stmts = map[string]*sql.Stmt{}
	}
	c.stmts[query] = s
	return s, nil
}

// marked writes the placeholders as SQLite knows them. Those that only count up,
// each once, become plain question marks: the driver asks for the name of every
// numbered one, and SQLite looks it up in a list, which makes an insert of many
// rows quadratic.
func marked(query string) string {
	parts := strings.Split(query, "$")
	plain := strings.Builder{}
	plain.WriteString(parts[0])
	for i, part := range parts[1:] {
		rest, ok := strings.CutPrefix(part, strconv.Itoa(i+1))
		if !ok || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return strings.ReplaceAll(query, "$", "?")
		}
		plain.WriteString("?")
		plain.WriteString(rest)
	}
	return plain.String()
}

func (c *conn) run(query string) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background())
	return err
}

// Defer shares work among the operations of the present group.
func (c *conn) Defer(name string, make func() sqldb.Deferred) (sqldb.Deferred, bool) {
	if c.plain {
		return nil, false
	}
	d, ok := c.deferred[name]
	if !ok {
		d = make()
		c.deferred[name] = d
	}
	return d, true
}

// flush does what was deferred and a statement concerns; with an empty statement,
// all of it.
func (c *conn) flush(query string) error {
	if c.flushing {
		return nil
	}
	c.flushing = true
	defer func() { c.flushing = false }()
	for name, d := range c.deferred {
		if query != "" && !strings.Contains(query, name) {
			continue
		}
		if err := d.Flush(c); err != nil {
			return fmt.Errorf("%w: %w", errDeferred, err)
		}
	}
	return nil
}

// errDeferred means that work which operations left for the end of their group
// failed: none of them is to blame before they have run one by one.
var errDeferred = errors.New("sqlite: deferred work failed")

// Queue has nothing to wait for: there is one writer.
func (c *conn) Queue(string) error { return nil }

// Statements do not carry the caller's context: the driver would spend a
// goroutine on each to watch it, and a single-file statement ends by itself.

// ready is the statement, once what was deferred and it concerns is done.
func (c *conn) ready(query string) (*sql.Stmt, error) {
	if len(c.deferred) > 0 {
		if err := c.flush(query); err != nil {
			return nil, err
		}
	}
	return c.prepare(query)
}

func (c *conn) Exec(_ context.Context, query string, args ...any) (int64, error) {
	s, err := c.ready(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, classify(err)
	}
	return r.RowsAffected()
}

func (c *conn) Query(_ context.Context, query string, args ...any) (sqldb.Rows, error) {
	s, err := c.ready(query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, classify(err)
	}
	return rows{r}, nil
}

func (c *conn) QueryRow(_ context.Context, query string, args ...any) sqldb.Row {
	s, err := c.ready(query)
	if err != nil {
		return failed{err}
	}
	return row{s.QueryRowContext(context.Background(), args...)}
}

type rows struct{ *sql.Rows }

func (r rows) Close() { _ = r.Rows.Close() }

type row struct{ r *sql.Row }

func (r row) Scan(dest ...any) error {
	err := r.r.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return sqldb.ErrNoRows
	}
	return classify(err)
}

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

func classify(err error) error {
	var se *sqlitedriver.Error
	if errors.As(err, &se) {
		switch se.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return fmt.Errorf("%w: %w", sqldb.ErrUnique, err)
		}
	}
	return err
}
