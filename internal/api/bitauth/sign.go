package bitauth

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Signer is a client's private key.
type Signer struct{ key *secp256k1.PrivateKey }

// NewSigner takes a private key of 32 bytes, from 1 to the group order less one.
func NewSigner(key []byte) (*Signer, error) {
	var k secp256k1.ModNScalar
	if len(key) != 32 || k.SetByteSlice(key) || k.IsZero() {
		return nil, fmt.Errorf("not a secp256k1 private key")
	}
	return &Signer{secp256k1.NewPrivateKey(&k)}, nil
}

// Identity is the X-Identity header.
func (s *Signer) Identity() string {
	return hex.EncodeToString(s.key.PubKey().SerializeCompressed())
}

// Sign returns the X-Signature header for a URL and a raw body.
func (s *Signer) Sign(url string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(url))
	h.Write(body)
	return hex.EncodeToString(ecdsa.Sign(s.key, h.Sum(nil)).Serialize())
}
