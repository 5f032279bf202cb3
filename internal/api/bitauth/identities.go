package bitauth

import (
	"strings"
	"sync"
)

const maxKnown = 1024

// identities remembers parsed keys by the header they came in: decompressing a
// key costs a square root, its SIN three hashes.
type identities struct {
	mu    sync.RWMutex
	byKey map[string]*Identity
}

func (k *identities) get(s string) *Identity {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.byKey[s]
}

func (k *identities) put(s string, id *Identity) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byKey == nil || len(k.byKey) >= maxKnown {
		k.byKey = map[string]*Identity{}
	}
	k.byKey[strings.Clone(s)] = id
}
