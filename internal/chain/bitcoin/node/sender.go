package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/cockroachdb/apd/v3"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// verdicts are the codes by which a node says that it looked at a transaction and
// does not take it. After any other error it is open whether it did.
var verdicts = []btcjson.RPCErrorCode{btcjson.ErrRPCTxError, btcjson.ErrRPCTxRejected, btcjson.ErrRPCTxAlreadyInChain, btcjson.ErrRPCDeserialization}

// Send hands a signed transaction to the node. One that it has already, waiting or
// mined, is fine.
func (n *Node) Send(ctx context.Context, raw []byte) error {
	tx, err := btcutil.NewTxFromBytes(raw)
	if err != nil {
		return &chain.Rejected{Reason: "it is not a transaction: " + err.Error()}
	}
	err = n.call(ctx, nil, "sendrawtransaction", hex.EncodeToString(raw))
	if err == nil {
		return nil
	}
	if !isCode(err, verdicts...) {
		return err
	}
	// Nodes refuse what they have already, each in other words; so they are asked.
	has, lookErr := n.has(ctx, tx)
	if lookErr != nil {
		return fmt.Errorf("%w; asked whether it has it: %w", err, lookErr)
	}
	if has {
		return nil
	}
	e, _ := refused(err)
	return &chain.Rejected{Reason: e.Message}
}

// has reports whether a transaction waits, or an output of it is unspent.
func (n *Node) has(ctx context.Context, tx *btcutil.Tx) (bool, error) {
	ids, err := n.Mempool(ctx)
	if err != nil || slices.Contains(ids, tx.Hash().String()) {
		return err == nil, err
	}
	for i := range tx.MsgTx().TxOut {
		there, err := n.txOut(ctx, chain.Outpoint{Txid: tx.Hash().String(), Vout: uint32(i)})
		if err != nil || there {
			return there, err
		}
	}
	return false, nil
}

// txOut reports whether the node knows an output as unspent.
func (n *Node) txOut(ctx context.Context, o chain.Outpoint) (bool, error) {
	var out *struct{ Confirmations int64 }
	err := n.call(ctx, &out, "gettxout", o.Txid, o.Vout, true)
	return out != nil, err
}

// Unspent returns those of the outputs that the node knows and that nothing in the
// chain or in its mempool spends.
func (n *Node) Unspent(ctx context.Context, coins []chain.Outpoint) (list []chain.Outpoint, err error) {
	for from := 0; from < len(coins); from += batchSize {
		part := coins[from:min(from+batchSize, len(coins))]
		var free []chain.Outpoint
		err := n.try(ctx, func(e *endpoint) (err error) {
			free, err = e.unspent(ctx, part)
			return err
		})
		if err != nil {
			return nil, err
		}
		list = append(list, free...)
	}
	return list, nil
}

func (e *endpoint) unspent(ctx context.Context, coins []chain.Outpoint) (list []chain.Outpoint, err error) {
	there := make([]bool, len(coins))
	params, spends := make([][]any, len(coins)), make([]map[string]any, len(coins))
	for i, o := range coins {
		params[i] = []any{o.Txid, o.Vout, true}
		spends[i] = map[string]any{"txid": o.Txid, "vout": o.Vout}
	}
	err = e.batch(ctx, "gettxout", params, func(i int, result json.RawMessage, err error) error {
		there[i] = err == nil && len(result) > 0 && string(result) != "null"
		return err
	})
	if err != nil {
		return nil, err
	}
	// Bitcoin Core minds its mempool in gettxout, btcd does not.
	var waiting []struct{ SpendingTxid string }
	err = e.call(ctx, &waiting, "gettxspendingprevout", spends)
	if err != nil && !unsupported(err) {
		return nil, err
	}
	for i, o := range coins {
		if there[i] && (i >= len(waiting) || waiting[i].SpendingTxid == "") {
			list = append(list, o)
		}
	}
	return list, nil
}

// Cost is the fee and size of a transaction in the node's mempool, or
// chain.ErrNotFound.
func (n *Node) Cost(ctx context.Context, txid string) (chain.Cost, error) {
	var entry struct {
		VSize int64
		Fees  struct{ Base jsonAmount }
	}
	err := n.call(ctx, &entry, "getmempoolentry", txid)
	switch {
	case err == nil:
		return chain.Cost{Fee: money.NewUnits(uint64(entry.Fees.Base)), VSize: entry.VSize}, nil
	case isCode(err, codeNotFound):
		return chain.Cost{}, chain.ErrNotFound
	case !unsupported(err):
		return chain.Cost{}, err
	}
	// btcd tells it of all at once only.
	var all map[string]struct {
		VSize int64
		Fee   jsonAmount
	}
	if err := n.call(ctx, &all, "getrawmempool", true); err != nil {
		return chain.Cost{}, err
	}
	e, ok := all[txid]
	if !ok {
		return chain.Cost{}, chain.ErrNotFound
	}
	return chain.Cost{Fee: money.NewUnits(uint64(e.Fee)), VSize: e.VSize}, nil
}

// FeeRate estimates what confirms within a number of blocks, in satoshi per 1,000
// virtual bytes: the node's estimate, else the fallback; never less than the node
// takes into its mempool.
func (n *Node) FeeRate(ctx context.Context, blocks int) (uint64, error) {
	rate, err := n.estimate(ctx, blocks)
	if err != nil {
		return 0, err
	}
	if rate == 0 {
		rate = n.fallback
	}
	least, err := n.leastFee(ctx)
	return max(rate, least), err
}

// estimate asks the node; 0 means that it has seen too little to say.
func (n *Node) estimate(ctx context.Context, blocks int) (uint64, error) {
	var smart struct{ FeeRate jsonAmount }
	err := n.call(ctx, &smart, "estimatesmartfee", blocks)
	if err == nil {
		return uint64(smart.FeeRate), nil
	}
	if !unsupported(err) {
		return 0, err
	}
	// btcd's older call; it refuses where it has no estimate.
	var plain jsonAmount
	err = n.call(ctx, &plain, "estimatefee", blocks)
	if _, ok := refused(err); ok {
		return 0, nil
	}
	return uint64(plain), err
}

// leastFee is what the node's mempool asks for at present.
func (n *Node) leastFee(ctx context.Context) (uint64, error) {
	var pool struct{ MempoolMinFee, MinRelayTxFee jsonAmount }
	err := n.call(ctx, &pool, "getmempoolinfo")
	if _, ok := refused(err); ok {
		err = nil
	}
	// btcd does not say; its default is the network's.
	return max(uint64(max(pool.MempoolMinFee, pool.MinRelayTxFee)), n.chain.RelayFee), err
}

// jsonAmount is an amount that a node writes in whole coins, in satoshi, rounded up:
// btcd writes more decimals than there are. Less than nothing, by which nodes say
// that they do not know, is 0.
type jsonAmount uint64

// exact reads what nodes write: at most 21 million coins with a few stray decimals.
var exact = apd.BaseContext.WithPrecision(40)

func (a *jsonAmount) UnmarshalJSON(b []byte) error {
	var text json.Number
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	d, _, err := exact.NewFromString(text.String())
	if err == nil {
		_, err = exact.Mul(d, d, apd.New(1, 8))
	}
	if err == nil {
		_, err = exact.Ceil(d, d)
	}
	if err != nil {
		return fmt.Errorf("node: %q is not an amount: %w", text, err)
	}
	if d.Negative || d.IsZero() {
		*a = 0
		return nil
	}
	sat, err := d.Int64()
	if err != nil || sat < 0 {
		return fmt.Errorf("node: %q is not an amount", text)
	}
	*a = jsonAmount(sat)
	return nil
}
