package devicetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// Device is a hardware signer: it has a master seed and nothing else. All it knows of a
// packet is in the packet, and what is not its own by fingerprint and path it takes for
// somebody else's.
type Device struct {
	master      *hdkeychain.ExtendedKey
	fingerprint uint32 // as packets hold it
}

// New returns a device with a seed of 16 to 64 bytes.
func New(t testing.TB, seed []byte) *Device {
	t.Helper()
	master, err := hdkeychain.NewMaster(seed, &chaincfg.RegressionNetParams)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := master.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	return &Device{master, binary.LittleEndian.Uint32(btcutil.Hash160(pub.SerializeCompressed())[:4])}
}

// key derives the key at a path, if the master key is the device's and the path ends in
// the public key that the packet names.
func (d *Device) key(master uint32, path []uint32, public []byte) (*btcec.PrivateKey, error) {
	if master != d.fingerprint {
		return nil, fmt.Errorf("the master key %08x is not the device's", master)
	}
	key := d.master
	for _, n := range path {
		var err error
		if key, err = key.Derive(n); err != nil {
			return nil, err
		}
	}
	private, err := key.ECPrivKey()
	if err != nil {
		return nil, err
	}
	if p := private.PubKey(); !bytes.Equal(p.SerializeCompressed(), public) && !bytes.Equal(schnorr.SerializePubKey(p), public) {
		return nil, errors.New("the path leads to another key than the packet says")
	}
	return private, nil
}

// one is the only derivation of an input or output; nil where there is none.
func (d *Device) one(plain []*psbt.Bip32Derivation, taproot []*psbt.TaprootBip32Derivation) (*btcec.PrivateKey, []uint32, error) {
	switch {
	case len(plain) == 1 && len(taproot) == 0:
		k, err := d.key(plain[0].MasterKeyFingerprint, plain[0].Bip32Path, plain[0].PubKey)
		return k, plain[0].Bip32Path, err
	case len(taproot) == 1 && len(plain) == 0:
		k, err := d.key(taproot[0].MasterKeyFingerprint, taproot[0].Bip32Path, taproot[0].XOnlyPubKey)
		return k, taproot[0].Bip32Path, err
	}
	return nil, nil, nil
}

// Shown is what the device asks its owner to agree to.
type Shown struct {
	Payments map[string]int64 // by output script, in satoshi
	Fee      int64
}

// Sign shows what a packet does, and signs every input.
func (d *Device) Sign(packet []byte) (signed []byte, s Shown, err error) {
	p, err := psbt.NewFromRawBytes(bytes.NewReader(packet), false)
	if err != nil {
		return nil, s, err
	}
	outs := make([]*wire.TxOut, len(p.Inputs))
	for i := range p.Inputs {
		if outs[i], err = spentBy(p, i); err != nil {
			return nil, s, fmt.Errorf("input %d: %w", i, err)
		}
		s.Fee += outs[i].Value
	}
	s.Payments = map[string]int64{}
	for i, o := range p.UnsignedTx.TxOut {
		s.Fee -= o.Value
		key, path, err := d.one(p.Outputs[i].Bip32Derivation, p.Outputs[i].TaprootBip32Derivation)
		if err != nil {
			return nil, s, fmt.Errorf("output %d: %w", i, err)
		}
		if key == nil {
			s.Payments[string(o.PkScript)] = o.Value
		} else if err := owns(key, path, o.PkScript, p.Outputs[i].RedeemScript); err != nil {
			return nil, s, fmt.Errorf("output %d: %w", i, err)
		}
	}
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i, in := range p.UnsignedTx.TxIn {
		prev[in.PreviousOutPoint] = outs[i]
	}
	fetcher := txscript.NewMultiPrevOutFetcher(prev)
	hashes := txscript.NewTxSigHashes(p.UnsignedTx, fetcher)
	for i := range p.Inputs {
		if err := d.signInput(p, i, outs[i], hashes); err != nil {
			return nil, s, fmt.Errorf("input %d: %w", i, err)
		}
	}
	var out bytes.Buffer
	err = p.Serialize(&out)
	return out.Bytes(), s, err
}

// spentBy is what an input spends. The device believes an amount only from the whole
// transaction that made it, except where its signature covers all amounts (taproot).
func spentBy(p *psbt.Packet, i int) (*wire.TxOut, error) {
	in, from := &p.Inputs[i], p.UnsignedTx.TxIn[i].PreviousOutPoint
	if in.WitnessUtxo != nil && txscript.IsPayToTaproot(in.WitnessUtxo.PkScript) {
		if in.NonWitnessUtxo != nil {
			return nil, errors.New("it holds more than a taproot input needs")
		}
		return in.WitnessUtxo, nil
	}
	if in.NonWitnessUtxo == nil || in.NonWitnessUtxo.TxHash() != from.Hash {
		return nil, errors.New("the transaction that made it is not in the packet")
	}
	out := in.NonWitnessUtxo.TxOut[from.Index]
	witness := !txscript.IsPayToPubKeyHash(out.PkScript)
	if witness != (in.WitnessUtxo != nil) || witness && (in.WitnessUtxo.Value != out.Value || !bytes.Equal(in.WitnessUtxo.PkScript, out.PkScript)) {
		return nil, errors.New("the witness output is there for a legacy input, or missing, or another one")
	}
	return out, nil
}

// owns checks that a key makes an output script, in the kind that its path is for.
func owns(key *btcec.PrivateKey, path []uint32, script, redeem []byte) error {
	pub := key.PubKey()
	hash := btcutil.Hash160(pub.SerializeCompressed())
	program, err := txscript.NewScriptBuilder().AddOp(txscript.OP_0).AddData(hash).Script()
	if err != nil {
		return err
	}
	var want []byte
	switch path[0] - hdkeychain.HardenedKeyStart {
	case 44:
		want, err = txscript.NewScriptBuilder().AddOp(txscript.OP_DUP).AddOp(txscript.OP_HASH160).AddData(hash).AddOp(txscript.OP_EQUALVERIFY).AddOp(txscript.OP_CHECKSIG).Script()
	case 49:
		if !bytes.Equal(redeem, program) {
			return errors.New("the redeem script is not in the packet")
		}
		want, err = txscript.NewScriptBuilder().AddOp(txscript.OP_HASH160).AddData(btcutil.Hash160(program)).AddOp(txscript.OP_EQUAL).Script()
	case 84:
		want = program
	case 86:
		want, err = txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(pub))
	}
	if err == nil && !bytes.Equal(want, script) {
		err = errors.New("it does not belong to the key that it names")
	}
	return err
}

func (d *Device) signInput(p *psbt.Packet, i int, out *wire.TxOut, hashes *txscript.TxSigHashes) error {
	in := &p.Inputs[i]
	key, path, err := d.one(in.Bip32Derivation, in.TaprootBip32Derivation)
	if err != nil || key == nil {
		return fmt.Errorf("no key of the device's: %w", err)
	}
	if err := owns(key, path, out.PkScript, in.RedeemScript); err != nil {
		return err
	}
	pub, tx := key.PubKey().SerializeCompressed(), p.UnsignedTx
	switch path[0] - hdkeychain.HardenedKeyStart {
	case 86:
		if !bytes.Equal(in.TaprootInternalKey, schnorr.SerializePubKey(key.PubKey())) {
			return errors.New("the internal key is not in the packet (BIP 371)")
		}
		in.TaprootKeySpendSig, err = txscript.RawTxInTaprootSignature(tx, hashes, i, out.Value, out.PkScript, []byte{}, txscript.SigHashDefault, key)
		return err
	case 44:
		sig, err := txscript.RawTxInSignature(tx, i, out.PkScript, txscript.SigHashAll, key)
		in.PartialSigs = append(in.PartialSigs, &psbt.PartialSig{PubKey: pub, Signature: sig})
		return err
	}
	program := out.PkScript
	if len(in.RedeemScript) > 0 {
		program = in.RedeemScript
	}
	sig, err := txscript.RawTxInWitnessSignature(tx, hashes, i, out.Value, program, txscript.SigHashAll, key)
	in.PartialSigs = append(in.PartialSigs, &psbt.PartialSig{PubKey: pub, Signature: sig})
	return err
}
