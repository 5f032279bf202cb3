package hot

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// InMemory forgets with the process. For tests.
type InMemory struct {
	mu   sync.Mutex
	list []Record
}

// Records lists what was kept.
func (m *InMemory) Records() []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

// Append keeps a record.
func (m *InMemory) Append(r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, r)
	return nil
}

// File is a memory of JSON lines that is only ever added to.
type File struct {
	InMemory
	f *os.File
}

// OpenFile opens a memory, or begins one. A last line that a crash cut short is
// dropped: nothing was signed for it.
func OpenFile(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	m := &File{f: f}
	whole, err := m.load()
	if err == nil {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the signer's memory %s: %w", path, err), f.Close())
	}
	return m, nil
}

func (m *File) load() (whole int64, err error) {
	r := bufio.NewReader(m.f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		var rec Record
		if err := json.Unmarshal(line, &rec); err != nil {
			return whole, fmt.Errorf("line %d is damaged: %w", n, err)
		}
		m.list = append(m.list, rec)
		whole += int64(len(line))
	}
}

// Append writes a record and returns once it is on the disk.
func (m *File) Append(r Record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.f.Write(append(b, '\n')); err != nil {
		return err
	}
	if err := m.f.Sync(); err != nil {
		return err
	}
	m.list = append(m.list, r)
	return nil
}

// Close lets go of the file.
func (m *File) Close() error { return m.f.Close() }
