package bitcoin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
)

// ReadDraft takes apart a transaction of a chain from a stranger. It refuses what no
// block could hold, whatever the inputs are worth. The error is a sentence.
func ReadDraft(raw []byte, c *Chain) (*chain.Draft, error) {
	if err := measure(raw); err != nil {
		return nil, err
	}
	var m wire.MsgTx
	if err := m.Deserialize(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("it is not a transaction: %w", err)
	}
	if err := sane(&m, c.MaxMoney); err != nil {
		return nil, err
	}
	tx := btcutil.NewTx(&m)
	d := &chain.Draft{Tx: Tx(tx, c.Code), Raw: raw, Signed: true, VSize: virtual(blockchain.GetTransactionWeight(tx))}
	for _, in := range m.TxIn {
		d.Signed = d.Signed && len(in.SignatureScript)+len(in.Witness) > 0
	}
	return d, nil
}

// virtual is a weight in virtual bytes (BIP 141).
func virtual(weight int64) int64 { return (weight + 3) / 4 }

// sane holds a transaction against the rules that need no chain. most is what its
// outputs may add up to.
func sane(m *wire.MsgTx, most uint64) error {
	if len(m.TxIn) == 0 || len(m.TxOut) == 0 {
		return errors.New("it has no inputs or no outputs")
	}
	var sum uint64
	for i, out := range m.TxOut {
		if out.Value < 0 {
			return fmt.Errorf("output %d has a negative amount", i)
		}
		if uint64(out.Value) > most-sum {
			return errors.New("its outputs add up to more than there can be")
		}
		sum += uint64(out.Value)
	}
	spent := make(map[wire.OutPoint]bool, len(m.TxIn))
	for i, in := range m.TxIn {
		if in.PreviousOutPoint.Index == math.MaxUint32 {
			return fmt.Errorf("input %d is that of a block's reward", i)
		}
		if spent[in.PreviousOutPoint] {
			return fmt.Errorf("it spends output %v twice", in.PreviousOutPoint)
		}
		spent[in.PreviousOutPoint] = true
	}
	return nil
}

var errShort = errors.New("it is not a transaction: it ends too early")

// measure walks through a serialized transaction and holds each count in it against
// the bytes that are there: btcd's own reader takes memory for what is announced
// before it looks. Exactly one transaction fills the bytes.
func measure(raw []byte) error {
	s := scan(raw)
	s.skip(4)
	inputs, witness := s.count(41), false
	if inputs == 0 && len(s) > 0 && s[0] == 1 {
		s.skip(1)
		witness, inputs = true, s.count(41)
	}
	for range inputs {
		s.skip(36)
		s.skip(s.count(1))
		s.skip(4)
	}
	for range s.count(9) {
		s.skip(8)
		s.skip(s.count(1))
	}
	if witness {
		for range inputs {
			for range s.count(1) {
				s.skip(s.count(1))
			}
		}
	}
	s.skip(4)
	if s == nil {
		return errShort
	}
	if len(s) > 0 {
		return errors.New("something follows the transaction")
	}
	return nil
}

// scan is what of a transaction was not walked through yet; nil once it ended early.
type scan []byte

func (s *scan) skip(n int) {
	if n > len(*s) || *s == nil {
		*s = nil
		return
	}
	*s = (*s)[n:]
}

// count reads a CompactSize of things that have at least so many bytes each.
func (s *scan) count(least int) int {
	if len(*s) == 0 {
		*s = nil
		return 0
	}
	n, size := uint64((*s)[0]), map[byte]int{0xfd: 2, 0xfe: 4, 0xff: 8}[(*s)[0]]
	s.skip(1)
	if size > len(*s) {
		*s = nil
		return 0
	}
	if size > 0 {
		var b [8]byte
		copy(b[:], (*s)[:size])
		n = binary.LittleEndian.Uint64(b[:])
		s.skip(size)
	}
	if n > uint64(len(*s)/least) {
		*s = nil
		return 0
	}
	return int(n)
}

// What signing adds at least, in bytes: a signature with the push before it, and a key
// of 33 with its own. Bitcoin Cash has shorter signatures (Schnorr).
const (
	signatureAndKey     = 1 + 71 + 1 + 33
	cashSignatureAndKey = 1 + 65 + 1 + 33
	keySpend            = 1 + 64 // BIP 341, the default sighash
)

// SignedSize is how many virtual bytes a transaction has once the inputs that carry
// nothing yet are signed by the owners of these scripts, one for each input. ok is
// false for a script of which that cannot be told.
func SignedSize(raw []byte, scripts [][]byte, c *Chain) (vsize int64, ok bool) {
	var m wire.MsgTx
	if err := m.Deserialize(bytes.NewReader(raw)); err != nil || len(scripts) != len(m.TxIn) {
		return 0, false
	}
	witness := m.HasWitness()
	var base, wit int64
	for i, in := range m.TxIn {
		if len(in.SignatureScript)+len(in.Witness) > 0 {
			continue
		}
		switch s := scripts[i]; {
		case txscript.IsPayToWitnessPubKeyHash(s):
			wit, witness = wit+signatureAndKey, true
		case txscript.IsPayToTaproot(s):
			wit, witness = wit+keySpend, true
		case txscript.IsPayToPubKeyHash(s):
			base += int64(signatureAndKey)
			if c.ForkID {
				base += cashSignatureAndKey - signatureAndKey
			}
		default:
			return 0, false
		}
	}
	weight := 4*(int64(m.SerializeSizeStripped())+base) + wit
	if witness {
		// The marker and the flag, and for each input how many items it has.
		weight += 2 + int64(len(m.TxIn))
		for _, in := range m.TxIn {
			weight += int64(in.Witness.SerializeSize() - 1)
		}
	}
	return virtual(weight), true
}

// SizeOnceSigned is SignedSize by what a back end knows of the inputs; 0 where it
// cannot be told.
func SizeOnceSigned(raw []byte, inputs []chain.Input, c *Chain) int64 {
	scripts := make([][]byte, len(inputs))
	for i := range inputs {
		scripts[i] = inputs[i].To
	}
	size, _ := SignedSize(raw, scripts, c)
	return size
}
