package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/money"
)

var _ chain.Inspector = (*Node)(nil)

// coinbaseMaturity is how deep a block's reward lies before it can be spent: the
// depth of Bitcoin and of what descends from it.
const coinbaseMaturity = 100

// Read takes a transaction apart; the node is not asked.
func (n *Node) Read(raw []byte) (*chain.Draft, error) { return bitcoin.ReadDraft(raw, n.chain) }

// Inspect asks the node for what a transaction spends.
func (n *Node) Inspect(ctx context.Context, d *chain.Draft) (*chain.Inspection, error) {
	tx, err := btcutil.NewTxFromBytes(d.Raw)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	found := &chain.Inspection{}
	if found.Final, err = n.final(ctx, tx); err != nil {
		return nil, err
	}
	switch _, err := n.MempoolTx(ctx, d.ID); {
	case err == nil:
		found.Held = true
		return found, nil
	case !errors.Is(err, chain.ErrNotFound):
		return nil, err
	}
	missing := false
	for _, o := range d.Spends {
		in, err := n.input(ctx, o)
		if err != nil {
			return nil, err
		}
		missing = missing || !in.Known
		found.Inputs = append(found.Inputs, in)
	}
	if missing {
		// What a block has spent already may have been spent by this one.
		if found.Held, err = n.has(ctx, tx); err != nil {
			return nil, err
		}
		if found.Held {
			found.Inputs = nil
		}
	}
	found.Size = bitcoin.SizeOnceSigned(d.Raw, found.Inputs, n.chain)
	return found, nil
}

// final holds a transaction's lock time against the next block (BIP 113).
func (n *Node) final(ctx context.Context, tx *btcutil.Tx) (bool, error) {
	var info struct{ Blocks, MedianTime int64 }
	if err := n.call(ctx, &info, "getblockchaininfo"); err != nil {
		return false, err
	}
	return blockchain.IsFinalizedTransaction(tx, int32(info.Blocks+1), time.Unix(info.MedianTime, 0)), nil
}

// input asks for one output: first in the chain, then among what waits.
func (n *Node) input(ctx context.Context, o chain.Outpoint) (chain.Input, error) {
	in := chain.Input{Outpoint: o}
	for _, waiting := range []bool{false, true} {
		var out *struct {
			Confirmations int64
			Value         jsonAmount
			ScriptPubKey  struct{ Hex string }
			Coinbase      bool
		}
		if err := n.call(ctx, &out, "gettxout", o.Txid, o.Vout, waiting); err != nil {
			if isCode(err, codeNotFound) {
				continue
			}
			return in, err
		}
		if out == nil {
			continue
		}
		script, err := hex.DecodeString(out.ScriptPubKey.Hex)
		if err != nil {
			return in, fmt.Errorf("node: output %s:%d: its script is not in hex: %w", o.Txid, o.Vout, err)
		}
		in.Known, in.Amount, in.To = true, money.NewUnits(uint64(out.Value)), script
		in.Confirmed = out.Confirmations > 0 && (!out.Coinbase || out.Confirmations >= coinbaseMaturity)
		break
	}
	var err error
	if in.Known {
		in.SpentBy, err = n.spender(ctx, o)
	}
	return in, err
}

// spender is the waiting transaction that spends an output, as far as the node says;
// one that does not say refuses a second spender when it is sent.
func (n *Node) spender(ctx context.Context, o chain.Outpoint) (string, error) {
	var list []struct{ SpendingTxid string }
	err := n.call(ctx, &list, "gettxspendingprevout", []map[string]any{{"txid": o.Txid, "vout": o.Vout}})
	if unsupported(err) || err == nil && len(list) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return list[0].SpendingTxid, nil
}
