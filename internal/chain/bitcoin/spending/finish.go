package spending

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
)

// SigHashForkID is the bit by which signatures of Bitcoin Cash say that they are
// of its chain (its replay-protected sighash); they commit to amounts as in BIP 143.
const SigHashForkID txscript.SigHashType = 0x40

const maxWeight = 400_000 // that nodes relay

// finalize puts an input's signatures where the transaction has them. What is spent
// is taken from the plan, whatever the packet says.
func finalize(got, planned *psbt.Packet, i int) error {
	in, plan := &got.Inputs[i], &planned.Inputs[i]
	in.WitnessUtxo, in.NonWitnessUtxo, in.RedeemScript = plan.WitnessUtxo, plan.NonWitnessUtxo, plan.RedeemScript
	if txscript.IsPayToPubKeyHash(plan.WitnessUtxo.PkScript) {
		return finalizeKeyHash(in, i)
	}
	in.NonWitnessUtxo = nil
	if len(in.FinalScriptWitness) > 0 {
		return nil
	}
	if ok, err := psbt.MaybeFinalize(got, i); err != nil || !ok {
		return fmt.Errorf("bitcoin: input %d is not signed", i)
	}
	return nil
}

// finalizeKeyHash writes the script that spends P2PKH. The library's own way insists
// on a signature type that Bitcoin Cash does not have.
func finalizeKeyHash(in *psbt.PInput, i int) (err error) {
	if len(in.FinalScriptSig) > 0 {
		return nil
	}
	if len(in.PartialSigs) != 1 {
		return fmt.Errorf("bitcoin: input %d is not signed", i)
	}
	sig := in.PartialSigs[0]
	in.FinalScriptSig, err = txscript.NewScriptBuilder().AddData(sig.Signature).AddData(sig.PubKey).Script()
	in.PartialSigs, in.Bip32Derivation, in.SighashType = nil, nil, 0
	return err
}

// verify checks each input as a node would, and insists that each signature covers
// the whole transaction.
func (s *Spending) verify(tx *wire.MsgTx, planned *psbt.Packet) error {
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i, in := range planned.UnsignedTx.TxIn {
		prev[in.PreviousOutPoint] = planned.Inputs[i].WitnessUtxo
	}
	fetcher := txscript.NewMultiPrevOutFetcher(prev)
	hashes := txscript.NewTxSigHashes(tx, fetcher)
	for i, in := range tx.TxIn {
		out := prev[in.PreviousOutPoint]
		if err := s.coversAll(in, out.PkScript); err != nil {
			return fmt.Errorf("bitcoin: input %d: %w", i, err)
		}
		if err := s.run(tx, i, out, hashes, fetcher); err != nil {
			return fmt.Errorf("bitcoin: the signature of input %d is not right: %w", i, err)
		}
	}
	if blockchain.GetTransactionWeight(btcutil.NewTx(tx)) > maxWeight {
		return fmt.Errorf("bitcoin: the transaction is heavier than nodes relay (%d)", maxWeight)
	}
	return nil
}

func (s *Spending) run(tx *wire.MsgTx, i int, out *wire.TxOut, hashes *txscript.TxSigHashes, fetcher txscript.PrevOutputFetcher) error {
	if s.chain.ForkID {
		return runForkID(tx, i, out, hashes)
	}
	vm, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, fetcher)
	if err == nil {
		err = vm.Execute()
	}
	return err
}

// runForkID checks a P2PKH input of Bitcoin Cash, whose signatures the script engine
// of Bitcoin does not know.
func runForkID(tx *wire.MsgTx, i int, out *wire.TxOut, hashes *txscript.TxSigHashes) error {
	pushes, err := txscript.PushedData(tx.TxIn[i].SignatureScript)
	if err != nil || len(pushes) != 2 || len(pushes[0]) == 0 {
		return errors.New("it is not a signature and a key")
	}
	pub, err := btcec.ParsePubKey(pushes[1])
	if err != nil {
		return err
	}
	if !bytes.Equal(btcutil.Hash160(pushes[1]), out.PkScript[3:23]) {
		return errors.New("the key is another one")
	}
	sig, err := ecdsa.ParseDERSignature(pushes[0][:len(pushes[0])-1])
	if err != nil {
		return err
	}
	hash, err := ForkIDHash(tx, i, out, hashes)
	if err != nil {
		return err
	}
	if !sig.Verify(hash, pub) {
		return errors.New("it is of another transaction")
	}
	return nil
}

// ForkIDHash is what is signed for an input of Bitcoin Cash that spends P2PKH: the
// digest of BIP 143 with the type 0x41.
func ForkIDHash(tx *wire.MsgTx, i int, out *wire.TxOut, hashes *txscript.TxSigHashes) ([]byte, error) {
	return txscript.CalcWitnessSigHash(out.PkScript, hashes, txscript.SigHashAll|SigHashForkID, tx, i, out.Value)
}

// coversAll refuses signatures that leave parts of the transaction open to change.
func (s *Spending) coversAll(in *wire.TxIn, script []byte) error {
	var sig []byte
	if txscript.IsPayToPubKeyHash(script) {
		if pushes, err := txscript.PushedData(in.SignatureScript); err == nil && len(pushes) > 0 {
			sig = pushes[0]
		}
	} else if len(in.Witness) > 0 {
		sig = in.Witness[0]
	}
	if len(sig) == 0 {
		return errors.New("not signed")
	}
	if taproot(script) && len(sig) == schnorr.SignatureSize {
		return nil // SIGHASH_DEFAULT
	}
	want := txscript.SigHashAll
	if s.chain.ForkID {
		want |= SigHashForkID
	}
	if txscript.SigHashType(sig[len(sig)-1]) != want {
		return fmt.Errorf("%w: its signature does not cover the whole transaction", chain.ErrAltered)
	}
	return nil
}
