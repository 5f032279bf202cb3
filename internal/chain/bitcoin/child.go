package bitcoin

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// branchKey derives the keys of one branch again and again. hdkeychain parses
// the parent's key and then the child's each time, a square root each; here
// both points are kept as they are.
type branchKey struct {
	compressed []byte
	point      btcec.JacobianPoint
	chainCode  []byte
}

func newBranchKey(k *hdkeychain.ExtendedKey) (*branchKey, error) {
	pub, err := k.ECPubKey()
	if err != nil {
		return nil, err
	}
	b := &branchKey{compressed: pub.SerializeCompressed(), chainCode: k.ChainCode()}
	pub.AsJacobian(&b.point)
	return b, nil
}

// child is CKDpub of BIP 32 for an index below 2^31. It fails with
// ErrNoSuchChild where the BIP says that there is no key.
func (b *branchKey) child(index uint32) (*btcec.PublicKey, error) {
	mac := hmac.New(sha512.New, b.chainCode)
	mac.Write(b.compressed)
	mac.Write(binary.BigEndian.AppendUint32(nil, index))
	sum := mac.Sum(nil)
	var tweak btcec.ModNScalar
	if tweak.SetByteSlice(sum[:32]) {
		return nil, ErrNoSuchChild
	}
	var step, child btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(&tweak, &step)
	btcec.AddNonConst(&step, &b.point, &child)
	if child.Z.Normalize().IsZero() {
		return nil, ErrNoSuchChild
	}
	child.ToAffine()
	return btcec.NewPublicKey(&child.X, &child.Y), nil
}
