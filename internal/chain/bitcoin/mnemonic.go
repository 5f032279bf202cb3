package bitcoin

import (
	"fmt"
	"strings"

	"github.com/tyler-smith/go-bip39"
	"golang.org/x/text/unicode/norm"
)

// NewMnemonic writes 16 to 32 bytes of entropy, a multiple of four, as 12 to
// 24 English words (BIP 39).
func NewMnemonic(entropy []byte) (string, error) {
	words, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return "", fmt.Errorf("bitcoin: mnemonic: %w", err)
	}
	return words, nil
}

// SeedFromMnemonic turns English words and an optional passphrase into the
// 64-byte seed (BIP 39). Case and spacing of the words do not matter; a wrong
// word or checksum is refused.
func SeedFromMnemonic(mnemonic, passphrase string) ([]byte, error) {
	words := strings.Join(strings.Fields(strings.ToLower(mnemonic)), " ")
	seed, err := bip39.NewSeedWithErrorChecking(words, norm.NFKD.String(passphrase))
	if err != nil {
		// The library's error names the words, which must reach no log.
		return nil, fmt.Errorf("bitcoin: the words are not a valid BIP 39 mnemonic")
	}
	return seed, nil
}
