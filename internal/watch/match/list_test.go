package match

import (
	"bytes"
	"testing"
)

func TestAListKeepsEachDestinationWhole(t *testing.T) {
	const n = 30_000
	var l List
	for i := range uint64(n) {
		l.Add(script(i))
	}
	before := l.All()
	for i := range uint64(n) {
		l.Add(script(n + i))
	}
	if before.Len() != n || l.All().Len() != 2*n {
		t.Fatalf("%d, then %d destinations", before.Len(), l.All().Len())
	}
	// By kind, in the order they came.
	next := map[int]uint64{22: 0, 34: 1}
	size := 0
	for _, r := range before {
		size += cap(r.Bytes)
		for at := 0; at < len(r.Bytes); at += r.Width {
			if !bytes.Equal(r.Bytes[at:at+r.Width], script(next[r.Width])) {
				t.Fatalf("destination %d is another one", next[r.Width])
			}
			next[r.Width] += 2
		}
	}
	if size > n*28+2*chunk {
		t.Errorf("%d bytes for %d destinations", size, n)
	}
}
