// Package jsonl keeps records in a file of JSON lines that is only ever added to,
// and that a crash in the middle of a line does not damage. It does no other I/O;
// cmd and chain/bitcoin/hot import it.
package jsonl

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// File is a memory of records of one kind. All its methods are safe for concurrent
// use in one process.
type File[T any] struct {
	mu    sync.Mutex
	list  []T
	f     *os.File
	whole int64 // bytes of complete lines
}

// Open opens a file, or begins one. A last line that a crash cut short is dropped:
// whoever wrote it was not told that it is there.
func Open[T any](path string) (*File[T], error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	m := &File[T]{f: f}
	if err = m.load(); err == nil {
		err = f.Truncate(m.whole)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return m, nil
}

func (m *File[T]) load() error {
	r := bufio.NewReader(m.f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var rec T
		if err := json.Unmarshal(line, &rec); err != nil {
			return fmt.Errorf("line %d is damaged: %w", n, err)
		}
		m.list = append(m.list, rec)
		m.whole += int64(len(line))
	}
}

// Read reads what is in a file that another process may be adding to; one that is
// not there is empty.
func Read[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &File[T]{f: f}
	err = m.load()
	return m.list, err
}

// Records lists what was kept, in order.
func (m *File[T]) Records() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

// Append writes a record and returns once it is on the disk.
func (m *File[T]) Append(r T) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b = append(b, '\n')
	if _, err = m.f.WriteAt(b, m.whole); err == nil {
		err = m.f.Sync()
	}
	if err != nil {
		// A part of a line must not stay before the next one.
		return errors.Join(err, m.f.Truncate(m.whole))
	}
	m.whole += int64(len(b))
	m.list = append(m.list, r)
	return nil
}

// Close lets go of the file.
func (m *File[T]) Close() error { return m.f.Close() }
