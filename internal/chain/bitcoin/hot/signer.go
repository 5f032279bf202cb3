package hot

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
)

// Seed is an open seed. It never shows itself.
type Seed struct{ bytes []byte }

// NewSeed takes a seed over; the caller forgets its own copy.
func NewSeed(b []byte) *Seed { return &Seed{b} }

// String hides the seed from logs and errors.
func (*Seed) String() string { return "[sealed]" }

// GoString hides it from %#v.
func (*Seed) GoString() string { return "[sealed]" }

// LogValue hides it from slog.
func (*Seed) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// Config is what a Signer is made of.
type Config struct {
	Chain   *bitcoin.Chain
	Kind    string // bip44, bip49, bip84 or bip86
	Account uint32 // index of the account
	Seed    *Seed
	Policy  Policy
	Memory  Memory
	Now     func() time.Time // nil is time.Now
}

// Signer signs for one account. All its methods are safe for concurrent use.
type Signer struct {
	chain   *bitcoin.Chain
	config  Config
	account *bitcoin.Account

	mu sync.Mutex // one decision at a time: the day's sum must not be raced
}

var _ chain.Signer = (*Signer)(nil)

// New opens a signer.
func New(c Config) (*Signer, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Memory == nil {
		c.Memory = &InMemory{}
	}
	if err := c.Policy.Check(); err != nil {
		return nil, err
	}
	acc, err := bitcoin.AccountFromSeed(c.Seed.bytes, bitcoin.Kind(c.Kind), c.Chain, c.Account)
	if err != nil {
		return nil, err
	}
	return &Signer{chain: c.Chain, config: c, account: acc}, nil
}

// XPub is the account key that the signer signs for.
func (s *Signer) XPub() string { return s.account.XPub() }

// Kind is the account's kind.
func (s *Signer) Kind() string { return s.config.Kind }

// Sign signs a packet if the policy allows what it takes out.
func (s *Signer) Sign(_ context.Context, r chain.SignRequest) ([]byte, error) {
	if r.Account.XPub != "" && r.Account.XPub != s.account.XPub() {
		return nil, &chain.Withheld{Reason: "this signer has the keys of another wallet", Final: true}
	}
	pk, err := spending.Parse(r.Packet)
	if err != nil {
		return nil, &chain.Withheld{Reason: err.Error(), Final: true}
	}
	d, err := s.read(pk)
	if err != nil {
		return nil, &chain.Withheld{Reason: err.Error(), Final: true}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, keep := s.config.Policy.check(d, s.wallet(), r.Transfer, s.config.Memory.Records(), s.config.Now())
	if keep != nil {
		if err := s.config.Memory.Append(*keep); err != nil {
			return nil, fmt.Errorf("hot: the signer's memory cannot be written: %w", err)
		}
	}
	if held != nil {
		return nil, held
	}
	return s.sign(pk, d)
}

func (s *Signer) sign(pk *psbt.Packet, d *demand) ([]byte, error) {
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i, in := range pk.UnsignedTx.TxIn {
		prev[in.PreviousOutPoint] = pk.Inputs[i].WitnessUtxo
	}
	fetcher := txscript.NewMultiPrevOutFetcher(prev)
	hashes := txscript.NewTxSigHashes(pk.UnsignedTx, fetcher)
	for i := range pk.Inputs {
		if err := s.signInput(pk, i, d.inputs[i].path, hashes); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	err := pk.Serialize(&out)
	return out.Bytes(), err
}

func (s *Signer) signInput(pk *psbt.Packet, i int, path [2]uint32, hashes *txscript.TxSigHashes) error {
	in := &pk.Inputs[i]
	key, err := bitcoin.PrivateKeyAt(s.config.Seed.bytes, bitcoin.Kind(s.config.Kind), s.chain, s.config.Account, path[0], path[1])
	if err != nil {
		return err
	}
	defer key.Zero()
	in.FinalScriptSig, in.FinalScriptWitness, in.PartialSigs, in.TaprootKeySpendSig = nil, nil, nil, nil
	if s.account.Kind() == bitcoin.BIP86 {
		return s.signTaproot(pk, i, hashes, key)
	}
	in.SighashType = txscript.SigHashAll
	sig, err := s.signature(pk, i, hashes, key)
	if err != nil {
		return err
	}
	in.PartialSigs = []*psbt.PartialSig{{PubKey: key.PubKey().SerializeCompressed(), Signature: sig}}
	return nil
}

// signature is an ECDSA signature over the whole transaction, with its type.
func (s *Signer) signature(pk *psbt.Packet, i int, hashes *txscript.TxSigHashes, key *btcec.PrivateKey) ([]byte, error) {
	in, spent := &pk.Inputs[i], pk.Inputs[i].WitnessUtxo
	switch {
	case s.chain.ForkID:
		in.SighashType |= spending.SigHashForkID
		hash, err := spending.ForkIDHash(pk.UnsignedTx, i, spent, hashes)
		if err != nil {
			return nil, err
		}
		return append(ecdsa.Sign(key, hash).Serialize(), byte(in.SighashType)), nil
	case s.account.Kind() == bitcoin.BIP44:
		return txscript.RawTxInSignature(pk.UnsignedTx, i, spent.PkScript, txscript.SigHashAll, key)
	}
	return txscript.RawTxInWitnessSignature(pk.UnsignedTx, hashes, i, spent.Value, bitcoin.KeyScript(key.PubKey()), txscript.SigHashAll, key)
}

func (s *Signer) signTaproot(pk *psbt.Packet, i int, hashes *txscript.TxSigHashes, key *btcec.PrivateKey) error {
	in := &pk.Inputs[i]
	in.SighashType = txscript.SigHashDefault
	sig, err := txscript.RawTxInTaprootSignature(pk.UnsignedTx, hashes, i, in.WitnessUtxo.Value, in.WitnessUtxo.PkScript, nil, txscript.SigHashDefault, key)
	in.TaprootKeySpendSig = sig
	return err
}
