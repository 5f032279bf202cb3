package spending

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
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
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if inner == "" {
		inner = acc.Fingerprint()
	}
	parts := strings.Split(inner, "/")
	fp, err := hex.DecodeString(parts[0])
	if err != nil || len(fp) != 4 {
		return origin{}, fmt.Errorf("bitcoin: %q is not the origin of a key, such as [d34db33f/84h/0h/0h]", text)
	}
	// BIP 174 writes the fingerprint's bytes in order; the library wants them as a
	// little-endian number.
	o := origin{master: binary.LittleEndian.Uint32(fp)}
	for _, p := range parts[1:] {
		plain := strings.TrimRight(p, "h'H")
		n, err := strconv.ParseUint(plain, 10, 31)
		if err != nil || len(p)-len(plain) > 1 {
			return origin{}, fmt.Errorf("bitcoin: %q is not a step of a path", p)
		}
		if len(p) > len(plain) {
			n += hdkeychain.HardenedKeyStart
		}
		o.path = append(o.path, uint32(n))
	}
	return o, nil
}

// CheckOrigin refuses a text that is not the origin of a key (BIP 380), such as
// [d34db33f/84h/0h/0h]. Empty is allowed: it is not known.
func CheckOrigin(text string) error {
	if text == "" {
		return nil
	}
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(text, "]") || len(text) < len("[d34db33f]") {
		return fmt.Errorf("bitcoin: %q is not the origin of a key, such as [d34db33f/84h/0h/0h]", text)
	}
	_, err := originOf(nil, text)
	return err
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
