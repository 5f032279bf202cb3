package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/quittance/quittance/internal/store/sqldb"
)

type op struct {
	ctx  context.Context
	fn   func(sqldb.Conn) error
	err  error
	done chan struct{}
}

// Update hands fn to the writer and waits until the group it rode in is on disk.
func (e *Engine) Update(ctx context.Context, fn func(sqldb.Conn) error) error {
	o := &op{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case e.ops <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.quit:
		return sqldb.ErrClosed
	}
	select {
	case <-o.done:
		return o.err
	case <-e.done:
		// The writer is gone: it either finished this operation just before or
		// never will.
		select {
		case <-o.done:
			return o.err
		default:
			return sqldb.ErrClosed
		}
	}
}

// run is the only goroutine that writes.
func (e *Engine) run() {
	defer close(e.done)
	group := make([]*op, 0, maxGroup)
	for {
		select {
		case o := <-e.ops:
			group = append(group[:0], o)
		case <-e.quit:
			return
		}
	more:
		for len(group) < maxGroup {
			select {
			case o := <-e.ops:
				group = append(group, o)
			default:
				break more
			}
		}
		e.commit(group)
		for i, o := range group {
			close(o.done)
			group[i] = nil
		}
		e.restartLog()
	}
}

// errGroupLost means that SQLite gave up the whole transaction in the middle of
// a group, as it may on a full disk or an input/output error. The operations
// that had already succeeded are gone with it.
var errGroupLost = errors.New("sqlite: the transaction was given up by the database")

// commit runs the operations of one group, each in its own savepoint, and makes
// all that succeeded durable together. If what they left for the end of the group
// fails, they run again and each does everything itself: fn may run more than once.
func (e *Engine) commit(group []*op) {
	if !e.attempt(group, false) {
		return
	}
	for _, o := range group {
		o.err = nil
	}
	e.attempt(group, true)
}

// attempt runs a group. again reports that nothing of it stayed, because work that
// was deferred failed.
func (e *Engine) attempt(group []*op, plain bool) (again bool) {
	e.writer.deferred, e.writer.plain = map[string]sqldb.Deferred{}, plain
	defer func() { e.writer.deferred = nil }()
	fail := func(err error) {
		for _, o := range group {
			if o.err == nil {
				o.err = err
			}
		}
	}
	if err := e.begin(); err != nil {
		fail(fmt.Errorf("begin: %w", err))
		return false
	}
	kept := 0
	for _, o := range group {
		if o.err = e.step(o); o.err == nil {
			kept++
		}
		if errors.Is(o.err, errGroupLost) {
			e.rollback()
			fail(o.err)
			return false
		}
		if errors.Is(o.err, errDeferred) && !plain {
			e.rollback()
			return true
		}
	}
	if kept == 0 {
		e.rollback()
		return false
	}
	if err := e.writer.flush(""); err != nil {
		e.rollback()
		fail(err)
		return !plain
	}
	marker, err := e.mark()
	if err == nil {
		err = e.commits()
	}
	if err == nil {
		e.groups.Add(1)
		return false
	}
	e.rollback()
	landed, lookErr := e.landed(marker)
	switch {
	case lookErr != nil:
		fail(fmt.Errorf("%w: %w", sqldb.ErrUnknownOutcome, errors.Join(err, lookErr)))
	case !landed:
		fail(fmt.Errorf("commit: %w", err))
	}
	return false
}

// begin starts the group's transaction. One that an earlier fault left open is
// ended first.
func (e *Engine) begin() error {
	err := e.writer.run("BEGIN IMMEDIATE")
	if err == nil {
		return nil
	}
	e.rollback()
	return e.writer.run("BEGIN IMMEDIATE")
}

// step runs one operation; whatever it did is undone when it fails or panics.
func (e *Engine) step(o *op) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	if err := e.writer.run("SAVEPOINT operation"); err != nil {
		return err
	}
	takeBack := e.marks()
	err := guard(o.fn, &e.writer)
	if err != nil {
		takeBack()
		if undo := e.writer.run("ROLLBACK TO operation"); undo != nil {
			return fmt.Errorf("%w: %w", errGroupLost, errors.Join(err, undo))
		}
	}
	// The savepoint is there unless the transaction is not.
	if gone := e.writer.run("RELEASE operation"); gone != nil {
		return fmt.Errorf("%w: %w", errGroupLost, errors.Join(err, gone))
	}
	return err
}

// marks notes where deferred work stands before an operation. The function takes
// back what the operation left.
func (e *Engine) marks() (undo func()) {
	before := map[string]func(){}
	for name, d := range e.writer.deferred {
		before[name] = d.Mark()
	}
	return func() {
		for name := range e.writer.deferred {
			if take, ok := before[name]; ok {
				take()
				continue
			}
			delete(e.writer.deferred, name)
		}
	}
}

// guard turns a panic of an operation into its error: the others of the group
// must not suffer from it.
func guard(fn func(sqldb.Conn) error, c sqldb.Conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("operation panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(c)
}

// mark numbers the group, so that a commit whose answer was lost can be looked up.
func (e *Engine) mark() (int64, error) {
	var n int64
	err := e.writer.QueryRow(context.Background(), `UPDATE commit_group SET n = n + 1 RETURNING n`).Scan(&n)
	return n, err
}

// landed reports whether the group with this number is in the file. It asks a
// reader: the writer may still see what it could not commit.
func (e *Engine) landed(marker int64) (bool, error) {
	if marker == 0 {
		return false, nil
	}
	e.slots <- struct{}{}
	defer func() { <-e.slots }()
	var n int64
	err := e.snapshot(context.Background(), func(c sqldb.Conn) error {
		return c.QueryRow(context.Background(), `SELECT n FROM commit_group`).Scan(&n)
	})
	return n >= marker, err
}

func (e *Engine) rollback() {
	// After a failed COMMIT SQLite may already have rolled back by itself; then
	// this fails, and that is fine.
	_ = e.writer.run("ROLLBACK")
}
