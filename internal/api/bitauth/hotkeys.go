package bitauth

import (
	"sync"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// A merchant's server signs every request with the same key. For such a key the
// multiples of each power of 16 are kept, so that a check costs additions only.
const (
	hotAfter = 8  // checks before a key gets a table
	maxHot   = 64 // tables kept; each is about 80 KB
	maxSeen  = 4096
)

type hotKeys struct {
	mu     sync.Mutex
	tables map[[33]byte]*keyTable
	seen   map[[33]byte]int
}

// table returns the key's table, if it has earned one. Building it takes about
// a millisecond and is done by the request that earned it.
func (h *hotKeys) table(id *Identity) *keyTable {
	h.mu.Lock()
	if t, ok := h.tables[id.compressed]; ok {
		h.mu.Unlock()
		return t
	}
	if h.seen == nil || len(h.seen) >= maxSeen {
		h.seen = map[[33]byte]int{}
	}
	h.seen[id.compressed]++
	earned := h.seen[id.compressed] == hotAfter
	h.mu.Unlock()
	if !earned {
		return nil
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
	return t
}

// keyTable holds d·16^i·Q for each digit d from 1 to 15 and place i.
type keyTable struct {
	points [64][15]secp256k1.JacobianPoint
}

func newKeyTable(key *secp256k1.PublicKey) *keyTable {
	t := new(keyTable)
	var base secp256k1.JacobianPoint
	key.AsJacobian(&base)
	for i := range t.points {
		row := &t.points[i]
		row[0].Set(&base)
		for d := 1; d < len(row); d++ {
			secp256k1.AddNonConst(&row[d-1], &base, &row[d])
		}
		var next secp256k1.JacobianPoint
		secp256k1.AddNonConst(&row[14], &base, &next)
		base.Set(&next)
		for d := range row {
			row[d].ToAffine()
		}
		base.ToAffine()
	}
	return t
}

func (t *keyTable) verify(sig *Signature, hash []byte) bool {
	var e, w, u1, u2 secp256k1.ModNScalar
	e.SetByteSlice(hash)
	w.InverseValNonConst(&sig.s)
	u1.Mul2(&e, &w)
	u2.Mul2(&sig.r, &w)
	var sum, step secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(&u1, &sum)
	digits := u2.Bytes()
	for i, b := range digits {
		place := 2 * (len(digits) - 1 - i)
		for k, d := range [2]byte{b & 15, b >> 4} {
			if d != 0 {
				secp256k1.AddNonConst(&sum, &t.points[place+k][d-1], &step)
				sum.Set(&step)
			}
		}
	}
	if sum.X.IsZero() && sum.Y.IsZero() || sum.Z.IsZero() {
		return false
	}
	sum.ToAffine()
	x := *sum.X.Bytes()
	var r secp256k1.ModNScalar
	r.SetBytes(&x)
	return r.Equals(&sig.r)
}
