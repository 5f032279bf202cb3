package store_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/internal/store/storetest"
)

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, "") })
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, pgtest.Open(t)) })
}

func TestURLsChooseTheEngine(t *testing.T) {
	dir := t.TempDir()
	for _, url := range []string{"", filepath.Join(dir, "a b?c#d.db"), "sqlite:" + filepath.Join(dir, "x.db"), "sqlite://" + filepath.Join(dir, "y.db")} {
		s := open(t, url)
		if s.Engine() != "sqlite" {
			t.Errorf("%s is %s", url, s.Engine())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := store.Open(t.Context(), "mysql://x", dir); err == nil || !strings.Contains(err.Error(), "postgres://") {
		t.Errorf("mysql gives %v", err)
	}
}

// Whoever reaches the database past the program cannot change the books either,
// short of taking the guard away.
func TestTheDatabaseKeepsTheLedger(t *testing.T) {
	file, server := filepath.Join(t.TempDir(), "ledger.db"), pgtest.Open(t)
	for _, c := range []struct{ driver, url, dsn string }{{"sqlite", "sqlite:" + file, "file:" + file}, {"pgx", server, server}} {
		t.Run(c.driver, func(t *testing.T) {
			s := open(t, c.url)
			t.Cleanup(func() { s.Close() })
			raw, err := sql.Open(c.driver, c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { raw.Close() })
			storetest.Final(t, s, func(q string) error {
				_, err := raw.ExecContext(t.Context(), q)
				return err
			})
		})
	}
}
