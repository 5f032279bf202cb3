package bitcoin

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// DefaultWorkFactor makes one guess of a passphrase take about a second.
const DefaultWorkFactor = 18

// maxWorkFactor bounds what a foreign file may make Open compute.
const maxWorkFactor = 22

// ErrWrongPassphrase is returned by Open when the passphrase does not fit.
var ErrWrongPassphrase = errors.New("bitcoin: the passphrase does not open this seed")

// Seal encrypts a seed under a passphrase as an age file with a scrypt
// recipient. workFactor is scrypt's base-2 logarithm of N, from 1 to 22; use
// DefaultWorkFactor outside of tests.
func Seal(seed []byte, passphrase string, workFactor int) ([]byte, error) {
	if workFactor < 1 || workFactor > maxWorkFactor {
		return nil, fmt.Errorf("bitcoin: work factor %d is not between 1 and %d", workFactor, maxWorkFactor)
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: sealing: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: sealing: %w", err)
	}
	if _, err := w.Write(seed); err != nil {
		return nil, fmt.Errorf("bitcoin: sealing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("bitcoin: sealing: %w", err)
	}
	return sealed.Bytes(), nil
}

// Open decrypts what Seal made. It returns ErrWrongPassphrase for a passphrase
// that does not fit, and another error for a damaged file.
func Open(sealed []byte, passphrase string) ([]byte, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: unsealing: %w", err)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	var mismatch *age.NoIdentityMatchError
	if errors.As(err, &mismatch) {
		return nil, ErrWrongPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("bitcoin: unsealing: %w", err)
	}
	seed, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: unsealing: %w", err)
	}
	return seed, nil
}
