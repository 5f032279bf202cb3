package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/quittance/quittance/internal/store/migrations"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const (
	maxTries   = 40               // of one operation that keeps meeting others on its rows
	lookUpFor  = 10 * time.Second // how long a lost commit is asked about
	keepMarks  = time.Hour        // far longer than any look-up
	sweepEvery = 10 * time.Minute
)

// Engine is one pool of connections.
type Engine struct {
	pool   *pgxpool.Pool
	queue  queue
	closed atomic.Bool
	stop   context.CancelFunc
	done   chan struct{}
}

// Open connects to the server at url (postgres://…), brings the database to the
// program's schema and refuses one that a newer program wrote.
func Open(ctx context.Context, url string) (*Engine, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database URL cannot be read: %w", err)
	}
	// An acknowledged operation must survive a power cut, whatever the server's
	// own default is.
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	cfg.ConnConfig.RuntimeParams["application_name"] = "quittance"
	if cfg.MaxConns < 24 {
		cfg.MaxConns = 24
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	err = migrations.Up(ctx, db, migrations.Postgres)
	db.Close()
	if err != nil {
		pool.Close()
		return nil, err
	}
	bg, stop := context.WithCancel(context.Background())
	e := &Engine{pool: pool, stop: stop, done: make(chan struct{})}
	go e.sweep(bg)
	return e, nil
}

// Name is "postgres".
func (e *Engine) Name() string { return "postgres" }

// Close waits for operations in progress and closes all connections. Closing
// twice does nothing.
func (e *Engine) Close() error {
	e.closed.Store(true)
	e.stop()
	<-e.done
	e.pool.Close()
	return nil
}

// Update runs fn at snapshot isolation and repeats it when another operation
// changed the same rows first.
func (e *Engine) Update(ctx context.Context, fn func(sqldb.Conn) error) error {
	t := turn{queue: &e.queue}
	defer t.end()
	var err error
	for try := 0; try < maxTries; {
		if err = e.once(ctx, &t, fn); !retryable(err) && !errors.Is(err, errQueued) {
			return err
		}
		waited := errors.Is(err, errQueued)
		if err := t.wait(ctx); err != nil {
			return err
		}
		if waited {
			continue // it has not been tried yet
		}
		try++
		select {
		// Spread out, so that those of several processes do not meet again.
		case <-time.After(time.Duration(1+mathrand.IntN(2*try)) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (e *Engine) once(ctx context.Context, t *turn, fn func(sqldb.Conn) error) error {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return e.explain(err)
	}
	defer c.Release()
	tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// The caller's context may be over; the connection must still be clean.
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = tx.Rollback(undo)
		}
	}()
	if err := guard(fn, conn{tx, t}); err != nil {
		return err
	}
	if t.missed() {
		return errQueued
	}
	committed = true
	return e.commit(ctx, c)
}

// explain names the reason why there is no connection.
func (e *Engine) explain(err error) error {
	if e.closed.Load() {
		return sqldb.ErrClosed
	}
	return err
}

// guard turns a panic of an operation into its error, as the other engine does.
func guard(fn func(sqldb.Conn) error, c sqldb.Conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("operation panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(c)
}

// commit sends the mark and COMMIT together, in one round trip.
func (e *Engine) commit(ctx context.Context, c *pgxpool.Conn) error {
	// A commit on its way is never abandoned because a client hung up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	mark := rand.Text()
	var b pgx.Batch
	b.Queue(`INSERT INTO commit_mark (id, created_at) VALUES ($1, $2)`, mark, time.Now().UnixMilli())
	b.Queue(`COMMIT`)
	err := c.SendBatch(ctx, &b).Close()
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code[:2] != "57" {
		// The server itself said no: nothing landed.
		_, _ = c.Exec(ctx, `ROLLBACK`)
		return classify(err)
	}
	session := c.Conn().PgConn().PID()
	_ = c.Conn().Close(ctx)
	return e.lookUp(mark, session, err)
}

// lookUp asks a fresh connection whether the marked transaction is there. That
// it is not there says something only once its session has ended: until then the
// server may still work on the commit, or has yet to read it from the network.
// So the session is ended.
func (e *Engine) lookUp(mark string, session uint32, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookUpFor)
	defer cancel()
	for {
		ended, err := e.endSession(ctx, session)
		var n int
		if err == nil {
			err = e.pool.QueryRow(ctx, `SELECT count(*) FROM commit_mark WHERE id = $1`, mark).Scan(&n)
		}
		switch {
		case err == nil && n == 1:
			return nil
		case err == nil && ended:
			return fmt.Errorf("commit: %w", cause)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", sqldb.ErrUnknownOutcome, errors.Join(cause, err))
		}
	}
}

// endSession has the server end one of our sessions and reports whether it is
// gone already.
func (e *Engine) endSession(ctx context.Context, session uint32) (bool, error) {
	var n int
	err := e.pool.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE pid = $1 AND datname = current_database() AND application_name = 'quittance'`, int64(session)).Scan(&n)
	return n == 0, err
}

// View runs fn on one read-only snapshot.
func (e *Engine) View(ctx context.Context, fn func(sqldb.Conn) error) error {
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return e.explain(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a read leaves nothing behind
	return fn(conn{tx: tx})
}

// sweep forgets marks that nobody can ask for any more.
func (e *Engine) sweep(ctx context.Context) {
	defer close(e.done)
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_, _ = e.pool.Exec(ctx, `DELETE FROM commit_mark WHERE created_at < $1`,
				time.Now().Add(-keepMarks).UnixMilli())
		}
	}
}
