package hot

import (
	"bytes"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
)

// input is one coin that a packet spends, as the packet describes it.
type input struct {
	outpoint string // txid:vout
	value    uint64 // satoshi, as claimed
	path     [2]uint32
}

// readInput refuses a coin that this wallet has no key for, one whose amount the
// packet does not say or says in two ways, and a signature that would not cover
// the whole transaction.
func (s *Signer) readInput(pk *psbt.Packet, i int) (*input, error) {
	in, from := &pk.Inputs[i], pk.UnsignedTx.TxIn[i].PreviousOutPoint
	u := in.WitnessUtxo
	if u == nil || u.Value < 0 {
		return nil, fmt.Errorf("the packet does not say what input %d spends", i)
	}
	if p := in.NonWitnessUtxo; p != nil {
		if p.TxHash() != from.Hash || int(from.Index) >= len(p.TxOut) ||
			p.TxOut[from.Index].Value != u.Value || !bytes.Equal(p.TxOut[from.Index].PkScript, u.PkScript) {
			return nil, fmt.Errorf("input %d is not what the transaction that made it says", i)
		}
	}
	if s.account.Kind() == bitcoin.BIP44 && !s.chain.ForkID && in.NonWitnessUtxo == nil {
		// Such a signature covers no amount, so that a lie about it would go to the miner.
		return nil, fmt.Errorf("the packet does not hold the transaction that input %d spends from", i)
	}
	if t := in.SighashType; t != txscript.SigHashDefault && t != txscript.SigHashAll && (!s.chain.ForkID || t != txscript.SigHashAll|spending.SigHashForkID) {
		return nil, fmt.Errorf("input %d asks for a signature that does not cover the whole transaction (sighash %#x)", i, uint32(in.SighashType))
	}
	path, ok := pathOf(in.Bip32Derivation, in.TaprootBip32Derivation)
	if !ok {
		return nil, fmt.Errorf("input %d does not say which of the wallet's keys it needs", i)
	}
	own := s.account.Address
	if path[0] == 1 {
		own = s.account.Change
	}
	if _, script, err := own(path[1]); err != nil || !bytes.Equal(script, u.PkScript) {
		return nil, fmt.Errorf("input %d is not the wallet's", i)
	}
	return &input{from.String(), uint64(u.Value), path}, nil
}

// contradicted refuses a packet that claims another amount for a coin than one
// that was signed did. A signature of a version 0 witness program covers the
// amount of its own input alone (BIP 143): who could have one transaction signed
// twice, each time lying about the other input, would put a valid one together
// whose fee nobody agreed to. With one amount per coin for ever, either every
// claim is true or no transaction that spends the coin is ever valid. (Taproot
// signatures cover all amounts, BIP 341; the rule does them no harm.)
func contradicted(d *demand, mem []Record) *chain.Withheld {
	claims := map[string]uint64{}
	for _, in := range d.inputs {
		claims[in.outpoint] = in.value
	}
	for _, r := range mem {
		for i, o := range r.Inputs {
			claim, spends := claims[o]
			if r.What == signed && spends && i < len(r.Values) && r.Values[i] != claim {
				return &chain.Withheld{Reason: fmt.Sprintf("the packet says that %s is worth %d satoshi; it was %d in one that was signed", o, claim, r.Values[i]), Final: true}
			}
		}
	}
	return nil
}
