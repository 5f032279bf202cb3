package node

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/bchdtest"
)

func cash(t *testing.T) *bitcoin.Chain {
	t.Helper()
	c, err := bitcoin.Find("BCH", "regtest")
	must(t, err)
	return c
}

// Bitcoin Cash is read from bchd: a payment to an address in the CashAddr form is
// seen waiting and mined, and one that left the chain with its block is seen again.
func TestBitcoinCashIsReadFromItsOwnNode(t *testing.T) {
	b := bchdtest.Start(t)
	n, ctx := openOn(t, cash(t), b.URL), t.Context()
	script := slices.Concat([]byte{0x76, 0xa9, 20}, bytes.Repeat([]byte{9}, 20), []byte{0x88, 0xac})
	address, ok := bitcoin.ScriptAddress(script, cash(t))
	if !ok || address[:7] != "bchreg:" {
		t.Fatalf("the address is %s", address)
	}
	txid := b.Pay(script, 70_000)
	if sat, _ := b.Paid(txid, address); !slices.Equal(sat, []int64{70_000}) {
		t.Errorf("the node writes the address otherwise: %v", sat)
	}
	tx, err := n.MempoolTx(ctx, txid)
	must(t, err)
	if !bytes.Equal(tx.Payments[0].To, script) || tx.Payments[0].Amount.String() != "70000" || tx.Payments[0].Asset != "BCH" || tx.Replaceable {
		t.Errorf("read %+v", tx)
	}
	hash := b.Mine(1)[0].String()
	block, err := n.Block(ctx, hash)
	must(t, err)
	if len(block.Txs) != 2 || block.Txs[1].ID != txid || block.Height != 111 {
		t.Fatalf("block %+v", block)
	}
	raw, err := n.Origin(ctx, txid, hash)
	must(t, err)
	must(t, n.Send(ctx, raw))
	spent := tx.Spends[0]
	free, err := n.Unspent(ctx, []chain.Outpoint{{Txid: txid}, spent})
	must(t, err)
	if !slices.Equal(free, []chain.Outpoint{{Txid: txid}}) {
		t.Errorf("unspent are %v", free)
	}
	b.Reorg(2)
	if at, err := n.HashAt(ctx, 111); err != nil || at == hash {
		t.Errorf("the block is still there: %v", err)
	}
	if _, err := n.Block(ctx, hash); err != nil {
		t.Errorf("a block that left the chain: %v", err)
	}
	var refusal *chain.Rejected
	if err := n.Send(ctx, append(bytes.Clone(raw[:len(raw)-4]), 1, 2, 3, 4)); !errors.As(err, &refusal) {
		t.Errorf("a transaction that is not signed so: %v", err)
	}
	if rate, err := n.FeeRate(ctx, 6); err != nil || rate < 1000 {
		t.Errorf("the fee rate is %d, %v", rate, err)
	}
	listening(t, n, func() { b.Mine(1) })
}
