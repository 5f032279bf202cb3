package migrations

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// merged shows several folders of steps as one: what both engines share and what
// only one of them needs.
type merged []fs.FS

// steps are those of one engine.
func steps(d Dialect) (fs.FS, error) {
	own, err := fs.Sub(files, map[Dialect]string{SQLite: "sqlite", Postgres: "postgres"}[d])
	return merged{files, own}, err
}

// Open opens the file of the first folder that has it.
func (m merged) Open(name string) (fs.File, error) {
	for _, f := range m {
		file, err := f.Open(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists the files of all folders, by name.
func (m merged) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, f := range m {
		list, err := fs.ReadDir(f, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(list, fs.DirEntry.IsDir)...)
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
