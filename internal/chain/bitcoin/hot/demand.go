package hot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/psbt"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// demand is what a packet asks for, read from the packet itself.
type demand struct {
	digest   string // of the unsigned transaction
	inputs   []string
	payments []payment // every output that is not the wallet's own change
	fee      uint64
	leaves   uint64 // payments and fee
}

type payment struct {
	address string
	amount  uint64
}

// read finds out what leaves the wallet. An output is change only if this wallet
// derives it on its chain for change.
func (s *Signer) read(pk *psbt.Packet) (*demand, error) {
	if err := pk.SanityCheck(); err != nil {
		return nil, fmt.Errorf("hot: the packet is damaged: %w", err)
	}
	var raw bytes.Buffer
	if err := pk.UnsignedTx.Serialize(&raw); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw.Bytes())
	d := &demand{digest: hex.EncodeToString(sum[:])}
	var in, out uint64
	for i, txin := range pk.UnsignedTx.TxIn {
		u := pk.Inputs[i].WitnessUtxo
		if u == nil || u.Value < 0 {
			return nil, fmt.Errorf("hot: the packet does not say what input %d spends", i)
		}
		d.inputs = append(d.inputs, txin.PreviousOutPoint.String())
		in += uint64(u.Value)
	}
	for i, o := range pk.UnsignedTx.TxOut {
		if o.Value < 0 {
			return nil, errors.New("hot: an output is negative")
		}
		out += uint64(o.Value)
		if s.isChange(&pk.Outputs[i], o.PkScript) {
			continue
		}
		addr, ok := bitcoin.ScriptAddress(o.PkScript, s.network)
		if !ok {
			return nil, fmt.Errorf("hot: output %d pays no address", i)
		}
		d.payments = append(d.payments, payment{addr, uint64(o.Value)})
		d.leaves += uint64(o.Value)
	}
	if out > in {
		return nil, errors.New("hot: the packet pays more than it spends")
	}
	d.fee = in - out
	d.leaves += d.fee
	return d, nil
}

func (s *Signer) isChange(o *psbt.POutput, script []byte) bool {
	path, ok := pathOf(o.Bip32Derivation, o.TaprootBip32Derivation)
	if !ok || path[0] != 1 {
		return false
	}
	_, own, err := s.account.Change(path[1])
	return err == nil && bytes.Equal(own, script)
}

// pathOf is the branch and index at the end of the only derivation.
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
