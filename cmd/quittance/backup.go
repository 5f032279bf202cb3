package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/jsonl"
	"github.com/quittance/quittance/internal/store"
)

// backupCmd copies what a new machine needs.
type backupCmd struct {
	place
	To string `arg:"" help:"Folder for the copy; it must not be there yet." placeholder:"FOLDER"`
}

// passing are files of the data folder that no backup needs: the database is copied as
// a whole, locks and the record of a running sandbox are of one process, and the light
// client's headers are fetched again.
var passing = []string{"quittance.db", "quittance.db-wal", "quittance.db-shm", "server.lock", "quittance.db.lock", controlName, "light"}

// Run copies the database first and the journal after it: what the journal knows more
// than the database is found out when the copy is put back, and not the other way
// round. What cannot be copied whole is not left lying about.
func (c *backupCmd) Run(ctx context.Context) (err error) {
	// A data folder may be a link to another disk.
	data, err := filepath.EvalSymlinks(c.Data)
	if err != nil {
		return fmt.Errorf("the data folder: %w; say where the server's data is with --data", err)
	}
	if err := apart(data, c.To); err != nil {
		return err
	}
	if err := os.Mkdir(c.To, 0o700); err != nil {
		return fmt.Errorf("the folder for the copy: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(c.To))
		}
	}()
	err = store.CopyTo(ctx, c.Database, c.Data, filepath.Join(c.To, "quittance.db"))
	postgres := errors.Is(err, store.ErrNoFile)
	if err != nil && !postgres {
		return fmt.Errorf("copy the database: %w", err)
	}
	n, err := c.copyFolder(data, c.To)
	if err != nil {
		return err
	}
	if err := renameJournal(c.To); err != nil {
		return err
	}
	return c.show(map[string]any{"folder": c.To, "database": !postgres, "files": n}, func(w io.Writer) {
		if postgres {
			fmt.Fprintf(w, "%d files are in %s. The database is PostgreSQL's and is not among them: copy it with pg_dump before each backup, so that the journal is the newer of the two.\n", n, c.To)
		} else {
			fmt.Fprintf(w, "the database and %d more files are in %s\n", n, c.To)
		}
		fmt.Fprintf(w, "To put it back, copy the folder to where --data points, on a machine without one; it starts with what leaves locked until `quittance outgoing reconcile`. Where the data folder is still there, put back quittance.db alone and leave its journal: it knows what happened since.\n")
	})
}

// apart refuses a copy inside of what is copied, which would have no end.
func apart(data, to string) error {
	from, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(to))
	if err == nil {
		parent, err = filepath.Abs(parent)
	}
	if err != nil {
		return fmt.Errorf("the folder for the copy: %w", err)
	}
	rel, err := filepath.Rel(from, filepath.Join(parent, filepath.Base(to)))
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("%s is inside of the data folder: choose a folder elsewhere, best on another disk", to)
	}
	return nil
}

// renameJournal makes the copy's journal another one. A server that starts from the copy
// thereby finds that its database has never worked beside this journal, and that it may
// not know of what was paid since: it starts locked, and passes over addresses that may
// have been given out.
func renameJournal(folder string) error {
	f, err := jsonl.Open[journalLine](filepath.Join(folder, serverJournal))
	if err != nil {
		return fmt.Errorf("the copy of the journal: %w", err)
	}
	return errors.Join(f.Append(journalLine{Journal: rand.Text()}), f.Close())
}

// passes reports that a file of the data folder is not copied as it is: also a database
// of another name, whose files do not belong together while somebody writes.
func (c *backupCmd) passes(top, path string) bool {
	if slices.Contains(passing, top) || strings.HasSuffix(top, ".lock") {
		return true
	}
	file, ok := store.File(c.Database, c.Data)
	if !ok {
		return false
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		a, err1 := os.Stat(file + end)
		b, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(a, b) {
			return true
		}
	}
	return false
}

// copyFolder copies the files of a data folder that last, and returns how many.
func (c *backupCmd) copyFolder(from, to string) (n int, err error) {
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		top, _, _ := strings.Cut(rel, string(filepath.Separator))
		if c.passes(top, path) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		info, err := os.Stat(path) // of what a link leads to
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return fmt.Errorf("%s is a link to a folder, which is not followed: copy it by hand, and make the backup with --data at a folder without it", path)
		case !info.Mode().IsRegular():
			return nil
		}
		n++
		return copyFile(path, filepath.Join(to, rel))
	})
	return n, err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
