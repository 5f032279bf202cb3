package spending

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/txsort"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/btcsuite/btcwallet/wallet/txsizes"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/money"
)

// incrementalRelay is what a replacement pays on top, in satoshi per virtual byte
// of its own size (BIP 125, rule 4; Bitcoin Core's -incrementalrelayfee).
const incrementalRelay = 1

// sequence signals that the transaction may be replaced (BIP 125).
const sequence = wire.MaxTxInSequenceNum - 2

// Plan chooses coins for the outputs and writes the unsigned packet. Recipients
// get exactly their amounts; inputs and outputs are in the order of BIP 69, so
// that the change does not stand out by its place.
func (s *Spending) Plan(o chain.Outlay) (*chain.Plan, error) {
	if len(o.Outputs) == 0 && len(o.Must) == 0 {
		return nil, fmt.Errorf("bitcoin: a transaction needs an output, or coins to return")
	}
	_, changeScript, err := s.Own(o.Account, o.Change)
	if err != nil {
		return nil, err
	}
	if o.Replaces != nil && !s.chain.Replaceable {
		return nil, fmt.Errorf("bitcoin: %s has no replacement of transactions; a higher fee goes in a transaction that spends this one's change", s.chain.Name)
	}
	outs, sum, err := s.outputs(o.Outputs)
	if err != nil {
		return nil, err
	}
	b := &builder{Outlay: o, outs: outs, sum: sum, changeScript: changeScript, dust: bitcoin.DustLimit(changeScript, s.chain)}
	picked, err := b.choose()
	if err != nil {
		return nil, err
	}
	return s.write(b, picked)
}

func (s *Spending) outputs(list []chain.Output) (outs []*wire.TxOut, sum int64, err error) {
	for _, o := range list {
		sat, ok := o.Amount.Uint64()
		if !ok || sat > s.chain.MaxMoney {
			return nil, 0, fmt.Errorf("bitcoin: %s satoshi are more than exist", o.Amount)
		}
		if limit := bitcoin.DustLimit(o.To, s.chain); sat < limit || limit == 0 {
			return nil, 0, fmt.Errorf("%w: %d satoshi, at least %d are needed", chain.ErrDust, sat, limit)
		}
		outs = append(outs, wire.NewTxOut(int64(sat), o.To))
		if sum += int64(sat); sum > int64(s.chain.MaxMoney) {
			return nil, 0, fmt.Errorf("bitcoin: the outputs are more than exist")
		}
	}
	return outs, sum, nil
}

// builder is one plan being made.
type builder struct {
	chain.Outlay
	outs         []*wire.TxOut
	sum          int64
	changeScript []byte
	dust         uint64 // of the change, in satoshi
}

// vsize is the virtual size with so many inputs of the account's kind, at most.
func (b *builder) vsize(inputs int, change bool) int64 {
	size := 0
	if change {
		size = len(b.changeScript)
	}
	var p2pkh, p2tr, p2wpkh, nested int
	switch bitcoin.Kind(b.Account.Kind) {
	case bitcoin.BIP44:
		p2pkh = inputs
	case bitcoin.BIP49:
		nested = inputs
	case bitcoin.BIP86:
		p2tr = inputs
	default:
		p2wpkh = inputs
	}
	return int64(txsizes.EstimateVirtualSize(p2pkh, p2tr, p2wpkh, nested, b.outs, size))
}

// fee is what so many virtual bytes cost, rounded up, and enough to replace what
// this replaces and to lift what this lifts.
func (b *builder) fee(vsize int64) int64 {
	fee := (int64(b.FeeRate)*vsize + 999) / 1000
	if b.Lifts != nil {
		paid, _ := b.Lifts.Fee.Uint64()
		fee = max(fee, (int64(b.FeeRate)*(vsize+b.Lifts.VSize)+999)/1000-int64(paid))
	}
	if b.Replaces != nil {
		old, _ := b.Replaces.Fee.Uint64()
		fee = max(fee, int64(old)+incrementalRelay*vsize)
	}
	return fee
}

func (b *builder) choose() (choice, error) {
	one := b.vsize(1, false)
	inputSize := b.vsize(2, false) - one
	perInput := (int64(b.FeeRate)*inputSize + 999) / 1000
	changeSize := b.vsize(1, true) - one
	c := &chooser{
		target: b.sum + b.fee(one) - perInput, changeCost: (int64(b.FeeRate)*changeSize + 999) / 1000,
		spendLater: perInput, dust: int64(b.dust),
	}
	c.must, c.may = net(b.Must, perInput), net(b.May, perInput)
	picked, ok := c.choose()
	if !ok {
		return choice{}, b.short(c)
	}
	return b.settle(picked)
}

func net(list []chain.Coin, perInput int64) []coin {
	out := make([]coin, 0, len(list))
	for _, k := range list {
		if sat, ok := k.Amount.Uint64(); ok {
			out = append(out, coin{k, int64(sat), int64(sat) - perInput})
		}
	}
	return out
}

func (b *builder) short(c *chooser) error {
	var have int64
	for _, k := range slices.Concat(c.must, c.may) {
		have += max(k.net, 0)
	}
	return fmt.Errorf("%w: %d satoshi are needed with the network fee, %d can be spent", chain.ErrFunds, c.target, have)
}

// settle reckons the fee anew with the real number of inputs, so that rounding
// and the rules for replacements are met to the satoshi.
func (b *builder) settle(picked choice) (choice, error) {
	var in int64
	for _, k := range picked.coins {
		in += k.value
	}
	dust := int64(b.dust)
	fee := b.fee(b.vsize(len(picked.coins), true))
	picked.change = in - b.sum - fee
	if picked.change < dust && len(b.outs) == 0 {
		return picked, fmt.Errorf("%w: the network fee of %d satoshi leaves nothing of the %d that would return", chain.ErrFunds, fee, in)
	}
	if least := b.fee(b.vsize(len(picked.coins), false)); picked.change < dust {
		picked.change, fee = 0, in-b.sum
		if fee < least {
			return picked, fmt.Errorf("%w: %d satoshi are needed with the network fee, %d can be spent", chain.ErrFunds, b.sum+least, in)
		}
	}
	limit, ok := b.MaxFee.Uint64()
	if ok && fee > int64(limit) {
		return picked, fmt.Errorf("%w: it would cost %d satoshi, at most %d are allowed", chain.ErrFeeCap, fee, limit)
	}
	return picked, nil
}

func (s *Spending) write(b *builder, picked choice) (*chain.Plan, error) {
	tx := wire.NewMsgTx(2)
	byOutpoint := map[wire.OutPoint]chain.Coin{}
	var in int64
	for _, k := range picked.coins {
		hash, err := chainhash.NewHashFromStr(k.Txid)
		if err != nil {
			return nil, fmt.Errorf("bitcoin: %q is not a transaction id: %w", k.Txid, err)
		}
		op := wire.OutPoint{Hash: *hash, Index: k.Vout}
		if _, twice := byOutpoint[op]; twice {
			return nil, fmt.Errorf("bitcoin: output %s:%d is there twice", k.Txid, k.Vout)
		}
		byOutpoint[op], in = k.Coin, in+k.value
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: op, Sequence: s.sequence()})
	}
	for _, o := range b.outs {
		tx.AddTxOut(o)
	}
	if picked.change > 0 {
		tx.AddTxOut(wire.NewTxOut(picked.change, b.changeScript))
	}
	tx = txsort.Sort(tx)
	p := &chain.Plan{Change: -1, Cost: chain.Cost{VSize: b.vsize(len(tx.TxIn), picked.change > 0)}}
	var paid int64
	for _, o := range tx.TxOut {
		if picked.change > 0 && p.Change < 0 && o.Value == picked.change && bytes.Equal(o.PkScript, b.changeScript) {
			p.Change = len(p.Outputs)
		}
		p.Outputs = append(p.Outputs, chain.Output{To: o.PkScript, Amount: money.NewUnits(uint64(o.Value))})
		paid += o.Value
	}
	for _, i := range tx.TxIn {
		p.Inputs = append(p.Inputs, byOutpoint[i.PreviousOutPoint])
	}
	p.Fee = money.NewUnits(uint64(in - paid))
	acc, err := s.account(b.Account)
	if err != nil {
		return nil, err
	}
	p.Packet, err = s.packet(acc, tx, p, &b.Outlay)
	return p, err
}

// sequence signals that the transaction may be replaced where that is possible.
func (s *Spending) sequence() uint32 {
	if s.chain.Replaceable {
		return sequence
	}
	return wire.MaxTxInSequenceNum
}
