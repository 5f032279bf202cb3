package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/jsonl"
)

// The journals in a data folder: the server's own, and that of the commands, which
// may run beside it.
const (
	serverJournal  = "journal.jsonl"
	commandJournal = "journal-commands.jsonl"
)

// journalLine is a line of either; the first one of the server's has the name.
type journalLine struct {
	Journal string `json:"journal,omitempty"`
	app.Note
}

// journal is what was handed out and signed, kept beside the database. It is opened
// when it is needed.
type journal struct {
	data   string
	server bool

	mu    sync.Mutex
	file  *jsonl.File[journalLine] // guarded by mu
	lock  func() error
	id    string
	notes []app.Note
}

var _ app.Journal = (*journal)(nil)

// openJournal opens the server's journal.
func openJournal(data string) (*journal, error) {
	j := &journal{data: data, server: true}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j, j.open()
}

// open reads both files and opens one of them for adding. The caller has mu.
func (j *journal) open() error {
	if j.file != nil {
		return nil
	}
	own, other := serverJournal, commandJournal
	if !j.server {
		own, other = commandJournal, serverJournal
		l, err := lockFile(filepath.Join(j.data, commandJournal+".lock"))
		if errors.Is(err, errLocked) {
			return fmt.Errorf("another command writes the journal in %s: try again when it has ended", j.data)
		}
		if err != nil {
			return err
		}
		j.lock = l.Close
	}
	lines, err := jsonl.Read[journalLine](filepath.Join(j.data, other))
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	f, err := jsonl.Open[journalLine](filepath.Join(j.data, own))
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	for _, l := range append(f.Records(), lines...) {
		if l.Journal != "" {
			j.id = l.Journal
			continue
		}
		j.notes = append(j.notes, l.Note)
	}
	slices.SortStableFunc(j.notes, func(a, b app.Note) int { return a.At.Compare(b.At) })
	if j.id == "" && j.server {
		j.id = rand.Text()
		if err := f.Append(journalLine{Journal: j.id}); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	j.file = f
	return nil
}

// ID names the journal of this data folder.
func (j *journal) ID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.open() // the next note says what is wrong
	return j.id
}

// Records lists what was noted, oldest first.
func (j *journal) Records() []app.Note {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.open()
	return slices.Clone(j.notes)
}

// Append returns once the note is on the disk.
func (j *journal) Append(n app.Note) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.open(); err != nil {
		return err
	}
	if err := j.file.Append(journalLine{Note: n}); err != nil {
		return err
	}
	j.notes = append(j.notes, n)
	return nil
}

// close lets go of the file, if it was opened.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	if j.file != nil {
		err = j.file.Close()
		j.file = nil
	}
	if j.lock != nil {
		err = errors.Join(err, j.lock())
		j.lock = nil
	}
	return err
}
