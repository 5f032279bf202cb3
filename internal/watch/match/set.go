package match

import (
	"hash/maphash"
	"sync"

	"github.com/quittance/quittance/internal/chain"
)

// Set is a growing set of watched destinations. It takes 12 to 23 bytes per
// destination, and half as much again while it is being rebuilt. All methods
// are safe for concurrent use; readers do not block one another.
type Set struct {
	seed maphash.Seed // random per set, so nobody can make destinations collide

	mu     sync.RWMutex
	table  []uint64 // open addressing, linear probing, 0 is empty
	filter []uint64 // Bloom filter in which a hash touches one word only
	count  int
	limit  int // entries at which the set is rebuilt at twice the size
}

const (
	minTable = 64 // slots
	// loadOf8 eighths of the slots are used at most. Long probes for strangers
	// hardly matter, since the filter turns nearly all of them away.
	loadOf8 = 7
	// The filter has a word for every four slots of the table, which is 18 bits
	// per destination or more.
	slotsPerWord = 4
	// batch is how many outputs are hashed before their filter words are read,
	// so that the reads, which miss the cache in a large set, overlap.
	batch = 256
)

// New returns an empty set with room for capacityHint destinations; it grows
// beyond them by itself.
func New(capacityHint int) *Set {
	s := &Set{seed: maphash.MakeSeed()}
	slots := minTable
	for slots/8*loadOf8 < capacityHint {
		slots *= 2
	}
	s.allocate(slots)
	return s
}

// Add watches a destination. Adding it again does nothing.
func (s *Set) Add(to []byte) { s.AddNew(to) }

// AddNew is Add and reports whether the destination was not watched before. One
// that shares its hash with another counts as watched: among a million
// destinations that happens once in 37 million sets.
func (s *Set) AddNew(to []byte) bool {
	h := s.hash(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(h) {
		return false
	}
	if s.count == s.limit {
		s.grow()
	}
	s.insert(h)
	return true
}

// Contains reports whether a destination is watched.
func (s *Set) Contains(to []byte) bool {
	h := s.hash(to)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.maybe(h) && s.find(h)
}

// Len is the number of watched destinations.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.count
}

// candidate is a payment of the block and the hash of its destination.
type candidate struct {
	hash    uint64
	tx      int32
	payment int32
}

// Match calls visit for every payment of the block to a watched destination,
// in the block's order. visit must not call Add on the same set.
func (s *Set) Match(block *chain.Block, visit func(tx *chain.Tx, p *chain.Payment)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.count == 0 {
		return
	}
	var buffer [batch]candidate
	n := 0
	flush := func() {
		for _, c := range s.filtered(buffer[:n]) {
			if s.find(c.hash) {
				tx := &block.Txs[c.tx]
				visit(tx, &tx.Payments[c.payment])
			}
		}
		n = 0
	}
	for i := range block.Txs {
		payments := block.Txs[i].Payments
		for j := range payments {
			buffer[n] = candidate{s.hash(payments[j].To), int32(i), int32(j)}
			if n++; n == batch {
				flush()
			}
		}
	}
	flush()
}

// filtered moves what the filter lets pass to the front.
func (s *Set) filtered(list []candidate) []candidate {
	n := 0
	for _, c := range list {
		if s.maybe(c.hash) {
			list[n] = c
			n++
		}
	}
	return list[:n]
}

// hash is the keyed hash of a destination, never 0.
func (s *Set) hash(to []byte) uint64 {
	return max(1, maphash.Bytes(s.seed, to))
}

// maybe is the filter's answer: false is certain.
func (s *Set) maybe(h uint64) bool {
	bits := pattern(h)
	return s.filter[s.slot(h)/slotsPerWord]&bits == bits
}

// slot is where the table is probed first. The low bits choose it, and the
// filter's pattern takes the high ones, so the two are independent up to 2^40
// slots.
func (s *Set) slot(h uint64) uint64 { return h & uint64(len(s.table)-1) }

// pattern is the up to four bits of a hash in its word of the filter.
func pattern(h uint64) uint64 {
	return 1<<(h>>58) | 1<<(h>>52&63) | 1<<(h>>46&63) | 1<<(h>>40&63)
}

func (s *Set) find(h uint64) bool {
	mask := uint64(len(s.table) - 1)
	for i := s.slot(h); ; i = (i + 1) & mask {
		switch s.table[i] {
		case h:
			return true
		case 0:
			return false
		}
	}
}

func (s *Set) insert(h uint64) {
	mask := uint64(len(s.table) - 1)
	i := s.slot(h)
	for s.table[i] != 0 {
		i = (i + 1) & mask
	}
	s.table[i] = h
	s.filter[s.slot(h)/slotsPerWord] |= pattern(h)
	s.count++
}

func (s *Set) grow() {
	old := s.table
	s.allocate(2 * len(old))
	for _, h := range old {
		if h != 0 {
			s.insert(h)
		}
	}
}

// allocate makes an empty table with so many slots, a power of two, and its
// filter.
func (s *Set) allocate(slots int) {
	s.table = make([]uint64, slots)
	s.filter = make([]uint64, slots/slotsPerWord)
	s.count = 0
	s.limit = slots / 8 * loadOf8
}
