package bitcoin

import (
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// Block tells a block as a receiver sees it. height is its place in the chain,
// asset what its outputs are amounts of.
func Block(b *btcutil.Block, height int64, asset string) *chain.Block {
	header := b.MsgBlock().Header
	out := &chain.Block{
		Ref:  chain.Ref{Hash: b.Hash().String(), Height: height},
		Prev: header.PrevBlock.String(),
		Time: header.Timestamp,
		Txs:  make([]chain.Tx, 0, len(b.Transactions())),
	}
	for i, tx := range b.Transactions() {
		converted := Tx(tx, asset)
		if i == 0 {
			converted.Spends = nil // a coinbase spends nothing
			converted.Replaceable = false
		}
		out.Txs = append(out.Txs, converted)
	}
	return out
}

// Tx tells a transaction as a receiver sees it. Replaceable is what it signals
// itself, whatever its ancestors do.
func Tx(tx *btcutil.Tx, asset string) chain.Tx {
	out := chain.Tx{ID: tx.Hash().String(), Replaceable: Signals(tx)}
	for _, in := range tx.MsgTx().TxIn {
		op := in.PreviousOutPoint
		out.Spends = append(out.Spends, chain.Outpoint{Txid: op.Hash.String(), Vout: op.Index})
	}
	for i, o := range tx.MsgTx().TxOut {
		out.Payments = append(out.Payments, chain.Payment{
			Vout: uint32(i), To: o.PkScript, Asset: asset, Amount: money.NewUnits(uint64(o.Value)),
		})
	}
	return out
}

// maxReplaceable is the highest sequence number that allows replacement (BIP 125).
const maxReplaceable = wire.MaxTxInSequenceNum - 2

// Signals reports whether a transaction says itself that it may be replaced
// (BIP 125, rule 1).
func Signals(tx *btcutil.Tx) bool {
	for _, in := range tx.MsgTx().TxIn {
		if in.Sequence <= maxReplaceable {
			return true
		}
	}
	return false
}
