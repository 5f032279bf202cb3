package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/quittance/quittance/internal/store/sqldb"
)

func openAt(t *testing.T, path string) *Engine {
	t.Helper()
	e, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func openNew(t *testing.T) *Engine { return openAt(t, filepath.Join(t.TempDir(), "q.db")) }

func insert(e *Engine, id string) error {
	return e.Update(context.Background(), inserting(id))
}

func inserting(id string) func(sqldb.Conn) error {
	return func(c sqldb.Conn) error {
		_, err := c.Exec(context.Background(), `INSERT INTO session (id, sin, last_number, last_used) VALUES ($1, '', 0, 0)`, id)
		return err
	}
}

func stored(t *testing.T, e *Engine, id string) bool {
	t.Helper()
	var n int64
	err := e.View(t.Context(), func(c sqldb.Conn) error {
		return c.QueryRow(t.Context(), `SELECT count(*) FROM session WHERE id = $1`, id).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

var errDisk = errors.New("input/output error")

// commitWith replaces how groups are committed. No group is in progress.
func commitWith(e *Engine, commit func(real func() error) error) (undo func()) {
	real := func() error { return e.writer.run("COMMIT") }
	e.commits = func() error { return commit(real) }
	return func() { e.commits = real }
}

func TestACommitThatFailsIsReportedAsItTurnedOut(t *testing.T) {
	e := openNew(t)
	// All readers have been used, so that none is left over for the look-up.
	var group sync.WaitGroup
	gate := make(chan struct{})
	for range readers {
		group.Go(func() {
			_ = e.View(context.Background(), func(sqldb.Conn) error { <-gate; return nil })
		})
	}
	close(gate)
	group.Wait()

	undo := commitWith(e, func(real func() error) error { return errors.Join(real(), errDisk) })
	if err := insert(e, "landed"); err != nil || !stored(t, e, "landed") {
		t.Errorf("it landed: %v, stored %v", err, stored(t, e, "landed"))
	}
	undo()
	undo = commitWith(e, func(func() error) error { return errDisk })
	if err := insert(e, "lost"); !errors.Is(err, errDisk) || errors.Is(err, sqldb.ErrUnknownOutcome) || stored(t, e, "lost") {
		t.Errorf("it did not land: %v, stored %v", err, stored(t, e, "lost"))
	}
	undo()
	if err := insert(e, "afterwards"); err != nil || !stored(t, e, "afterwards") {
		t.Errorf("afterwards: %v", err)
	}
}

// together runs operations in one group.
func together(e *Engine, fns ...func(sqldb.Conn) error) []error {
	errs := make([]error, len(fns))
	started, gate := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		_ = e.Update(context.Background(), func(sqldb.Conn) error { close(started); <-gate; return nil })
	})
	<-started
	for i, fn := range fns {
		o := &op{ctx: context.Background(), fn: fn, done: make(chan struct{})}
		e.ops <- o
		group.Go(func() {
			<-o.done
			errs[i] = o.err
		})
	}
	close(gate)
	group.Wait()
	return errs
}

func TestOneOperationOfAGroupFailsAlone(t *testing.T) {
	e := openNew(t)
	commits := 0
	commitWith(e, func(real func() error) error { commits++; return real() })
	errs := together(e,
		inserting("a"),
		func(c sqldb.Conn) error { return errors.Join(inserting("b")(c), errDisk) },
		func(c sqldb.Conn) error { _ = inserting("c")(c); panic("a mistake") },
		inserting("a"),
		inserting("d"),
	)
	for i, want := range []error{nil, errDisk, nil, sqldb.ErrUnique, nil} {
		if i == 2 {
			if errs[2] == nil || !strings.Contains(errs[2].Error(), "a mistake") {
				t.Errorf("the panic: %v", errs[2])
			}
			continue
		}
		if !errors.Is(errs[i], want) {
			t.Errorf("operation %d: %v, want %v", i, errs[i], want)
		}
	}
	for id, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true} {
		if stored(t, e, id) != want {
			t.Errorf("%s is stored: %v", id, !want)
		}
	}
	if commits != 2 {
		t.Errorf("%d commits for two groups", commits)
	}
}

// SQLite may roll the whole transaction back by itself in the middle of a group
// (full disk, input/output error). What succeeded before must not be reported
// as durable then.
func TestAGroupWhoseTransactionIsGivenUpFailsWhole(t *testing.T) {
	for name, give := range map[string]func(sqldb.Conn) error{
		"and the operation fails": func(c sqldb.Conn) error {
			_, err := c.Exec(context.Background(), `ROLLBACK`)
			return errors.Join(err, errDisk)
		},
		"and the operation does not notice": func(c sqldb.Conn) error {
			_, err := c.Exec(context.Background(), `ROLLBACK`)
			return err
		},
	} {
		e := openNew(t)
		errs := together(e, inserting("a"), give, inserting("b"))
		for i, id := range []string{"a", "", "b"} {
			if errs[i] == nil && !stored(t, e, id) || id != "" && errs[i] != nil && stored(t, e, id) {
				t.Errorf("%s: operation %d is reported as %v", name, i, errs[i])
			}
		}
		if errs[0] == nil || !errors.Is(errs[1], errGroupLost) {
			t.Errorf("%s: %v", name, errs)
		}
		if err := insert(e, "c"); err != nil || !stored(t, e, "c") {
			t.Errorf("%s, afterwards: %v", name, err)
		}
	}
}

func TestATransactionThatWasLeftOpenDoesNotStopTheWriter(t *testing.T) {
	e := openNew(t)
	if err := e.writer.run("BEGIN IMMEDIATE"); err != nil { // as after a rollback that failed
		t.Fatal(err)
	}
	if err := insert(e, "a"); err != nil || !stored(t, e, "a") {
		t.Errorf("got %v", err)
	}
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	e := openAt(t, path)
	err := e.Update(t.Context(), func(c sqldb.Conn) error {
		_, err := c.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		return err
	})
	if err = errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "start the newer program") {
		t.Errorf("got %v", err)
	}
}

func TestWhatWasCommittedIsThereAfterACloseAndAnOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b#c?d%41.db")
	e := openAt(t, path)
	if err := insert(e, "a"); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !stored(t, openAt(t, path), "a") {
		t.Error("it is gone")
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.db")); err != nil || len(found) != 1 || found[0] != path {
		t.Errorf("the file is %q, not %q", found, path)
	}
}

func TestTheJournalIsSafeAgainstAPowerCut(t *testing.T) {
	e := openNew(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got any
		if err := e.writer.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s is %v, want %s (%v)", pragma, got, want, err)
		}
	}
}
