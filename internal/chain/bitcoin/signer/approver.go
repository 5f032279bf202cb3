package signer

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// keyForm begins a public key in a policy.
const keyForm = "ed25519:"

// NewApprover makes somebody's key: the public half as the policy names it, and
// the secret one sealed with a passphrase. workFactor is that of bitcoin.Seal.
func NewApprover(random io.Reader, passphrase string, workFactor int) (public string, sealed []byte, err error) {
	pub, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return "", nil, err
	}
	sealed, err = bitcoin.Seal(key.Seed(), passphrase, workFactor)
	return keyForm + base64.StdEncoding.EncodeToString(pub), sealed, err
}

// KeepApprover writes a sealed key into a file that is not there yet.
func KeepApprover(path string, sealed []byte) error { return create(path, sealed) }

// OpenApprover opens a sealed key.
func OpenApprover(path, passphrase string) (ed25519.PrivateKey, error) {
	sealed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the approver's key: %w", err)
	}
	seed, err := bitcoin.Open(sealed, passphrase)
	if errors.Is(err, bitcoin.ErrWrongPassphrase) {
		return nil, errors.New("the passphrase does not open this approver's key")
	}
	if err != nil {
		return nil, fmt.Errorf("the approver's key %s: %w", path, err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is not an approver's key", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func parsePublic(text string) (ed25519.PublicKey, error) {
	body, ok := strings.CutPrefix(text, keyForm)
	b, err := base64.StdEncoding.Strict().DecodeString(body)
	if !ok || err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("this is not a key as `quittance signer approver` prints it")
	}
	return b, nil
}

// CheckStatement refuses to show somebody a statement that is about another
// packet, or that a terminal would not show as it is.
func CheckStatement(statement, digest string) error {
	if strings.ContainsFunc(statement, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }) {
		return errors.New("the statement holds characters that a terminal does not show: what answers on this socket is no signer")
	}
	if !strings.Contains(statement, "\npacket "+digest+"\n") {
		return errors.New("the statement is about another packet: what answers on this socket is no signer")
	}
	return nil
}
