package blockfilter

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/aead/siphash"

	"github.com/quittance/quittance/internal/chain"
)

// Parameters of the basic filter (BIP 158).
const (
	p = 19      // bits of each remainder
	m = 784_931 // one false match in so many
)

// errDamaged means that a filter ends early or holds more than it says.
var errDamaged = errors.New("blockfilter: the filter is damaged")

// Matcher holds filters against scripts. It keeps its buffers from one filter to
// the next; it is for one goroutine at a time. The zero value is ready.
type Matcher struct {
	values []uint64 // of the filter, ascending
	bitmap []uint64
}

// Match reports whether a filter holds any of the scripts. hash is the block's, in
// the order of its bytes on the wire; raw is the filter as BIP 157 sends it: the
// number of elements and the Golomb-coded set. About one script in 784,931 matches
// by chance. An error means that the filter cannot be read.
func (f *Matcher) Match(hash *[32]byte, raw []byte, scripts chain.Destinations) (bool, error) {
	n, raw, err := count(raw)
	if err != nil || n == 0 {
		return false, err
	}
	if err := f.unpack(n, raw); err != nil {
		return false, err
	}
	modulus := n * m
	// About 32 bits of the map for each element.
	slots := bits.Len64(n) + 5
	shift := max(0, bits.Len64(modulus)-slots)
	f.mark(modulus, shift)
	var key [siphash.KeySize]byte
	copy(key[:], hash[:])
	for _, run := range scripts {
		for at := 0; at+run.Width <= len(run.Bytes); at += run.Width {
			v, _ := bits.Mul64(siphash.Sum64(run.Bytes[at:at+run.Width], &key), modulus)
			slot := v >> shift
			if f.bitmap[slot/64]&(1<<(slot%64)) == 0 {
				continue
			}
			if _, found := slices.BinarySearch(f.values, v); found {
				return true, nil
			}
		}
	}
	return false, nil
}

// count reads the number of elements in front of the set (a compact size).
func count(raw []byte) (n uint64, rest []byte, err error) {
	if len(raw) == 0 {
		return 0, nil, errDamaged
	}
	size := 1
	switch raw[0] {
	case 0xfd:
		size = 3
	case 0xfe:
		size = 5
	case 0xff:
		return 0, nil, errDamaged // more elements than any block has
	}
	if len(raw) < size {
		return 0, nil, errDamaged
	}
	switch size {
	case 1:
		n = uint64(raw[0])
	case 3:
		n = uint64(binary.LittleEndian.Uint16(raw[1:]))
	case 5:
		n = uint64(binary.LittleEndian.Uint32(raw[1:]))
	}
	rest = raw[size:]
	// Each element takes p bits of remainder and one that ends the quotient.
	if n > uint64(len(rest))*8/(p+1) {
		return 0, nil, errDamaged
	}
	return n, rest, nil
}

// unpack reads the set: differences of ascending values, each a quotient in unary
// and a remainder of p bits, high bits first.
func (f *Matcher) unpack(n uint64, raw []byte) error {
	f.values = slices.Grow(f.values[:0], int(n))[:0]
	var value uint64
	var window uint64 // the next bits, from the top
	have := 0
	for range n {
		quotient := uint64(0)
		for {
			if have <= 56 {
				window, have, raw = refill(window, have, raw)
			}
			if have == 0 {
				return errDamaged
			}
			ones := bits.LeadingZeros64(^window)
			if ones < have {
				quotient += uint64(ones)
				window <<= ones + 1
				have -= ones + 1
				break
			}
			quotient += uint64(have)
			window, have = 0, 0
		}
		if have < p {
			if window, have, raw = refill(window, have, raw); have < p {
				return errDamaged
			}
		}
		value += quotient<<p | window>>(64-p)
		window <<= p
		have -= p
		f.values = append(f.values, value)
	}
	if value >= n*m {
		return errDamaged
	}
	return nil
}

// refill puts as many whole bytes behind the bits that are left as there is room.
func refill(window uint64, have int, raw []byte) (uint64, int, []byte) {
	if len(raw) >= 8 {
		take := (64 - have) / 8
		next := binary.BigEndian.Uint64(raw)
		if take < 8 {
			next = next >> (64 - 8*take) << (64 - 8*take)
		}
		return window | next>>have, have + 8*take, raw[take:]
	}
	for have <= 56 && len(raw) > 0 {
		window |= uint64(raw[0]) << (56 - have)
		have += 8
		raw = raw[1:]
	}
	return window, have, raw
}

// mark draws the values into the bitmap.
func (f *Matcher) mark(modulus uint64, shift int) {
	words := int(modulus>>shift)/64 + 1
	if cap(f.bitmap) < words {
		f.bitmap = make([]uint64, words)
	}
	f.bitmap = f.bitmap[:words]
	clear(f.bitmap)
	for _, v := range f.values {
		slot := v >> shift
		f.bitmap[slot/64] |= 1 << (slot % 64)
	}
}
