package bchdtest

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// minerKey is no secret: it belongs to coins of regtest.
var minerKey, _ = btcec.PrivKeyFromBytes(bytes.Repeat([]byte{42}, 32))

// minerAddress is that key's address, in the form of the time before CashAddr.
var minerAddress = func() string {
	a, err := btcutil.NewAddressPubKeyHash(btcutil.Hash160(minerKey.PubKey().SerializeCompressed()), &chaincfg.RegressionNetParams)
	if err != nil {
		panic(err) // of 20 bytes there always is one
	}
	return a.EncodeAddress()
}()

// forkID is the type of signatures on Bitcoin Cash: all of the transaction, with the
// bit of its own chain.
const forkID = txscript.SigHashAll | 0x40

// payFee is what each payment costs, in satoshi.
const payFee = 5_000

// payment makes a signed transaction out of a block reward that was not spent.
func (n *Node) payment(script []byte, satoshi int64) []byte {
	n.t.Helper()
	hash, err := n.GetBlockHash(n.next)
	n.check(err)
	n.next++
	block, err := n.GetBlock(hash)
	n.check(err)
	coinbase := block.Transactions[0]
	id, spent := coinbase.TxHash(), coinbase.TxOut[0]
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, 0), nil, nil))
	tx.AddTxOut(wire.NewTxOut(satoshi, script))
	tx.AddTxOut(wire.NewTxOut(spent.Value-satoshi-payFee, spent.PkScript))
	fetcher := txscript.NewCannedPrevOutputFetcher(spent.PkScript, spent.Value)
	digest, err := txscript.CalcWitnessSigHash(spent.PkScript, txscript.NewTxSigHashes(tx, fetcher), forkID, tx, 0, spent.Value)
	n.check(err)
	sig := append(ecdsa.Sign(minerKey, digest).Serialize(), byte(forkID))
	tx.TxIn[0].SignatureScript, err = txscript.NewScriptBuilder().AddData(sig).AddData(minerKey.PubKey().SerializeCompressed()).Script()
	n.check(err)
	var raw bytes.Buffer
	n.check(tx.Serialize(&raw))
	return raw.Bytes()
}

func params(t testing.TB, list ...any) []json.RawMessage {
	t.Helper()
	var out []json.RawMessage
	for _, p := range list {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}
