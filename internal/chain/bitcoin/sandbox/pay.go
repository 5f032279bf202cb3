package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

const (
	defaultFeeRate  = 2 // sat/vB
	maxFeeRate      = 100_000
	maxChangeDepth  = 25 // Bitcoin Core's default limit of unconfirmed ancestors
	maxPaymentCoins = 1400
	// witnessBytes is the largest witness of a P2WPKH input: its item count, a
	// low-S signature of 72 bytes and a key of 33, each with its length.
	witnessBytes = 1 + 1 + 72 + 1 + 33
)

// ErrNoCoins is returned when the faucet's spendable coins do not suffice;
// mining a block confirms the change of earlier payments.
var ErrNoCoins = errors.New("sandbox: the faucet has too few spendable coins; mine a block")

// ErrNotOurs is returned for a transaction whose inputs the faucet cannot sign.
var ErrNotOurs = errors.New("sandbox: the faucet did not pay this transaction")

// Output is one payment: an amount in satoshi to a regtest address.
type Output struct {
	Address string
	Amount  uint64
}

// PayOptions describes a transaction of the faucet.
type PayOptions struct {
	Outputs     []Output
	FeeRate     uint64 // sat/vB, at most 100,000; 0 is 2
	Replaceable bool   // signals BIP 125
}

// Pay sends a transaction from the faucet to the mempool and returns its txid.
// The outputs keep their order, change comes last. What the mempool's policy
// refuses, such as dust, is an error; so is ErrNoCoins.
func (c *Chain) Pay(ctx context.Context, opts PayOptions) (string, error) {
	outs, err := outputs(opts.Outputs)
	if err != nil {
		return "", err
	}
	rate, err := feeRate(opts.FeeRate)
	if err != nil {
		return "", err
	}
	var txid string
	err = c.change(ctx, func() error {
		tx, err := c.pay(outs, rate, opts.Replaceable)
		if err != nil {
			return err
		}
		if err := c.admit(tx); err != nil {
			return fmt.Errorf("sandbox: payment refused: %w", err)
		}
		txid = tx.Hash().String()
		return nil
	})
	return txid, err
}

// Broadcast puts a foreign, fully signed transaction in wire format into the
// mempool and returns its txid.
func (c *Chain) Broadcast(ctx context.Context, raw []byte) (string, error) {
	tx, err := btcutil.NewTxFromBytes(raw)
	if err != nil {
		return "", fmt.Errorf("sandbox: not a transaction: %w", err)
	}
	err = c.change(ctx, func() error {
		if err := c.admit(tx); err != nil {
			return fmt.Errorf("sandbox: transaction refused: %w", err)
		}
		return nil
	})
	return tx.Hash().String(), err
}

func outputs(list []Output) ([]*wire.TxOut, error) {
	if len(list) == 0 {
		return nil, errors.New("sandbox: a payment needs an output")
	}
	var outs []*wire.TxOut
	for _, o := range list {
		script, err := bitcoin.AddressScript(o.Address, bitcoin.Regtest)
		if err != nil {
			return nil, err
		}
		if o.Amount == 0 || o.Amount > btcutil.MaxSatoshi {
			return nil, fmt.Errorf("sandbox: cannot pay %d satoshi", o.Amount)
		}
		outs = append(outs, wire.NewTxOut(int64(o.Amount), script))
	}
	return outs, nil
}

func feeRate(rate uint64) (int64, error) {
	if rate > maxFeeRate {
		return 0, fmt.Errorf("sandbox: a fee rate of %d sat/vB is above %d", rate, maxFeeRate)
	}
	if rate == 0 {
		rate = defaultFeeRate
	}
	return int64(rate), nil
}

// input is a coin and where it is.
type input struct {
	op     wire.OutPoint
	amount int64
}

func (c *Chain) pay(outs []*wire.TxOut, rate int64, replaceable bool) (*btcutil.Tx, error) {
	need := func(inputs int) int64 {
		total := rate * c.virtualSize(inputs, outs, true)
		for _, o := range outs {
			total += o.Value
		}
		return total
	}
	inputs := c.choose(need)
	if inputs == nil {
		return nil, ErrNoCoins
	}
	return c.sign(inputs, outs, rate, replaceable)
}

// choose takes the smallest confirmed coin that suffices alone, or else few
// confirmed ones, or else unconfirmed change as well.
func (c *Chain) choose(need func(inputs int) int64) []input {
	if one, ok := c.confirmedCoin(need(1)); ok {
		return []input{one}
	}
	coins := c.confirmedCoins()
	if inputs, ok := largest(coins, need); ok {
		return inputs
	}
	inputs, _ := largest(append(coins, c.changeCoins()...), need)
	return inputs
}

// largest takes the largest coins until they suffice.
func largest(coins []input, need func(inputs int) int64) ([]input, bool) {
	slices.SortFunc(coins, func(a, b input) int { return cmp.Compare(b.amount, a.amount) })
	var sum int64
	for i, coin := range coins[:min(len(coins), maxPaymentCoins)] {
		if sum += coin.amount; sum >= need(i+1) {
			return coins[:i+1], true
		}
	}
	return nil, false
}

// confirmedCoins lists the mature coins that no mempool transaction spends.
func (c *Chain) confirmedCoins() []input {
	_, height := c.tip()
	list := make([]input, 0, len(c.faucet.coins))
	for op, coin := range c.faucet.coins {
		if c.mature(coin, height) && c.pool.CheckSpend(op) == nil {
			list = append(list, input{op, coin.amount})
		}
	}
	return list
}

// confirmedCoin is the smallest of the confirmedCoins with at least the amount.
func (c *Chain) confirmedCoin(amount int64) (best input, ok bool) {
	_, height := c.tip()
	for op, coin := range c.faucet.coins {
		if coin.amount < amount || ok && coin.amount >= best.amount {
			continue
		}
		if c.mature(coin, height) && c.pool.CheckSpend(op) == nil {
			best, ok = input{op, coin.amount}, true
		}
	}
	return best, ok
}

// mature reports whether the block after height may spend the coin.
func (c *Chain) mature(coin coin, height int32) bool {
	return !coin.coinbase || height+1-coin.height >= int32(c.params.CoinbaseMaturity)
}

// changeCoins lists the unconfirmed outputs of the faucet that may be spent,
// and forgets those whose transaction has left the mempool.
func (c *Chain) changeCoins() []input {
	var list []input
	for op, coin := range c.faucet.change {
		switch {
		case !c.pool.IsTransactionInPool(&op.Hash):
			delete(c.faucet.change, op)
		case coin.depth < maxChangeDepth && c.pool.CheckSpend(op) == nil:
			list = append(list, input{op, coin.amount})
		}
	}
	return list
}

// sign builds the transaction and returns what is left above the fee to the
// faucet, unless that would be dust.
func (c *Chain) sign(inputs []input, outs []*wire.TxOut, rate int64, replaceable bool) (*btcutil.Tx, error) {
	tx := wire.NewMsgTx(2)
	sequence := uint32(wire.MaxTxInSequenceNum - 1)
	if replaceable {
		sequence = mempool.MaxRBFSequence
	}
	fetcher := txscript.NewMultiPrevOutFetcher(nil)
	var rest int64
	for _, in := range inputs {
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: in.op, Sequence: sequence})
		fetcher.AddPrevOut(in.op, wire.NewTxOut(in.amount, c.faucet.script))
		rest += in.amount
	}
	for _, out := range outs {
		tx.AddTxOut(out)
		rest -= out.Value
	}
	rest -= rate * c.virtualSize(len(inputs), outs, true)
	if rest >= int64(bitcoin.DustLimit(c.faucet.script, bitcoin.Regtest)) {
		tx.AddTxOut(wire.NewTxOut(rest, c.faucet.script))
	}
	hashes := txscript.NewTxSigHashes(tx, fetcher)
	for i, in := range inputs {
		witness, err := txscript.WitnessSignature(tx, hashes, i, in.amount, c.faucet.script,
			txscript.SigHashAll, c.faucet.key, true)
		if err != nil {
			return nil, fmt.Errorf("sandbox: signing: %w", err)
		}
		tx.TxIn[i].Witness = witness
	}
	return btcutil.NewTx(tx), nil
}

// virtualSize is the size in virtual bytes, rounded up, of a transaction with
// so many faucet inputs, with the change output or without.
func (c *Chain) virtualSize(inputs int, outs []*wire.TxOut, change bool) int64 {
	count := len(outs)
	size := 4 + 4 + wire.VarIntSerializeSize(uint64(inputs)) + inputs*(32+4+1+4)
	for _, out := range outs {
		size += out.SerializeSize()
	}
	if change {
		count++
		size += wire.NewTxOut(0, c.faucet.script).SerializeSize()
	}
	size += wire.VarIntSerializeSize(uint64(count))
	weight := size*4 + 2 + inputs*witnessBytes
	return int64(weight+3) / 4
}
