package bitauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
)

// mutant is a signed request of which one part was changed.
type mutant struct {
	original, sig string // as made, as sent
	url, body     []byte
	changed       string
}

// accepted is the whole check of a request, through the table.
func (m mutant) accepted(hot *keyTable) bool {
	sig, err := ParseSignature(m.sig)
	if err != nil {
		return false
	}
	h := sha256.New()
	h.Write(m.url)
	h.Write(m.body)
	return hot.verify(sig, h.Sum(nil))
}

// isMirror reports that only S was replaced by its negative, or that the hex is
// the same in another letter case: the one signature in another spelling.
func (m mutant) isMirror() bool {
	a, err1 := ParseSignature(m.original)
	b, err2 := ParseSignature(m.sig)
	return m.changed == "signature" && err1 == nil && err2 == nil && a.LowS() == b.LowS()
}

// sign makes the nth good request.
func sign(signer *Signer, n int) mutant {
	m := mutant{url: fmt.Appendf(nil, "https://pay.example.com/invoices/%d", n), body: fmt.Appendf(nil, `{"price":%d,"currency":"USD"}`, n)}
	m.original = signer.Sign(string(m.url), m.body)
	m.sig = m.original
	return m
}

func mutate(r *rand.Rand, m mutant) mutant {
	switch r.IntN(8) {
	case 0:
		m.changed, m.url = "url", spoil(r, m.url)
	case 1:
		m.changed, m.body = "body", spoil(r, m.body)
	case 2:
		// Moving the boundary signs the same bytes; change the bytes as well.
		m.changed, m.url = "url", append(spoil(r, m.url), m.body[:1]...)
	case 3:
		m.changed, m.sig = "signature", mirror(m.original)
	case 4:
		m.changed, m.sig = "signature", arithmetic(r, m.original)
	default:
		raw, _ := hex.DecodeString(m.original)
		m.changed, m.sig = "signature", hex.EncodeToString(spoil(r, raw))
	}
	return m
}

// spoil changes bytes: a flipped bit, a new byte, one left out, put in, doubled
// or swapped; the result always differs.
func spoil(r *rand.Rand, b []byte) []byte {
	for {
		out := bytes.Clone(b)
		i := r.IntN(len(out))
		switch r.IntN(6) {
		case 0:
			out[i] ^= 1 << r.IntN(8)
		case 1:
			out[i] = byte(r.Uint32())
		case 2:
			out = append(out[:i], out[i+1:]...)
		case 3:
			out = append(out[:i], append([]byte{byte(r.Uint32())}, out[i:]...)...)
		case 4:
			out = append(out[:i:i], append([]byte{b[i]}, b[i:]...)...)
		case 5:
			j := r.IntN(len(out))
			out[i], out[j] = out[j], out[i]
		}
		if !bytes.Equal(out, b) {
			return out
		}
	}
}

func mirror(sig string) string {
	s, _ := ParseSignature(sig)
	s.s.Negate()
	// The library writes low S only, so the high one is written here.
	return der(bigOf(&s.r), bigOf(&s.s))
}

func bigOf(s interface{ Bytes() [32]byte }) *big.Int {
	b := s.Bytes()
	return new(big.Int).SetBytes(b[:])
}

var groupOrder, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// arithmetic changes R and S as numbers: beyond the order, negative, swapped, zero.
func arithmetic(r *rand.Rand, sig string) string {
	s, _ := ParseSignature(sig)
	R, S := bigOf(&s.r), bigOf(&s.s)
	switch r.IntN(7) {
	case 0:
		R.Add(R, groupOrder)
	case 1:
		S.Add(S, groupOrder)
	case 2:
		R.Neg(R)
	case 3:
		S.Neg(S)
	case 4:
		R, S = S, R
	case 5:
		S.SetInt64(0)
	case 6:
		R.SetInt64(0)
	}
	return der(R, S)
}

// der writes two whole numbers the way ASN.1 does, negative ones too.
func der(r, s *big.Int) string {
	body := append(derInt(r), derInt(s)...)
	return hex.EncodeToString(append([]byte{0x30, byte(len(body))}, body...))
}

func derInt(n *big.Int) []byte {
	b := n.Bytes()
	if n.Sign() < 0 {
		mod := new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)+8))
		b = new(big.Int).Add(mod, n).Bytes()
	}
	if len(b) == 0 || n.Sign() > 0 && b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return append([]byte{2, byte(len(b))}, b...)
}
