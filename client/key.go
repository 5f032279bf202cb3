package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	//lint:ignore SA1019 the SIN is defined by this hash
	"golang.org/x/crypto/ripemd160"
)

// Key is a client's identity: a secp256k1 private key. It is a secret.
type Key struct{ priv *secp256k1.PrivateKey }

// NewKey makes a key from a source of randomness such as crypto/rand.Reader.
func NewKey(random io.Reader) (*Key, error) {
	priv, err := secp256k1.GeneratePrivateKeyFromRand(random)
	if err != nil {
		return nil, err
	}
	return &Key{priv}, nil
}

// ParseKey reads what Hex wrote: 64 hex characters.
func ParseKey(s string) (*Key, error) {
	b, err := hex.DecodeString(s)
	var n secp256k1.ModNScalar
	if err != nil || len(b) != 32 || n.SetByteSlice(b) || n.IsZero() {
		return nil, errors.New("client: not a private key of 64 hex characters")
	}
	return &Key{secp256k1.NewPrivateKey(&n)}, nil
}

// Hex is the private key, for keeping it in a safe place.
func (k *Key) Hex() string { return hex.EncodeToString(k.priv.Serialize()) }

// Identity is the compressed public key in hex, the X-Identity header.
func (k *Key) Identity() string {
	return hex.EncodeToString(k.priv.PubKey().SerializeCompressed())
}

// SIN is the identity's short name: base58 of 0x0F 0x02, the key's hash and a
// checksum.
func (k *Key) SIN() string {
	sum := sha256.Sum256(k.priv.PubKey().SerializeCompressed())
	h := ripemd160.New()
	h.Write(sum[:])
	payload := h.Sum([]byte{0x0f, 0x02})
	one := sha256.Sum256(payload)
	two := sha256.Sum256(one[:])
	return base58.Encode(append(payload, two[:4]...))
}

// Sign is the X-Signature header for the full URL and the raw body.
func (k *Key) Sign(url string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(url))
	h.Write(body)
	return hex.EncodeToString(ecdsa.Sign(k.priv, h.Sum(nil)).Serialize())
}
