package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/quittance/quittance/internal/store/migrations"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const (
	readers  = 4
	maxGroup = 256 // operations in one commit; bounds how long the first one waits
)

// Engine is one open database file.
type Engine struct {
	write  *sql.DB
	read   *sql.DB
	keeper *sql.DB // copies the log into the file
	ops    chan *op
	quit   chan struct{}
	once   sync.Once // guards shutErr
	done   chan struct{}

	shutErr error

	writer  conn          // owned by run
	readMu  sync.Mutex    // guards idle
	idle    []*conn       // readers not in use
	slots   chan struct{} // one per reader
	commits func() error  // how a group is committed; replaced by fault tests

	groups  atomic.Int64 // committed so far
	restart atomic.Bool  // the writer is to wait for the log once
	stop    context.CancelFunc
	kept    chan struct{} // closed when keep has ended
}

// Open opens or creates the file at path, brings it to the program's schema
// and starts the writer. A database that a newer program wrote is refused.
func Open(ctx context.Context, path string) (*Engine, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(path, "immediate"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := migrations.Up(ctx, write, migrations.SQLite); err != nil {
		write.Close()
		return nil, err
	}
	read, err := sql.Open("sqlite", dsn(path, "deferred")+"&_pragma=query_only(1)")
	if err != nil {
		write.Close()
		return nil, err
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	keeper, err := sql.Open("sqlite", dsn(path, "deferred"))
	if err != nil {
		write.Close()
		read.Close()
		return nil, err
	}
	keeper.SetMaxOpenConns(1)
	c, err := write.Conn(ctx)
	if err != nil {
		write.Close()
		read.Close()
		keeper.Close()
		return nil, err
	}
	e := &Engine{
		write: write, read: read, keeper: keeper, writer: conn{c: c}, kept: make(chan struct{}),
		ops: make(chan *op, maxGroup), quit: make(chan struct{}), done: make(chan struct{}),
		slots: make(chan struct{}, readers),
	}
	e.commits = func() error { return e.writer.run("COMMIT") }
	background, stop := context.WithCancel(context.Background())
	e.stop = stop
	go e.run()
	go e.keep(background)
	return e, nil
}

func dsn(path, lock string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-4000)", "temp_store(MEMORY)", "journal_size_limit(67108864)", "wal_autocheckpoint(0)",
	}}
	return "file:" + url.PathEscape(path) + "?" + q.Encode()
}

// Name is "sqlite".
func (e *Engine) Name() string { return "sqlite" }

// Close waits for the group and the views in progress, refuses what still waits
// and closes the file. Closing twice does nothing.
func (e *Engine) Close() error {
	e.once.Do(func() { e.shutErr = e.shut() })
	return e.shutErr
}

func (e *Engine) shut() error {
	close(e.quit)
	<-e.done
	e.stop()
	<-e.kept
	for range readers {
		e.slots <- struct{}{}
	}
	e.writer.close()
	for _, c := range e.idle {
		c.close()
	}
	return errors.Join(e.keeper.Close(), e.read.Close(), e.write.Close())
}

// View runs fn on a snapshot held by one of the readers.
func (e *Engine) View(ctx context.Context, fn func(sqldb.Conn) error) error {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.quit:
		return sqldb.ErrClosed
	}
	defer func() { <-e.slots }()
	select {
	case <-e.quit:
		return sqldb.ErrClosed
	default:
	}
	return e.snapshot(ctx, fn)
}

// snapshot runs fn on a reader. The caller has a slot.
func (e *Engine) snapshot(ctx context.Context, fn func(sqldb.Conn) error) error {
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	if err := c.run("BEGIN"); err != nil {
		c.close()
		return err
	}
	defer e.release(c)
	return fn(c)
}

func (e *Engine) reader(ctx context.Context) (*conn, error) {
	e.readMu.Lock()
	if n := len(e.idle); n > 0 {
		c := e.idle[n-1]
		e.idle = e.idle[:n-1]
		e.readMu.Unlock()
		return c, nil
	}
	e.readMu.Unlock()
	c, err := e.read.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{c: c}, nil
}

// release ends the snapshot; a reader whose transaction cannot be ended is
// thrown away.
func (e *Engine) release(c *conn) {
	if err := c.run("ROLLBACK"); err != nil {
		c.close()
		return
	}
	e.readMu.Lock()
	e.idle = append(e.idle, c)
	e.readMu.Unlock()
}
