package sweep

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/money"
)

// maxInputs keeps a transaction below the weight that nodes relay (400,000): an input
// of P2PKH weighs 592.
const maxInputs = 600

// sizes are the virtual bytes of an input, at most.
var sizes = map[bitcoin.Kind]uint64{bitcoin.BIP44: 148, bitcoin.BIP49: 91, bitcoin.BIP84: 68, bitcoin.BIP86: 58}

// uncompressedMore is how many bytes an uncompressed key adds.
const uncompressedMore = 32

// Transaction is a signed sweep.
type Transaction struct {
	ID     string
	Raw    []byte
	Amount money.Units // that arrives
	Fee    money.Units
	VSize  int64
	Inputs []Coin
	// Left are coins that are worth less than it costs to spend them, and what one
	// transaction has no room for.
	Left []Coin
}

// Build signs a transaction that pays the coins to a destination at a fee rate, in
// satoshi per 1,000 virtual bytes. The error is a sentence: nothing to sweep, too
// little for the network, or a fee above the limit.
func (o *Old) Build(coins []Coin, to []byte, feeRate uint64) (*Transaction, error) {
	t := &Transaction{}
	var in, size uint64
	for _, c := range coins {
		sat, ok := c.Amount.Uint64()
		if cost := c.size() * feeRate / 1000; !ok || sat <= cost || len(t.Inputs) == maxInputs {
			t.Left = append(t.Left, c)
			continue
		}
		t.Inputs, in, size = append(t.Inputs, c), in+sat, size+c.size()
	}
	if len(coins) == 0 {
		return nil, errors.New("nothing was found: neither of its kinds of address has a coin that can be spent now")
	}
	if len(t.Inputs) == 0 {
		return nil, fmt.Errorf("it has %d coins, each of which costs more to spend than it is worth at %d satoshi per 1,000 virtual bytes", len(coins), feeRate)
	}
	const overhead = 11 // version, lock time, counts and the witness marker
	size += overhead + uint64(wire.NewTxOut(0, to).SerializeSize())
	fee := (size*feeRate + 999) / 1000
	if limit := o.chain.MaxFee + o.chain.MaxMemberFee*uint64(len(t.Inputs)); fee > limit {
		return nil, fmt.Errorf("it would cost %d satoshi, and at most %d are allowed: wait until the network is cheaper", fee, limit)
	}
	if dust := bitcoin.DustLimit(to, o.chain); in < fee+dust {
		return nil, fmt.Errorf("its %d satoshi are too little: %d are the network's fee, and at least %d have to arrive", in, fee, dust)
	}
	t.Amount, t.Fee = money.NewUnits(in-fee), money.NewUnits(fee)
	return t, o.sign(t, to)
}

func (c *Coin) size() uint64 {
	if !c.compressed {
		return sizes[c.kind] + uncompressedMore
	}
	return sizes[c.kind]
}

// sign writes and signs the transaction, and checks it as a node would.
func (o *Old) sign(t *Transaction, to []byte) error {
	tx := wire.NewMsgTx(2)
	prev := map[wire.OutPoint]*wire.TxOut{}
	for _, c := range t.Inputs {
		hash, err := chainhash.NewHashFromStr(c.Txid)
		if err != nil {
			return fmt.Errorf("%q is not a transaction id", c.Txid)
		}
		sat, _ := c.Amount.Uint64()
		op := wire.OutPoint{Hash: *hash, Index: c.Vout}
		prev[op] = wire.NewTxOut(int64(sat), c.To)
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: op, Sequence: wire.MaxTxInSequenceNum})
	}
	sat, _ := t.Amount.Uint64()
	tx.AddTxOut(wire.NewTxOut(int64(sat), to))
	fetcher := txscript.NewMultiPrevOutFetcher(prev)
	s := signing{tx, txscript.NewTxSigHashes(tx, fetcher), o.chain}
	for i := range t.Inputs {
		key, err := t.Inputs[i].key()
		if err != nil {
			return err
		}
		if err := s.input(i, &t.Inputs[i], prev[tx.TxIn[i].PreviousOutPoint], key); err != nil {
			return fmt.Errorf("input %d cannot be signed: %w", i, err)
		}
	}
	for i := range t.Inputs {
		if err := s.check(i, prev[tx.TxIn[i].PreviousOutPoint], fetcher); err != nil {
			return fmt.Errorf("the signature of input %d is not right: %w", i, err)
		}
	}
	var raw bytes.Buffer
	err := tx.Serialize(&raw)
	t.ID, t.Raw, t.VSize = tx.TxHash().String(), raw.Bytes(), mempool.GetTxVirtualSize(btcutil.NewTx(tx))
	return err
}

type signing struct {
	tx     *wire.MsgTx
	hashes *txscript.TxSigHashes
	chain  *bitcoin.Chain
}

func (s *signing) input(i int, c *Coin, out *wire.TxOut, key *btcec.PrivateKey) (err error) {
	in := s.tx.TxIn[i]
	switch c.kind {
	case bitcoin.BIP44:
		if s.chain.ForkID {
			in.SignatureScript, err = s.forked(i, out, key)
			return err
		}
		in.SignatureScript, err = txscript.SignatureScript(s.tx, i, out.PkScript, txscript.SigHashAll, key, c.compressed)
	case bitcoin.BIP86:
		var sig []byte
		sig, err = txscript.RawTxInTaprootSignature(s.tx, s.hashes, i, out.Value, out.PkScript, []byte{}, txscript.SigHashDefault, key)
		in.Witness = wire.TxWitness{sig}
	default:
		program := bitcoin.KeyScript(key.PubKey())
		if c.kind == bitcoin.BIP49 {
			if in.SignatureScript, err = txscript.NewScriptBuilder().AddData(program).Script(); err != nil {
				return err
			}
		}
		in.Witness, err = txscript.WitnessSignature(s.tx, s.hashes, i, out.Value, program, txscript.SigHashAll, key, true)
	}
	return err
}

// forked signs as Bitcoin Cash does; its keys are compressed unless a single one is
// not, which the script engine would find out.
func (s *signing) forked(i int, out *wire.TxOut, key *btcec.PrivateKey) ([]byte, error) {
	hash, err := spending.ForkIDHash(s.tx, i, out, s.hashes)
	if err != nil {
		return nil, err
	}
	sig := append(ecdsa.Sign(key, hash).Serialize(), byte(txscript.SigHashAll|spending.SigHashForkID))
	pub := key.PubKey().SerializeCompressed()
	if !bytes.Equal(btcutil.Hash160(pub), out.PkScript[3:23]) {
		pub = key.PubKey().SerializeUncompressed()
	}
	return txscript.NewScriptBuilder().AddData(sig).AddData(pub).Script()
}

func (s *signing) check(i int, out *wire.TxOut, fetcher txscript.PrevOutputFetcher) error {
	if s.chain.ForkID {
		return nil // the library's engine does not know its signatures; the node does
	}
	vm, err := txscript.NewEngine(out.PkScript, s.tx, i, txscript.StandardVerifyFlags, nil, s.hashes, out.Value, fetcher)
	if err == nil {
		err = vm.Execute()
	}
	return err
}

// Outpoints are those of coins.
func Outpoints(coins []Coin) []chain.Outpoint {
	out := make([]chain.Outpoint, len(coins))
	for i, c := range coins {
		out[i] = c.Outpoint
	}
	return out
}
