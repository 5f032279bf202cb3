package match

import (
	"sync"

	"github.com/quittance/quittance/internal/chain"
)

// List keeps destinations themselves, packed by their length: 22 bytes for a
// P2WPKH script, 34 for P2TR. All methods are safe for concurrent use.
type List struct {
	mu   sync.Mutex
	runs []chain.Run // full ones, and for each width the one that is filled
	open map[int]int // by width, the place of that one in runs
}

// chunk is how many bytes are taken at once: what is kept is never copied.
const chunk = 1 << 18

// Add keeps a destination. It does not look whether it is there already.
func (l *List) Add(to []byte) {
	w := len(to)
	if w == 0 {
		return // no filter holds an empty script
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i, ok := l.open[w]
	if !ok || len(l.runs[i].Bytes)+w > cap(l.runs[i].Bytes) {
		size := chunk / w * w
		if !ok {
			size = min(size, 64*w) // most lists are short
		}
		if l.open == nil {
			l.open = map[int]int{}
		}
		i = len(l.runs)
		l.open[w] = i
		l.runs = append(l.runs, chain.Run{Width: w, Bytes: make([]byte, 0, max(size, w))})
	}
	l.runs[i].Bytes = append(l.runs[i].Bytes, to...)
}

// All is what is kept at present. It stays as it is while the list grows.
func (l *List) All() chain.Destinations {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(chain.Destinations(nil), l.runs...)
}
