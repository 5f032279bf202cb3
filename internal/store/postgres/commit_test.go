package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/internal/store/postgres"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// wire is a proxy before the server that cuts the connection of the next commit.
type wire struct {
	t      *testing.T
	target string // host:port, or the path of a socket
	ln     net.Listener
	cut    atomic.Int32 // what happens to the next commit
	cuts   atomic.Int32 // commits that were cut
	commit atomic.Value // []byte: under which name COMMIT was prepared
	done   sync.WaitGroup
}

const (
	pass   = iota
	before // the commit is thrown away
	after  // the commit is passed on, its answer is not
)

// newWire puts a wire before the server at a URL and returns the URL through it.
func newWire(t *testing.T, dbURL string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := pgx.ParseConfig(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, target: net.JoinHostPort(cfg.Host, "5432")}
	if strings.HasPrefix(cfg.Host, "/") {
		w.target = cfg.Host + "/.s.PGSQL.5432"
	} else if u.Port() != "" {
		w.target = u.Host
	}
	if w.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w.done.Go(w.serve)
	t.Cleanup(func() {
		w.ln.Close()
		w.done.Wait()
	})
	q := u.Query()
	q.Del("host")
	q.Set("user", cfg.User)
	q.Set("sslmode", "disable")
	u.RawQuery, u.Host = q.Encode(), w.ln.Addr().String()
	return w, u.String()
}

func (w *wire) serve() {
	for {
		client, err := w.ln.Accept()
		if err != nil {
			return
		}
		network := "tcp"
		if strings.HasPrefix(w.target, "/") {
			network = "unix"
		}
		server, err := net.Dial(network, w.target)
		if err != nil {
			w.t.Error(err)
			client.Close()
			return
		}
		mute := new(atomic.Bool)
		w.done.Go(func() { w.forward(client, server, mute) })
		w.done.Go(func() { answer(client, server, mute) })
	}
}

// forward passes on what the client says. The mark and COMMIT of an operation
// travel together, in one packet.
func (w *wire) forward(client, server net.Conn, mute *atomic.Bool) {
	defer client.Close()
	defer server.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		mode := int32(pass)
		if w.commits(buffer[:n]) {
			mode = w.cut.Swap(pass)
		}
		if mode != pass {
			w.cuts.Add(1)
		}
		if mode == before {
			return
		}
		mute.Store(mode == after)
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// answer passes on what the server says, or hangs up instead.
func answer(client, server net.Conn, mute *atomic.Bool) {
	defer client.Close()
	defer server.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil || mute.Load() {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// commits reports whether what the client says commits a transaction: the
// statement is named when it is prepared, and run by its name.
func (w *wire) commits(said []byte) bool {
	const prefix = "stmtcache_"
	if end := bytes.Index(said, []byte("\x00COMMIT\x00")); end >= 0 {
		if start := bytes.LastIndex(said[:end], []byte(prefix)); start >= 0 {
			w.commit.Store(bytes.Clone(said[start : end+1]))
		}
		return false
	}
	name, known := w.commit.Load().([]byte)
	return known && bytes.Contains(said, name)
}

func open(t *testing.T, url string) *postgres.Engine {
	t.Helper()
	e, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func insert(ctx context.Context, e *postgres.Engine, id string) error {
	return e.Update(ctx, func(c sqldb.Conn) error {
		_, err := c.Exec(ctx, `INSERT INTO session (id, sin, last_number, last_used) VALUES ($1, '', 0, 0)`, id)
		return err
	})
}

func stored(t *testing.T, e *postgres.Engine, id string) bool {
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

func TestACommitWhoseAnswerIsLostIsReportedAsItTurnedOut(t *testing.T) {
	w, url := newWire(t, pgtest.Open(t))
	e := open(t, url)
	// Statements are prepared on first use, so the connection is used before.
	for i := range 3 {
		if err := insert(t.Context(), e, strings.Repeat("w", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		id := strings.Repeat("x", i+1)
		w.cut.Store(after)
		err := insert(t.Context(), e, id)
		if err != nil || !stored(t, e, id) {
			t.Errorf("the answer was lost: reported %v, stored %v", err, stored(t, e, id))
		}
		id = strings.Repeat("y", i+1)
		w.cut.Store(before)
		err = insert(t.Context(), e, id)
		if err == nil || errors.Is(err, sqldb.ErrUnknownOutcome) || stored(t, e, id) {
			t.Errorf("the commit was thrown away: reported %v, stored %v", err, stored(t, e, id))
		}
	}
	if n := w.cuts.Load(); n != 10 {
		t.Errorf("%d commits were cut, not 10", n)
	}
	if err := insert(t.Context(), e, "z"); err != nil || !stored(t, e, "z") {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNodesThatStartTogetherMakeOneSchema(t *testing.T) {
	url := pgtest.Open(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			e, err := postgres.Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	url := pgtest.Open(t)
	e := open(t, url)
	err := e.Update(t.Context(), func(c sqldb.Conn) error {
		_, err := c.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Open(t.Context(), url)
	if err == nil || !strings.Contains(err.Error(), "start the newer program") {
		t.Errorf("got %v", err)
	}
}

func TestOperationsThatMeetOnARowAreRepeated(t *testing.T) {
	e := open(t, pgtest.Open(t))
	if err := insert(t.Context(), e, "s"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				err := e.Update(t.Context(), func(c sqldb.Conn) error {
					var n int64
					if err := c.QueryRow(t.Context(), `SELECT last_number FROM session WHERE id = 's'`).Scan(&n); err != nil {
						return err
					}
					_, err := c.Exec(t.Context(), `UPDATE session SET last_number = $1 WHERE id = 's'`, n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	var n int64
	_ = e.View(t.Context(), func(c sqldb.Conn) error {
		return c.QueryRow(t.Context(), `SELECT last_number FROM session WHERE id = 's'`).Scan(&n)
	})
	if n != 80 {
		t.Errorf("counted to %d of 80", n)
	}
}
