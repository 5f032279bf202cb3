package message

import (
	"bytes"
	"errors"
	"io"
	"math"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

const (
	maxElements = 4   // of a witness that is read
	maxElement  = 520 // bytes of each
)

// verifySimple runs the script engine over the two virtual transactions of BIP
// 322: one that pays to the address and commits to the text, and one that spends
// it with the witness that was given.
func verifySimple(script []byte, message string, raw []byte) error {
	kind := kindOf(script)
	if kind == txscript.NonStandardTy {
		return errors.New("an address of this kind cannot sign; give a Bitcoin address of a single key (it begins with 1, 3, bc1q or bc1p)")
	}
	witness, err := readWitness(raw)
	if err != nil {
		return err
	}
	if kind != txscript.WitnessV0PubKeyHashTy && kind != txscript.WitnessV1TaprootTy || !commitsToAll(kind, witness) {
		return errOther
	}
	spend := toSpend(script, message)
	sign := toSign(spend)
	sign.TxIn[0].Witness = witness
	prev := txscript.NewCannedPrevOutputFetcher(script, 0)
	engine, err := txscript.NewEngine(script, sign, 0, txscript.StandardVerifyFlags, nil, txscript.NewTxSigHashes(sign, prev), 0, prev)
	if err != nil || engine.Execute() != nil {
		return errOther
	}
	return nil
}

// commitsToAll holds what BIP 322 requires beside a valid spend: a signature
// over all of the transaction, by the key of the address itself.
func commitsToAll(kind txscript.ScriptClass, w wire.TxWitness) bool {
	if kind == txscript.WitnessV0PubKeyHashTy {
		return len(w) == 2 && len(w[0]) > 0 && w[0][len(w[0])-1] == byte(txscript.SigHashAll)
	}
	return len(w) == 1 && (len(w[0]) == 64 || len(w[0]) == 65 && w[0][64] == byte(txscript.SigHashAll))
}

// readWitness reads a stack as transactions carry it, and nothing behind it.
func readWitness(raw []byte) (wire.TxWitness, error) {
	r := bytes.NewReader(raw)
	n, err := wire.ReadVarInt(r, 0)
	if err != nil || n == 0 || n > maxElements {
		return nil, errForm
	}
	var w wire.TxWitness
	for range n {
		size, err := wire.ReadVarInt(r, 0)
		if err != nil || size > maxElement {
			return nil, errForm
		}
		element := make([]byte, size)
		if _, err := io.ReadFull(r, element); err != nil {
			return nil, errForm
		}
		w = append(w, element)
	}
	if r.Len() > 0 {
		return nil, errForm
	}
	return w, nil
}

func messageHash(message string) *chainhash.Hash {
	return chainhash.TaggedHash([]byte("BIP0322-signed-message"), []byte(message))
}

func toSpend(script []byte, message string) *wire.MsgTx {
	hash := messageHash(message)
	tx := wire.NewMsgTx(0)
	in := wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, math.MaxUint32), append([]byte{txscript.OP_0, txscript.OP_DATA_32}, hash[:]...), nil)
	in.Sequence = 0
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(0, script))
	return tx
}

func toSign(spend *wire.MsgTx) *wire.MsgTx {
	hash := spend.TxHash()
	tx := wire.NewMsgTx(0)
	in := wire.NewTxIn(wire.NewOutPoint(&hash, 0), nil, nil)
	in.Sequence = 0
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(0, []byte{txscript.OP_RETURN}))
	return tx
}
