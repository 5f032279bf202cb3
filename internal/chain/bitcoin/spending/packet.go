package spending

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// packet writes the unsigned transaction with what a signer needs: the outputs
// that are spent, and where the keys come from. Where the account's origin is not
// known, paths start at the account key, whose own fingerprint stands for the
// master key's.
func (s *Spending) packet(acc *bitcoin.Account, tx *wire.MsgTx, p *chain.Plan, o *chain.Outlay) ([]byte, error) {
	pk, err := psbt.NewFromUnsignedTx(tx)
	if err != nil {
		return nil, err
	}
	from, err := originOf(acc, o.Account.Origin)
	if err != nil {
		return nil, err
	}
	for i, in := range p.Inputs {
		if err := s.describe(pk, i, acc, in, o); err != nil {
			return nil, err
		}
		d, err := from.to(acc, in.Path)
		if err != nil {
			return nil, err
		}
		pk.Inputs[i].Bip32Derivation, pk.Inputs[i].TaprootBip32Derivation, pk.Inputs[i].TaprootInternalKey = d.plain, d.taproot, d.internal
	}
	if p.Change >= 0 {
		d, err := from.to(acc, o.Change)
		if err != nil {
			return nil, err
		}
		out := &pk.Outputs[p.Change]
		out.Bip32Derivation, out.TaprootBip32Derivation, out.TaprootInternalKey = d.plain, d.taproot, d.internal
		if acc.Kind() == bitcoin.BIP49 {
			if out.RedeemScript, err = redeem(acc, o.Change); err != nil {
				return nil, err
			}
		}
	}
	var out bytes.Buffer
	err = pk.Serialize(&out)
	return out.Bytes(), err
}

// describe says what an input spends.
func (s *Spending) describe(pk *psbt.Packet, i int, acc *bitcoin.Account, coin chain.Coin, o *chain.Outlay) (err error) {
	in := &pk.Inputs[i]
	sat, _ := coin.Amount.Uint64()
	in.WitnessUtxo = wire.NewTxOut(int64(sat), coin.To)
	if acc.Kind() == bitcoin.BIP49 {
		if in.RedeemScript, err = redeem(acc, coin.Path); err != nil {
			return err
		}
	}
	need := acc.Kind() == bitcoin.BIP44 && !s.chain.ForkID
	if !need && (!o.Full || acc.Kind() == bitcoin.BIP86 || s.chain.ForkID) {
		return nil
	}
	made, err := originTx(coin, o.Origin)
	if err != nil && need {
		return fmt.Errorf("bitcoin: the transaction that made %s:%d cannot be read: %w", coin.Txid, coin.Vout, err)
	}
	in.NonWitnessUtxo = made
	return nil
}

// originTx reads the transaction that made a coin and holds it against the coin.
func originTx(coin chain.Coin, read func(chain.Outpoint) ([]byte, error)) (*wire.MsgTx, error) {
	if read == nil {
		return nil, errors.New("there is no node to ask")
	}
	raw, err := read(coin.Outpoint)
	if err != nil {
		return nil, err
	}
	var tx wire.MsgTx
	if err := tx.Deserialize(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	sat, _ := coin.Amount.Uint64()
	if tx.TxHash().String() != coin.Txid || int(coin.Vout) >= len(tx.TxOut) ||
		tx.TxOut[coin.Vout].Value != int64(sat) || !bytes.Equal(tx.TxOut[coin.Vout].PkScript, coin.To) {
		return nil, errors.New("what was read is another transaction")
	}
	return &tx, nil
}

func redeem(acc *bitcoin.Account, path chain.Path) ([]byte, error) {
	pub, err := acc.PublicKey(path.Change, uint32(path.Index))
	if err != nil {
		return nil, err
	}
	return bitcoin.KeyScript(pub), nil
}

// ID is the id of the signed transaction: with segregated witness (BIP 141) it does
// not depend on the signatures. That of P2PKH inputs does, which is chain.ErrNoID.
func (s *Spending) ID(packet []byte) (string, error) {
	pk, err := Parse(packet)
	if err != nil {
		return "", err
	}
	tx := pk.UnsignedTx.Copy()
	for i := range pk.Inputs {
		in := &pk.Inputs[i]
		switch u := in.WitnessUtxo; {
		case len(in.RedeemScript) > 0:
			if tx.TxIn[i].SignatureScript, err = push(in.RedeemScript); err != nil {
				return "", err
			}
		case u == nil || txscript.IsPayToPubKeyHash(u.PkScript):
			return "", chain.ErrNoID
		}
	}
	return tx.TxHash().String(), nil
}

func push(data []byte) ([]byte, error) { return txscript.NewScriptBuilder().AddData(data).Script() }

// Outside leaves out of the packet what only our own signers read: the output that a
// P2PKH input spends, beside the whole transaction it is in. BIP 174 keeps that field
// for witness inputs, and some signers take its presence for one. Bitcoin Cash's
// signatures cover amounts as witness inputs' do, so there it stays.
func (s *Spending) Outside(packet []byte) ([]byte, error) {
	pk, err := Parse(packet)
	if err != nil {
		return nil, err
	}
	for i := range pk.Inputs {
		in := &pk.Inputs[i]
		if in.NonWitnessUtxo != nil && in.WitnessUtxo != nil && txscript.IsPayToPubKeyHash(in.WitnessUtxo.PkScript) {
			in.WitnessUtxo = nil
		}
	}
	var out bytes.Buffer
	err = pk.Serialize(&out)
	return out.Bytes(), err
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
	for i := range got.Inputs {
		if err := finalize(got, planned, i); err != nil {
			return nil, err
		}
	}
	tx, err := psbt.Extract(got)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: the signed packet: %w", err)
	}
	if err := s.verify(tx, planned); err != nil {
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
