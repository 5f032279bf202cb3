package message

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

const (
	compactSize  = 65       // bytes of a signature that the key can be recovered from
	maxSignature = 4 << 10  // characters that are decoded at all
	maxMessage   = 16 << 10 // bytes
)

// Messages is chain.Messages for one chain of the family.
type Messages struct{ chain *bitcoin.Chain }

var _ chain.Messages = Messages{}

// New returns the verifier of a chain.
func New(c *bitcoin.Chain) Messages { return Messages{c} }

var (
	errOther = errors.New("the signature is not of this address and this text: copy the text exactly as it is shown and sign it with the address that was given")
	errForm  = errors.New("this is not a signature that can be read: copy it whole, without the text and the address")
)

// Verify finds out by its form which kind of signature it is.
func (m Messages) Verify(address, message, signature string) error {
	script, err := bitcoin.AddressScript(strings.TrimSpace(address), m.chain)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "bitcoin: "))
	}
	if len(message) > maxMessage {
		return errors.New("the text is too long")
	}
	raw, err := decode(signature)
	if err != nil {
		return err
	}
	if len(raw) == compactSize {
		return verifyCompact(m.chain, script, message, raw)
	}
	return verifySimple(script, message, raw)
}

// decode reads base64 as it comes out of wallets, mails and terminals: with line
// breaks, and with or without the prefix that BIP 322 gives the simple form. No
// signature begins like that by itself: the first byte counts a few elements.
func decode(signature string) ([]byte, error) {
	if len(signature) > maxSignature {
		return nil, errForm
	}
	s := strings.TrimPrefix(strings.Join(strings.Fields(signature), ""), "smp")
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) == 0 {
		return nil, errForm
	}
	return raw, nil
}

// kindOf names the kinds of address that can sign.
func kindOf(script []byte) txscript.ScriptClass {
	switch {
	case txscript.IsPayToPubKeyHash(script):
		return txscript.PubKeyHashTy
	case txscript.IsPayToScriptHash(script):
		return txscript.ScriptHashTy
	case txscript.IsPayToWitnessPubKeyHash(script):
		return txscript.WitnessV0PubKeyHashTy
	case txscript.IsPayToTaproot(script):
		return txscript.WitnessV1TaprootTy
	}
	return txscript.NonStandardTy
}
