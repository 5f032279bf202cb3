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
	"time"
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

// Record is one line of a signer's memory.
type Record struct {
	What      string    `json:"what"` // asked, approved or signed
	At        time.Time `json:"at"`
	Transfer  string    `json:"transfer"`
	Digest    string    `json:"digest"`
	By        string    `json:"by,omitempty"`        // approved
	Signature []byte    `json:"signature,omitempty"` // approved: over the statement
	Inputs    []string  `json:"inputs,omitempty"`    // signed: outpoints
	Values    []uint64  `json:"values,omitempty"`    // signed: what each input was said to be worth, satoshi
	Payments  []Payment `json:"payments,omitempty"`  // asked
	Fee       uint64    `json:"fee,omitempty"`       // asked, satoshi
	Leaves    uint64    `json:"leaves,omitempty"`    // asked and signed, satoshi
}

// The kinds of record.
const (
	asked    = "asked"
	approved = "approved"
	signed   = "signed"
)

// Memory is what a signer has seen, in order. Append returns once the record is
// durable: nothing is signed before.
type Memory interface {
	Records() []Record
	Append(Record) error
}

// record is a demand's line of memory.
func (d *demand) record(what, transfer string, now time.Time) *Record {
	r := &Record{What: what, At: now, Transfer: transfer, Digest: d.digest, Leaves: d.leaves}
	if what == asked {
		r.Payments, r.Fee = d.payments, d.fee
		return r
	}
	for _, in := range d.inputs {
		r.Inputs, r.Values = append(r.Inputs, in.outpoint), append(r.Values, in.value)
	}
	return r
}

// find is the first record of a kind about a packet.
func find(mem []Record, what, digest string) *Record {
	for i := range mem {
		if mem[i].What == what && mem[i].Digest == digest {
			return &mem[i]
		}
	}
	return nil
}

// File is a memory of JSON lines that is only ever added to.
type File struct {
	InMemory
	f     *os.File
	whole int64 // bytes of complete lines; guarded by mu
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
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the signer's memory %s: %w", path, err), f.Close())
	}
	m.whole = whole
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
func (m *File) Close() error { return m.f.Close() }
