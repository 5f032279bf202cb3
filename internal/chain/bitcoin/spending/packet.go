package spending

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// packet writes the unsigned transaction with what a signer needs: the outputs
// that are spent, and where in the account the keys come from. The path starts at
// the account key, whose own fingerprint stands for the master key's: the account
// was given to us without its origin.
func packet(acc *bitcoin.Account, tx *wire.MsgTx, p *chain.Plan, change chain.Path) ([]byte, error) {
	pk, err := psbt.NewFromUnsignedTx(tx)
	if err != nil {
		return nil, err
	}
	for i, in := range p.Inputs {
		sat, _ := in.Amount.Uint64()
		pk.Inputs[i].WitnessUtxo = wire.NewTxOut(int64(sat), in.To)
		if err := derivation(acc, in.Path, func(b []*psbt.Bip32Derivation, t []*psbt.TaprootBip32Derivation, internal []byte) {
			pk.Inputs[i].Bip32Derivation, pk.Inputs[i].TaprootBip32Derivation, pk.Inputs[i].TaprootInternalKey = b, t, internal
		}); err != nil {
			return nil, err
		}
	}
	if p.Change >= 0 {
		o := &pk.Outputs[p.Change]
		if err := derivation(acc, change, func(b []*psbt.Bip32Derivation, t []*psbt.TaprootBip32Derivation, internal []byte) {
			o.Bip32Derivation, o.TaprootBip32Derivation, o.TaprootInternalKey = b, t, internal
		}); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	err = pk.Serialize(&out)
	return out.Bytes(), err
}

func derivation(acc *bitcoin.Account, path chain.Path, set func([]*psbt.Bip32Derivation, []*psbt.TaprootBip32Derivation, []byte)) error {
	pub, err := acc.PublicKey(path.Change, uint32(path.Index))
	if err != nil {
		return err
	}
	fp, err := hex.DecodeString(acc.Fingerprint())
	if err != nil {
		return err
	}
	// BIP 174 writes the fingerprint's bytes in order; the library wants them as a
	// little-endian number.
	master := uint32(fp[0]) | uint32(fp[1])<<8 | uint32(fp[2])<<16 | uint32(fp[3])<<24
	branch := uint32(0)
	if path.Change {
		branch = 1
	}
	steps := []uint32{branch, uint32(path.Index)}
	if acc.Kind() == bitcoin.BIP86 {
		x := schnorr.SerializePubKey(pub)
		set(nil, []*psbt.TaprootBip32Derivation{{XOnlyPubKey: x, MasterKeyFingerprint: master, Bip32Path: steps}}, x)
		return nil
	}
	set([]*psbt.Bip32Derivation{{PubKey: pub.SerializeCompressed(), MasterKeyFingerprint: master, Bip32Path: steps}}, nil, nil)
	return nil
}

// ID is the id of the signed transaction: with segregated witness (BIP 141) it does
// not depend on the signatures, and nothing else is spent here.
func (s *Spending) ID(packet []byte) (string, error) {
	pk, err := Parse(packet)
	if err != nil {
		return "", err
	}
	return pk.UnsignedTx.TxHash().String(), nil
}

// Same reports whether two packets are of one unsigned transaction.
func (s *Spending) Same(packet, other []byte) (bool, error) {
	b, err := Parse(other)
	if err != nil {
		return false, err
	}
	a, err := Parse(packet)
	return err == nil && a.UnsignedTx.TxHash() == b.UnsignedTx.TxHash(), err
}

// Finish holds a signed packet against its plan: the same transaction, every
// input signed for all of it, every signature right.
func (s *Spending) Finish(p *chain.Plan, signed []byte) (*chain.Signed, error) {
	planned, err := psbt.NewFromRawBytes(bytes.NewReader(p.Packet), false)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: the planned packet: %w", err)
	}
	got, err := Parse(signed)
	if err != nil {
		return nil, err
	}
	if got.UnsignedTx.TxHash() != planned.UnsignedTx.TxHash() {
		return nil, chain.ErrAltered
	}
	// What is spent is taken from the plan, whatever the packet says.
	for i := range got.Inputs {
		got.Inputs[i].WitnessUtxo, got.Inputs[i].NonWitnessUtxo = planned.Inputs[i].WitnessUtxo, nil
		if len(got.Inputs[i].FinalScriptWitness) > 0 {
			continue
		}
		if ok, err := psbt.MaybeFinalize(got, i); err != nil || !ok {
			return nil, fmt.Errorf("bitcoin: input %d is not signed", i)
		}
	}
	tx, err := psbt.Extract(got)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: the signed packet: %w", err)
	}
	if err := verify(tx, planned); err != nil {
		return nil, err
	}
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		return nil, err
	}
	out := &chain.Signed{ID: tx.TxHash().String(), Raw: raw.Bytes(), Cost: chain.Cost{Fee: p.Fee, VSize: mempool.GetTxVirtualSize(btcutil.NewTx(tx))}}
	for _, in := range p.Inputs {
		out.Spends = append(out.Spends, in.Outpoint)
	}
	return out, nil
}

// Parse reads a packet in binary or as base64.
func Parse(packet []byte) (*psbt.Packet, error) {
	packet = bytes.TrimSpace(packet)
	pk, err := psbt.NewFromRawBytes(bytes.NewReader(packet), !bytes.HasPrefix(packet, []byte("psbt\xff")))
	if err != nil {
		return nil, fmt.Errorf("bitcoin: this is not a PSBT (BIP 174): %w", err)
	}
	return pk, nil
}

// verify runs each input's script, as a node would, and insists that each
// signature covers the whole transaction.
func verify(tx *wire.MsgTx, planned *psbt.Packet) error {
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i, in := range planned.UnsignedTx.TxIn {
		prev[in.PreviousOutPoint] = planned.Inputs[i].WitnessUtxo
	}
	fetcher := txscript.NewMultiPrevOutFetcher(prev)
	hashes := txscript.NewTxSigHashes(tx, fetcher)
	for i, in := range tx.TxIn {
		out := prev[in.PreviousOutPoint]
		if err := coversAll(in.Witness, out.PkScript); err != nil {
			return fmt.Errorf("bitcoin: input %d: %w", i, err)
		}
		vm, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, fetcher)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			return fmt.Errorf("bitcoin: the signature of input %d is not right: %w", i, err)
		}
	}
	if blockchain.GetTransactionWeight(btcutil.NewTx(tx)) > 400_000 {
		return fmt.Errorf("bitcoin: the transaction is heavier than nodes relay (400,000)")
	}
	return nil
}

// coversAll refuses signatures that leave parts of the transaction open to change.
func coversAll(witness wire.TxWitness, script []byte) error {
	if len(witness) == 0 || len(witness[0]) == 0 {
		return fmt.Errorf("not signed")
	}
	sig := witness[0]
	if taproot(script) && len(sig) == schnorr.SignatureSize {
		return nil // SIGHASH_DEFAULT
	}
	if txscript.SigHashType(sig[len(sig)-1]) != txscript.SigHashAll {
		return fmt.Errorf("%w: its signature does not cover the whole transaction", chain.ErrAltered)
	}
	return nil
}
