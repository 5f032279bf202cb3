package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/quittance/quittance/internal/store"
)

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked by another process")

// lock keeps a second server off what one server at a time may work on: the
// data folder, and a SQLite file wherever it is, because a server watches only
// the addresses that it made in it itself. The system lets go of the locks when
// the process ends, however it ends.
func (p *program) lock() error {
	if err := os.MkdirAll(p.conf.Data, 0o700); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	places := []string{filepath.Join(p.conf.Data, "server.lock")}
	if file, ok := store.File(p.conf.Database, p.conf.Data); ok {
		places = append(places, file+".lock")
	}
	for _, path := range places {
		f, err := lockFile(path)
		if errors.Is(err, errLocked) {
			return fmt.Errorf("another quittance server works here (%s is locked): stop it first, or choose another --data (and --database)", path)
		}
		if err != nil {
			return fmt.Errorf("lock %s: %w", path, err)
		}
		p.locks = append(p.locks, f)
	}
	return nil
}
