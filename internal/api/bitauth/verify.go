package bitauth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/quittance/quittance/internal/merchant"
)

// The refusals, in the words the original middleware uses.
var (
	//lint:ignore ST1005 the text is the API's
	ErrKey = errors.New("Bad public key from identity")
	//lint:ignore ST1005 the text is the API's
	ErrSignature = errors.New("Invalid signature")
)

// Identity is a client's public key.
type Identity struct {
	key        *secp256k1.PublicKey
	compressed [33]byte
	sin        string
}

// ParseIdentity reads the X-Identity header: a compressed (66 hex characters) or
// uncompressed (130) secp256k1 public key, in either letter case.
func ParseIdentity(s string) (*Identity, error) {
	if len(s) != 66 && len(s) != 130 {
		return nil, ErrKey
	}
	raw, err := hex.DecodeString(s)
	if err != nil || raw[0] == 6 || raw[0] == 7 { // the hybrid form is nobody's
		return nil, ErrKey
	}
	key, err := secp256k1.ParsePubKey(raw)
	if err != nil {
		return nil, ErrKey
	}
	id := &Identity{key: key}
	copy(id.compressed[:], key.SerializeCompressed())
	id.sin = merchant.SIN(id.compressed[:])
	return id, nil
}

// SIN is the identity's short name.
func (id *Identity) SIN() string { return id.sin }

// Signature is a parsed X-Signature header.
type Signature struct{ r, s secp256k1.ModNScalar }

// ParseSignature reads the X-Signature header: strict DER in hex, R and S from 1
// to the group order less one.
func ParseSignature(s string) (*Signature, error) {
	if len(s) > 2*72 {
		return nil, ErrSignature
	}
	raw, err := hex.DecodeString(s)
	if err != nil {
		return nil, ErrSignature
	}
	return parseDER(raw)
}

func parseDER(raw []byte) (*Signature, error) {
	sig, err := ecdsa.ParseDERSignature(raw)
	if err != nil {
		return nil, ErrSignature
	}
	return &Signature{r: sig.R(), s: sig.S()}, nil
}

// LowS is the one spelling that a signature and its mirror image share.
func (sig *Signature) LowS() [64]byte {
	s := sig.s
	if s.IsOverHalfOrder() {
		s.Negate()
	}
	var out [64]byte
	sig.r.PutBytesUnchecked(out[:32])
	s.PutBytesUnchecked(out[32:])
	return out
}

// Verifier checks signatures and remembers keys that come often. It is safe for
// concurrent use.
type Verifier struct {
	hot   hotKeys
	known identities
}

// Identity is ParseIdentity, from memory where it can.
func (v *Verifier) Identity(s string) (*Identity, error) {
	if id := v.known.get(s); id != nil {
		return id, nil
	}
	id, err := ParseIdentity(s)
	if err == nil {
		v.known.put(s, id)
	}
	return id, err
}

// Verify reports whether the identity signed the message: SHA-256 of the parts,
// one after the other.
func (v *Verifier) Verify(id *Identity, sig *Signature, parts ...[]byte) bool {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	var digest [32]byte
	return v.verifyHash(id, sig, h.Sum(digest[:0]))
}

// verifyHash is the ECDSA check (SEC 1, 4.1.4): the point e/s·G + r/s·Q must
// have an x-coordinate that is r modulo the group order.
func (v *Verifier) verifyHash(id *Identity, sig *Signature, hash []byte) bool {
	if t := v.hot.table(id); t != nil {
		return t.verify(sig, hash)
	}
	if !ecdsa.NewSignature(&sig.r, &sig.s).Verify(hash, id.key) {
		return false
	}
	v.hot.signed(id)
	return true
}
