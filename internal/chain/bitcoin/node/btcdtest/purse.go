package btcdtest

import (
	"crypto/sha256"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

var regtest = &chaincfg.RegressionNetParams

// minerKey is no secret: it belongs to coins of regtest.
func minerKey() *btcec.PrivateKey {
	seed := sha256.Sum256([]byte("the purse of btcdtest"))
	key, _ := btcec.PrivKeyFromBytes(seed[:])
	return key
}

func minerAddress() string {
	hash := btcutil.Hash160(minerKey().PubKey().SerializeCompressed())
	addr, err := btcutil.NewAddressWitnessPubKeyHash(hash, regtest)
	if err != nil {
		panic(err) // of 20 bytes there always is one
	}
	return addr.EncodeAddress()
}

// MinerScript is the output script of the purse.
func MinerScript() []byte { return Script(minerAddress()) }

// Script is the output script of an address of regtest, nil of any other text.
func Script(address string) []byte {
	addr, err := btcutil.DecodeAddress(address, regtest)
	if err != nil {
		return nil
	}
	script, err := txscript.PayToAddrScript(addr)
	if err != nil {
		return nil
	}
	return script
}

// payFee is what each payment costs, in satoshi.
const payFee = 5_000

// Payment makes a signed transaction that pays satoshi to an address, out of the
// reward of a block that was not spent before. It may be replaced.
func (n *Node) Payment(address string, satoshi int64) *wire.MsgTx {
	n.t.Helper()
	coinbase, value := n.reward()
	tx := wire.NewMsgTx(2)
	in := wire.NewTxIn(coinbase, nil, nil)
	in.Sequence = wire.MaxTxInSequenceNum - 2
	tx.AddTxIn(in)
	script := Script(address)
	if script == nil {
		n.t.Fatalf("%q is not an address of regtest", address)
	}
	tx.AddTxOut(wire.NewTxOut(satoshi, script))
	tx.AddTxOut(wire.NewTxOut(value-satoshi-payFee, MinerScript()))
	fetcher := txscript.NewCannedPrevOutputFetcher(MinerScript(), value)
	witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, value, MinerScript(), txscript.SigHashAll, minerKey(), true)
	n.check(err)
	tx.TxIn[0].Witness = witness
	return tx
}

// Pay sends such a payment and returns its id.
func (n *Node) Pay(address string, satoshi int64) string {
	n.t.Helper()
	id, err := n.SendRawTransaction(n.Payment(address, satoshi), true)
	n.check(err)
	return id.String()
}

// reward is the next block reward that was not spent.
func (n *Node) reward() (*wire.OutPoint, int64) {
	n.t.Helper()
	hash, err := n.GetBlockHash(n.next)
	n.check(err)
	n.next++
	block, err := n.GetBlock(hash)
	n.check(err)
	coinbase := block.Transactions[0]
	id := coinbase.TxHash()
	return wire.NewOutPoint(&id, 0), coinbase.TxOut[0].Value
}
