package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
// round.
func (c *backupCmd) Run(ctx context.Context) error {
	if err := os.Mkdir(c.To, 0o700); err != nil {
		return fmt.Errorf("the folder for the copy: %w", err)
	}
	err := store.CopyTo(ctx, c.Database, c.Data, filepath.Join(c.To, "quittance.db"))
	postgres := errors.Is(err, store.ErrNoFile)
	if err != nil && !postgres {
		return fmt.Errorf("copy the database: %w", err)
	}
	n, err := copyFolder(c.Data, c.To)
	if err != nil {
		return err
	}
	return c.show(map[string]any{"folder": c.To, "database": !postgres, "files": n}, func(w io.Writer) {
		if postgres {
			fmt.Fprintf(w, "The database is PostgreSQL's: copy it with pg_dump now, before anything else happens.\n")
		} else {
			fmt.Fprintf(w, "the database and %d more files are in %s\n", n, c.To)
		}
		fmt.Fprintf(w, "To put it back, copy the folder to where --data points, on a machine without one. Where the data folder is still there, put back quittance.db alone and leave its journal: it knows what happened since.\n")
	})
}

// copyFolder copies the files of a data folder that last, and returns how many.
func copyFolder(from, to string) (n int, err error) {
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		top, _, _ := strings.Cut(rel, string(filepath.Separator))
		switch {
		case slices.Contains(passing, top) || strings.HasSuffix(top, ".lock"):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !d.Type().IsRegular():
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
