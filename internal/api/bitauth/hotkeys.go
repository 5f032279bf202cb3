package bitauth

import (
	"sync"
)

// A merchant's server signs every request with the same key. For such a key the
// multiples of each power of 256 are kept, so that a check costs additions only.
const (
	hotAfter = 32 // good signatures before a key gets a table
	maxHot   = 16 // tables kept; each is about 650 KB
	maxSeen  = 4096
)

type hotKeys struct {
	mu     sync.Mutex
	tables map[[33]byte]*keyTable
	seen   map[[33]byte]int
}

// table returns the key's table, if it has one.
func (h *hotKeys) table(id *Identity) *keyTable {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tables[id.compressed]
}

// signed counts a good signature and gives the key its table once it earned one.
// Bad ones do not count: nobody makes the server build tables by guessing.
func (h *hotKeys) signed(id *Identity) {
	h.mu.Lock()
	if h.seen == nil || len(h.seen) >= maxSeen {
		h.seen = map[[33]byte]int{}
	}
	h.seen[id.compressed]++
	earned := h.seen[id.compressed] == hotAfter
	h.mu.Unlock()
	if !earned {
		return
	}
	t := newKeyTable(id.key)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tables == nil {
		h.tables = map[[33]byte]*keyTable{}
	}
	if len(h.tables) >= maxHot {
		for k := range h.tables { // any: the ones in use come back soon
			delete(h.tables, k)
			break
		}
	}
	h.tables[id.compressed] = t
	delete(h.seen, id.compressed)
}
