package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// batchSize is how many calls go in one exchange.
const batchSize = 100

// Mempool lists the ids of all transactions that wait.
func (n *Node) Mempool(ctx context.Context) (ids []string, err error) {
	err = n.call(ctx, &ids, "getrawmempool")
	return ids, err
}

// MempoolTx reads one transaction that waits, or chain.ErrNotFound.
func (n *Node) MempoolTx(ctx context.Context, txid string) (*chain.Tx, error) {
	list, err := n.MempoolTxs(ctx, []string{txid})
	if err == nil && list[0] == nil {
		err = chain.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// MempoolTxs reads transactions that wait, in few exchanges. Those that have left
// the mempool since are nil.
func (n *Node) MempoolTxs(ctx context.Context, ids []string) (out []*chain.Tx, err error) {
	for from := 0; from < len(ids); from += batchSize {
		part := ids[from:min(from+batchSize, len(ids))]
		var found []*chain.Tx
		err := n.try(ctx, func(e *endpoint) (err error) {
			found, err = n.poolPart(ctx, e, part)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// poolPart reads a part of them. Transactions may be as large as a tenth of a block: a
// hundred of such are too much for one answer, and asked for in smaller parts.
func (n *Node) poolPart(ctx context.Context, e *endpoint, ids []string) ([]*chain.Tx, error) {
	out, err := n.poolBatch(ctx, e, ids)
	if len(ids) == 1 || !errors.Is(err, errTooLong) {
		return out, err
	}
	half := len(ids) / 2
	if out, err = n.poolPart(ctx, e, ids[:half]); err != nil {
		return nil, err
	}
	rest, err := n.poolPart(ctx, e, ids[half:])
	return append(out, rest...), err
}

func (n *Node) poolBatch(ctx context.Context, e *endpoint, ids []string) ([]*chain.Tx, error) {
	out := make([]*chain.Tx, len(ids))
	params := make([][]any, len(ids))
	for i, id := range ids {
		params[i] = []any{id, 0}
	}
	err := e.batch(ctx, "getrawtransaction", params, func(i int, result json.RawMessage, err error) error {
		if isCode(err, codeNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		out[i], err = n.waiting(result, ids[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		params[i] = []any{id}
	}
	return out, e.batch(ctx, "getmempoolentry", params, func(i int, result json.RawMessage, err error) error {
		switch {
		case out[i] == nil || unsupported(err):
			return nil
		case isCode(err, codeNotFound):
			out[i] = nil
			return nil
		case err != nil:
			return err
		}
		return priced(out[i], result)
	})
}

// waiting reads a transaction of the mempool.
func (n *Node) waiting(result json.RawMessage, txid string) (*chain.Tx, error) {
	var text string
	if err := json.Unmarshal(result, &text); err != nil {
		return nil, fmt.Errorf("node: transaction %s: %w", txid, err)
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("node: transaction %s is not in hex: %w", txid, err)
	}
	tx, err := bitcoin.DecodeTx(raw, n.chain)
	if errors.Is(err, bitcoin.ErrHidden) {
		return &chain.Tx{ID: txid}, nil // it pays nobody that can be seen
	}
	if err != nil {
		return nil, fmt.Errorf("node: transaction %s: %w", txid, err)
	}
	if tx.Hash().String() != txid {
		return nil, fmt.Errorf("node: asked for transaction %s and got %s", txid, tx.Hash())
	}
	out := bitcoin.Tx(tx, n.chain.Code)
	out.Replaceable = out.Replaceable && n.chain.Replaceable
	return &out, nil
}

// priced notes what the node knows about a transaction beyond its bytes.
func priced(tx *chain.Tx, result json.RawMessage) error {
	var entry struct {
		VSize  float64
		Size   float64 // what older nodes call it
		Fee    jsonAmount
		Fees   struct{ Base jsonAmount }
		BIP125 bool `json:"bip125-replaceable"`
	}
	if err := json.Unmarshal(result, &entry); err != nil {
		return fmt.Errorf("node: what is known of transaction %s: %w", tx.ID, err)
	}
	tx.Replaceable = tx.Replaceable || entry.BIP125
	if size := max(entry.VSize, entry.Size); size > 0 {
		tx.FeeRate = float64(max(entry.Fees.Base, entry.Fee)) / size
	}
	return nil
}

// Origin reads a transaction as it went over the network, by the block that it is
// in or from the mempool, or returns chain.ErrNotFound.
func (n *Node) Origin(ctx context.Context, txid, block string) (raw []byte, err error) {
	if block == "" {
		err = n.try(ctx, func(e *endpoint) error {
			raw, err = e.raw(ctx, "getrawtransaction", txid, 0)
			return err
		})
		if err != nil {
			return nil, err
		}
		tx, err := bitcoin.DecodeTx(raw, n.chain)
		if err != nil || tx.Hash().String() != txid {
			return nil, fmt.Errorf("node: asked for transaction %s and got another: %w", txid, err)
		}
		return bytesOf(tx.MsgTx())
	}
	if raw, err = n.rawBlock(ctx, block); err != nil {
		return nil, err
	}
	b, err := bitcoin.DecodeBlock(raw, n.chain)
	if err != nil {
		return nil, fmt.Errorf("node: block %s: %w", block, err)
	}
	for _, tx := range b.Transactions() {
		if tx.Hash().String() == txid {
			return bytesOf(tx.MsgTx())
		}
	}
	return nil, chain.ErrNotFound
}

func bytesOf(tx *wire.MsgTx) ([]byte, error) {
	var b bytes.Buffer
	err := tx.Serialize(&b)
	return b.Bytes(), err
}

// raw asks for something by its id in the form that goes over the network, or
// returns chain.ErrNotFound. form is how the node is told that.
func (e *endpoint) raw(ctx context.Context, method, id string, form any) ([]byte, error) {
	raw, err := e.callHex(ctx, method, id, form)
	if isCode(err, codeNotFound) {
		return nil, chain.ErrNotFound
	}
	return raw, err
}

// unsupported reports that a node does not know a call. btcd says so in two ways.
func unsupported(err error) bool { return isCode(err, codeUnknownMethod, codeMisc) }
