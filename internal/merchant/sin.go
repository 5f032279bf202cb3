package merchant

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"github.com/btcsuite/btcd/btcutil/base58"
	//lint:ignore SA1019 the SIN is defined by this hash
	"golang.org/x/crypto/ripemd160"
)

// A SIN is base58(0x0F 0x02 ‖ RIPEMD160(SHA256(key)) ‖ checksum): 26 bytes.
const sinLen = 26

// ErrSIN means that a text is not a SIN: wrong alphabet, length, prefix or checksum.
var ErrSIN = errors.New("not a SIN: expected 35 characters that start with T and a valid checksum")

// SIN derives the identity of a compressed secp256k1 public key (33 bytes).
func SIN(compressedKey []byte) string {
	digest := sha256.Sum256(compressedKey)
	h := ripemd160.New()
	h.Write(digest[:])
	payload := h.Sum([]byte{0x0f, 0x02})
	return base58.Encode(append(payload, sinChecksum(payload)...))
}

// CheckSIN verifies the form and the checksum of a SIN.
func CheckSIN(s string) error {
	if len(s) > 40 {
		return ErrSIN
	}
	b := base58.Decode(s)
	if len(b) != sinLen || b[0] != 0x0f || b[1] != 0x02 {
		return ErrSIN
	}
	if !bytes.Equal(b[22:], sinChecksum(b[:22])) {
		return ErrSIN
	}
	return nil
}

func sinChecksum(payload []byte) []byte {
	one := sha256.Sum256(payload)
	two := sha256.Sum256(one[:])
	return two[:4]
}
