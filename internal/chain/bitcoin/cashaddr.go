package bitcoin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/btcsuite/btcd/txscript"
)

// The CashAddr form of addresses, after the specification of Bitcoin Cash
// (bitcoincashorg/bitcoincash.org, spec/cashaddr.md), as far as 160-bit hashes
// go: those are what wallets of single keys and P2SH use.

// cashCharset is the alphabet of base32 in CashAddr, the one of bech32.
const cashCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// Types of a CashAddr, as in its version byte. The token-aware types (CashTokens,
// CHIP-2022-02) pay to the same scripts.
const (
	cashKey         = 0
	cashScript      = 1
	cashTokenKey    = 2
	cashTokenScript = 3
)

// cashChecksumSize is how many of the characters are the checksum.
const cashChecksumSize = 8

// encodeCash writes the address of a 20-byte hash, with its prefix.
func encodeCash(prefix string, kind byte, hash []byte) (string, error) {
	data, err := bech32.ConvertBits(append([]byte{kind << 3}, hash...), 8, 5, true)
	if err != nil {
		return "", err
	}
	sum := cashChecksum(prefix, append(slices.Clone(data), make([]byte, cashChecksumSize)...))
	var b strings.Builder
	b.WriteString(prefix + ":")
	for _, d := range data {
		b.WriteByte(cashCharset[d])
	}
	for i := range cashChecksumSize {
		b.WriteByte(cashCharset[sum>>(5*(cashChecksumSize-1-i))&31])
	}
	return b.String(), nil
}

// decodeCash reads an address with or without its prefix and gives its script.
func decodeCash(addr, prefix string) ([]byte, error) {
	if strings.ToLower(addr) != addr && strings.ToUpper(addr) != addr {
		return nil, errors.New("it mixes upper and lower case")
	}
	addr = strings.TrimPrefix(strings.ToLower(addr), prefix+":")
	var data []byte
	for i := range len(addr) {
		d := strings.IndexByte(cashCharset, addr[i])
		if d < 0 {
			return nil, fmt.Errorf("the character %q is not one of a CashAddr", addr[i])
		}
		data = append(data, byte(d))
	}
	if len(data) <= cashChecksumSize || cashChecksum(prefix, data) != 0 {
		return nil, errors.New("the checksum is wrong; a character is wrong, please copy it again")
	}
	payload, err := bech32.ConvertBits(data[:len(data)-cashChecksumSize], 5, 8, false)
	if err != nil {
		return nil, err
	}
	if len(payload) != 21 {
		return nil, fmt.Errorf("the hash has %d bytes, not 20", len(payload)-1)
	}
	switch version := payload[0]; version {
	case cashKey << 3, cashTokenKey << 3:
		return keyHashScript(payload[1:]), nil
	case cashScript << 3, cashTokenScript << 3:
		return scriptHashScript(payload[1:]), nil
	default:
		return nil, fmt.Errorf("version %d of CashAddr does not exist", version)
	}
}

// cashChecksum is the BCH code of CashAddr over the prefix, a zero and the data;
// it is 0 for data that ends with its own checksum.
func cashChecksum(prefix string, data []byte) uint64 {
	c := uint64(1)
	for i := range len(prefix) {
		c = cashStep(c, prefix[i]&31)
	}
	c = cashStep(c, 0)
	for _, d := range data {
		c = cashStep(c, d)
	}
	return c ^ 1
}

func cashStep(c uint64, d byte) uint64 {
	top := c >> 35
	c = c&0x07ffffffff<<5 ^ uint64(d)
	for i, g := range [...]uint64{0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8, 0x1e4f43e470} {
		if top>>i&1 == 1 {
			c ^= g
		}
	}
	return c
}

func keyHashScript(hash []byte) []byte {
	return slices.Concat([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash, []byte{txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG})
}

func scriptHashScript(hash []byte) []byte {
	return slices.Concat([]byte{txscript.OP_HASH160, 20}, hash, []byte{txscript.OP_EQUAL})
}
