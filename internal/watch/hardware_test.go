package watch

import (
	"bytes"
	"encoding/base64"
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

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// device is a hardware signer: it has a master seed and nothing else. All it knows of a
// packet is in the packet, and what is not its own by fingerprint and path it takes for
// somebody else's.
type device struct {
	master      *hdkeychain.ExtendedKey
	fingerprint uint32 // as packets hold it
}

func newDevice(t testing.TB, seed []byte) *device {
	t.Helper()
	master, err := hdkeychain.NewMaster(seed, &chaincfg.RegressionNetParams)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := master.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	return &device{master, binary.LittleEndian.Uint32(btcutil.Hash160(pub.SerializeCompressed())[:4])}
}

// key derives the key at a path, if the master key is the device's and the path ends in
// the public key that the packet names.
func (d *device) key(master uint32, path []uint32, public []byte) (*btcec.PrivateKey, error) {
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
func (d *device) one(plain []*psbt.Bip32Derivation, taproot []*psbt.TaprootBip32Derivation) (*btcec.PrivateKey, []uint32, error) {
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

// shown is what the device asks its owner to agree to.
type shown struct {
	payments map[string]int64 // by script
	fee      int64
}

// sign shows what a packet does, and signs every input.
func (d *device) sign(packet []byte) (signed []byte, s shown, err error) {
	p, err := psbt.NewFromRawBytes(bytes.NewReader(packet), false)
	if err != nil {
		return nil, s, err
	}
	outs := make([]*wire.TxOut, len(p.Inputs))
	for i := range p.Inputs {
		if outs[i], err = spentBy(p, i); err != nil {
			return nil, s, fmt.Errorf("input %d: %w", i, err)
		}
		s.fee += outs[i].Value
	}
	s.payments = map[string]int64{}
	for i, o := range p.UnsignedTx.TxOut {
		s.fee -= o.Value
		key, path, err := d.one(p.Outputs[i].Bip32Derivation, p.Outputs[i].TaprootBip32Derivation)
		if err != nil {
			return nil, s, fmt.Errorf("output %d: %w", i, err)
		}
		if key == nil {
			s.payments[string(o.PkScript)] = o.Value
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

func (d *device) signInput(p *psbt.Packet, i int, out *wire.TxOut, hashes *txscript.TxSigHashes) error {
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

// imports opens a shop whose wallet is an account of a device, brought in by its
// descriptor.
func (w *world) imports(kind bitcoin.Kind) *device {
	w.t.Helper()
	acc, err := bitcoin.AccountFromSeed(w.seed, kind, bitcoin.Regtest, 3)
	w.check(err)
	in, err := bitcoin.Import(acc.BothDescriptor(), "", bitcoin.Regtest)
	w.check(err)
	w.shop, _, err = w.app.CreateMerchant(w.ctx, "Cold", merchant.Settings{})
	w.check(err)
	_, err = w.app.OpenWallet(w.ctx, "BTC", merchant.Wallet{Merchant: w.shop.ID, Kind: string(in.Kind()), XPub: in.XPub(), Origin: in.Origin()})
	w.check(err)
	w.token = &merchant.Token{Token: "t" + w.shop.ID, Merchant: w.shop.ID, Facade: merchant.POS, State: merchant.Active, Created: w.clock.now()}
	w.check(w.store.Update(w.ctx, func(tx *store.Tx) error { return tx.AddToken(w.token) }))
	w.signer = nil
	return newDevice(w.t, w.seed)
}

// A device that has only its master seed pays out of an imported account of each kind:
// it finds its keys by fingerprint and path, tells the change from the payment, and
// what it signs is sent and confirmed.
func TestAHardwareSignerPaysOutOfAnImportedWallet(t *testing.T) {
	for _, kind := range []bitcoin.Kind{bitcoin.BIP84, bitcoin.BIP86, bitcoin.BIP49, bitcoin.BIP44} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t)
			d := w.imports(kind)
			for range 2 {
				w.pay(w.invoice(invoice.Medium), due+20_000)
			}
			w.mine(6)
			w.sync()
			w.order("a", stranger, 40_000) // needs both coins
			w.check(w.app.Spend(w.ctx))
			packet, err := w.app.ExportPacket(w.ctx, w.only().ID)
			w.check(err)
			signed, s, err := d.sign(packet)
			w.check(err)
			to, err := bitcoin.AddressScript(stranger, bitcoin.Regtest)
			w.check(err)
			fee, _ := w.only().Attempts[0].Fee.Uint64()
			if len(s.payments) != 1 || s.payments[string(to)] != 40_000 || s.fee != int64(fee) || w.only().Attempts[0].Change < 0 {
				t.Errorf("the device shows %v and a fee of %d", s.payments, s.fee)
			}
			if _, _, err := newDevice(t, bytes.Repeat([]byte{9}, 32)).sign(packet); err == nil {
				t.Error("a device with another seed signed")
			}
			_, err = w.app.ImportPacket(w.ctx, []byte(base64.StdEncoding.EncodeToString(signed)))
			w.check(err)
			w.sync()
			w.mine(6)
			w.sync()
			if got := w.only(); got.State != transfer.Confirmed || w.receipts(stranger, 40_000) != 1 {
				t.Errorf("it is %s: %s", got.State, got.Problem)
			}
			w.verified()
			w.solvent()
		})
	}
}
