package bitcoin

import (
	"fmt"
	"strings"
)

// The two character sets of BIP 380: what a descriptor may hold, ordered so
// that likely typing errors stay within a group of 32, and what a checksum may.
const (
	descriptorInput = "0123456789()[],'/*abcdefgh@:$%{}" +
		"IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~" +
		"ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
	descriptorOutput = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
)

// descriptorForms are the output descriptors of the kinds of account (BIP 381,
// 382 and 386).
var descriptorForms = map[Kind]string{BIP44: "pkh(%s)", BIP49: "sh(wpkh(%s))", BIP84: "wpkh(%s)", BIP86: "tr(%s)"}

// DescriptorChecksum is the eight-character checksum of a descriptor text
// without "#…" (BIP 380). It refuses characters a descriptor cannot hold.
func DescriptorChecksum(descriptor string) (string, error) {
	c := uint64(1)
	group, count := 0, 0
	for i := range len(descriptor) {
		pos := strings.IndexByte(descriptorInput, descriptor[i])
		if pos < 0 {
			return "", fmt.Errorf("bitcoin: a descriptor cannot hold the byte %#02x", descriptor[i])
		}
		c = descriptorStep(c, pos&31)
		group, count = group*3+pos>>5, count+1
		if count == 3 {
			c = descriptorStep(c, group)
			group, count = 0, 0
		}
	}
	if count > 0 {
		c = descriptorStep(c, group)
	}
	for range 8 {
		c = descriptorStep(c, 0)
	}
	c ^= 1
	sum := make([]byte, 8)
	for i := range sum {
		sum[i] = descriptorOutput[c>>(5*(7-i))&31]
	}
	return string(sum), nil
}

// descriptorStep feeds one five-bit value into the BCH code of BIP 380.
func descriptorStep(c uint64, value int) uint64 {
	top := c >> 35
	c = c&0x7ffffffff<<5 ^ uint64(value)
	for i, generator := range [...]uint64{0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd} {
		if top>>i&1 == 1 {
			c ^= generator
		}
	}
	return c
}
