package hot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// maxChange is the first index whose change counts as a payment: what returns to
// an index that no wallet searches is as good as gone for whoever restores the
// seed.
const maxChange = 1_000_000

// demand is what a packet asks for, read from the packet itself.
type demand struct {
	digest   string // of the unsigned transaction and of what its inputs are said to be
	inputs   []input
	payments []Payment // every output that is not the wallet's own change
	fee      uint64    // satoshi
	leaves   uint64    // satoshi: payments and fee
}

// Payment is what one output pays.
type Payment struct {
	Address string `json:"address"`
	Amount  uint64 `json:"amount"` // satoshi
}

// read finds out what leaves the wallet. An output is change only if this wallet
// derives it on its chain for change.
func (s *Signer) read(pk *psbt.Packet) (*demand, error) {
	if err := pk.SanityCheck(); err != nil {
		return nil, fmt.Errorf("the packet is damaged: %w", err)
	}
	d := &demand{}
	in, err := s.readInputs(pk, d)
	if err != nil {
		return nil, err
	}
	out, err := s.readOutputs(pk, d)
	if err != nil {
		return nil, err
	}
	if out > in {
		return nil, errors.New("the packet pays more than it spends")
	}
	d.fee = in - out
	d.leaves += d.fee
	d.digest, err = digest(pk)
	return d, err
}

func (s *Signer) readInputs(pk *psbt.Packet, d *demand) (sum uint64, err error) {
	if len(pk.Inputs) == 0 {
		return 0, errors.New("the packet spends nothing")
	}
	seen := map[wire.OutPoint]bool{}
	for i, txin := range pk.UnsignedTx.TxIn {
		if seen[txin.PreviousOutPoint] {
			return 0, fmt.Errorf("input %d is there twice", i)
		}
		seen[txin.PreviousOutPoint] = true
		in, err := s.readInput(pk, i)
		if err != nil {
			return 0, err
		}
		if sum, err = s.add(sum, int64(in.value)); err != nil {
			return 0, fmt.Errorf("input %d: %w", i, err)
		}
		d.inputs = append(d.inputs, *in)
	}
	return sum, nil
}

func (s *Signer) readOutputs(pk *psbt.Packet, d *demand) (sum uint64, err error) {
	for i, o := range pk.UnsignedTx.TxOut {
		if sum, err = s.add(sum, o.Value); err != nil {
			return 0, fmt.Errorf("output %d: %w", i, err)
		}
		if s.isChange(&pk.Outputs[i], o.PkScript) {
			continue
		}
		addr, ok := bitcoin.ScriptAddress(o.PkScript, s.chain)
		if !ok {
			return 0, fmt.Errorf("output %d pays no address", i)
		}
		d.payments = append(d.payments, Payment{addr, uint64(o.Value)})
		d.leaves += uint64(o.Value)
	}
	return sum, nil
}

// add refuses amounts and sums that cannot exist, so that none wraps around.
func (s *Signer) add(sum uint64, value int64) (uint64, error) {
	if value < 0 || uint64(value) > s.chain.MaxMoney || sum+uint64(value) > s.chain.MaxMoney {
		return 0, errors.New("the amount is not one that exists")
	}
	return sum + uint64(value), nil
}

func (s *Signer) isChange(o *psbt.POutput, script []byte) bool {
	path, ok := pathOf(o.Bip32Derivation, o.TaprootBip32Derivation)
	if !ok || path[0] != 1 || path[1] >= maxChange {
		return false
	}
	_, own, err := s.account.Change(path[1])
	return err == nil && bytes.Equal(own, script)
}

// digest names a packet by everything that a decision about it rests upon: the
// transaction, and the amounts that the packet claims for its inputs.
func digest(pk *psbt.Packet) (string, error) {
	h := sha256.New()
	if err := pk.UnsignedTx.Serialize(h); err != nil {
		return "", err
	}
	for i := range pk.Inputs {
		_ = binary.Write(h, binary.LittleEndian, pk.Inputs[i].WitnessUtxo.Value) // a hash does not fail
		_ = wire.WriteVarBytes(h, 0, pk.Inputs[i].WitnessUtxo.PkScript)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// pathOf is the branch and index at the end of the only derivation. What comes
// before them is not looked at: the script that this account derives there has to
// be the one in question.
func pathOf(b []*psbt.Bip32Derivation, t []*psbt.TaprootBip32Derivation) (path [2]uint32, ok bool) {
	var steps []uint32
	switch {
	case len(b) == 1 && len(t) == 0:
		steps = b[0].Bip32Path
	case len(t) == 1 && len(b) == 0:
		steps = t[0].Bip32Path
	}
	if len(steps) < 2 {
		return path, false
	}
	copy(path[:], steps[len(steps)-2:])
	return path, path[0] <= 1 && path[1] < 1<<31
}
