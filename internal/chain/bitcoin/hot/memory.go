package hot

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/jsonl"
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

// File is a memory on the disk.
type File = jsonl.File[Record]

// OpenFile opens a memory, or begins one. A last line that a crash cut short is
// dropped: nothing was signed for it.
func OpenFile(path string) (*File, error) {
	m, err := jsonl.Open[Record](path)
	if err != nil {
		err = fmt.Errorf("the signer's memory: %w", err)
	}
	return m, err
}
