package store_test

import (
	"path/filepath"
	"strings"
	"testing"

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
