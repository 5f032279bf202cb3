package message

import (
	"bytes"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// magic is what every text of the older form begins with. Bitcoin Cash kept
// Bitcoin's.
func magic(c *bitcoin.Chain) string {
	name := c.Name
	if c.ForkID {
		name = bitcoin.Mainnet.Name
	}
	return name + " Signed Message:\n"
}

// The first byte of such a signature (BIP 137): four values per kind of address.
const (
	uncompressed = 27 // P2PKH
	compressed   = 31 // P2PKH; several wallets write it for segwit addresses too
	nested       = 35 // P2SH-P2WPKH
	native       = 39 // P2WPKH
	headerEnd    = 43
)

// verifyCompact recovers the key from the signature and compares its address.
func verifyCompact(c *bitcoin.Chain, script []byte, message string, sig []byte) error {
	header := int(sig[0])
	if header < uncompressed || header >= headerEnd {
		return errForm
	}
	kind := header - (header-uncompressed)%4
	if !kindFits(script, kind) {
		return errOther
	}
	plain := bytes.Clone(sig)
	plain[0] = byte(uncompressed + (header-uncompressed)%4)
	key, _, err := ecdsa.RecoverCompact(plain, compactHash(c, message))
	if err != nil {
		return errOther
	}
	if !bytes.Equal(scriptOf(key, kind, script), script) {
		return errOther
	}
	return nil
}

// kindFits says which first bytes an address may come with.
func kindFits(script []byte, kind int) bool {
	switch kindOf(script) {
	case txscript.PubKeyHashTy:
		return kind == uncompressed || kind == compressed
	case txscript.ScriptHashTy:
		return kind == nested || kind == compressed
	case txscript.WitnessV0PubKeyHashTy:
		return kind == native || kind == compressed
	}
	return false
}

// scriptOf is the output script of a key in the kind of address that like is.
func scriptOf(key *btcec.PublicKey, kind int, like []byte) []byte {
	serial := key.SerializeCompressed()
	if kind == uncompressed {
		serial = key.SerializeUncompressed()
	}
	hash := btcutil.Hash160(serial)
	witness := append([]byte{txscript.OP_0, 20}, hash...)
	switch kindOf(like) {
	case txscript.PubKeyHashTy:
		out := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash...)
		return append(out, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
	case txscript.ScriptHashTy:
		out := append([]byte{txscript.OP_HASH160, 20}, btcutil.Hash160(witness)...)
		return append(out, txscript.OP_EQUAL)
	}
	return witness
}

// compactHash is what is signed in the older form.
func compactHash(c *bitcoin.Chain, message string) []byte {
	var b bytes.Buffer
	_ = wire.WriteVarString(&b, 0, magic(c)) // a buffer does not fail
	_ = wire.WriteVarString(&b, 0, message)
	return chainhash.DoubleHashB(b.Bytes())
}
