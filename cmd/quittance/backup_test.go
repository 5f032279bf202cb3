package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/jsonl"
	"github.com/quittance/quittance/internal/store"
)

// dataFolder is one that a server has worked in, with what a backup is about.
func dataFolder(t *testing.T, database string) (folder, id string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "data?")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), database, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	j, err := openJournal(folder)
	if err != nil {
		t.Fatal(err)
	}
	id = j.ID()
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "hot"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keys.jsonl", "hot/seed"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder, id
}

func backup(t *testing.T, data, database, to string) error {
	t.Helper()
	return (&backupCmd{place: place{Data: data, Database: database, JSON: true}, To: to}).Run(t.Context())
}

// holds fails unless a copy has what a new machine needs, and a journal of its own.
func holds(t *testing.T, copied, id string) {
	t.Helper()
	for _, name := range []string{"quittance.db", "keys.jsonl", "hot/seed", serverJournal} {
		if _, err := os.Stat(filepath.Join(copied, name)); err != nil {
			t.Errorf("the copy has no %s: %v", name, err)
		}
	}
	j, err := openJournal(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	if j.ID() == id {
		t.Error("the copy cannot be told from the machine it was made on: what waits in it would be paid again")
	}
}

// A backup holds everything wherever the data really is, and can be told from what it
// was made of, so that a server starts locked on it.
func TestABackupHoldsEverythingWhereverItIs(t *testing.T) {
	t.Run("behind a link", func(t *testing.T) {
		data, id := dataFolder(t, "")
		link, elsewhere := filepath.Join(t.TempDir(), "link"), filepath.Join(t.TempDir(), "keys")
		if err := os.Symlink(data, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(data, "keys.jsonl"), elsewhere); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(elsewhere, filepath.Join(data, "keys.jsonl")); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "copy")
		if err := backup(t, link, "", to); err != nil {
			t.Fatal(err)
		}
		holds(t, to, id)
	})
	t.Run("under another name", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "shop.db")
		data, id := dataFolder(t, file)
		inside := filepath.Join(data, "shop.db")
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Link(file+end, inside+end); err != nil {
				t.Fatal(err)
			}
		}
		to := filepath.Join(t.TempDir(), "copy")
		if err := backup(t, data, inside, to); err != nil {
			t.Fatal(err)
		}
		holds(t, to, id)
		left, err := filepath.Glob(filepath.Join(to, "shop.db*"))
		if err != nil || len(left) > 0 {
			t.Errorf("files of the live database were copied one by one: %v, %v", left, err)
		}
	})
}

// What cannot be copied is refused in a sentence, and nothing is left lying about that
// looks like a copy.
func TestABackupThatCannotBeMadeLeavesNothing(t *testing.T) {
	data, _ := dataFolder(t, "")
	again := filepath.Join(t.TempDir(), "again")
	if err := os.Symlink(data, again); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for want, c := range map[string]struct{ data, to string }{
		"inside of the data folder":  {data, filepath.Join(data, "copy")},
		"is inside of the data":      {again, filepath.Join(data, "hot", "copy")},
		"is inside":                  {data, filepath.Join(again, "copy")},
		"copy the database":          {empty, filepath.Join(t.TempDir(), "copy")},
		"say where the server's":     {filepath.Join(empty, "none"), filepath.Join(t.TempDir(), "copy")},
		"the folder for the copy: m": {data, filepath.Dir(data)},
	} {
		existed := false
		if _, err := os.Stat(c.to); err == nil {
			existed = true
		}
		if err := backup(t, c.data, "", c.to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if _, err := os.Stat(c.to); !existed && err == nil {
			t.Errorf("%s is left there", c.to)
		}
	}
	if _, err := jsonl.Read[journalLine](filepath.Join(data, serverJournal)); err != nil {
		t.Error(err)
	}
}
