package spending

import (
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/psbt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// origin is where an account's key comes from: the fingerprint of a master key as
// packets hold it, and the path from there.
type origin struct {
	master uint32
	path   []uint32
}

// originOf reads "[d34db33f/84h/0h/0h]" (BIP 380). Without one the account key
// stands for the master key.
func originOf(acc *bitcoin.Account, text string) (origin, error) {
	if text == "" {
		text = acc.Fingerprint()
	}
	o, err := bitcoin.ParseOrigin(text)
	// BIP 174 writes the fingerprint's bytes in order; the library wants them as a
	// little-endian number.
	return origin{binary.LittleEndian.Uint32(o.Master[:]), o.Path}, err
}

// derivation is how packets tell of one key.
type derivation struct {
	plain    []*psbt.Bip32Derivation
	taproot  []*psbt.TaprootBip32Derivation
	internal []byte
}

func (o origin) to(acc *bitcoin.Account, path chain.Path) (d derivation, err error) {
	pub, err := acc.PublicKey(path.Change, uint32(path.Index))
	if err != nil {
		return d, err
	}
	branch := uint32(0)
	if path.Change {
		branch = 1
	}
	steps := append(append([]uint32{}, o.path...), branch, uint32(path.Index))
	if acc.Kind() == bitcoin.BIP86 {
		x := schnorr.SerializePubKey(pub)
		return derivation{nil, []*psbt.TaprootBip32Derivation{{XOnlyPubKey: x, MasterKeyFingerprint: o.master, Bip32Path: steps}}, x}, nil
	}
	return derivation{[]*psbt.Bip32Derivation{{PubKey: pub.SerializeCompressed(), MasterKeyFingerprint: o.master, Bip32Path: steps}}, nil, nil}, nil
}
