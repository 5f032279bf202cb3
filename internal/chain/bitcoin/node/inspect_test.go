package node

import (
	"testing"

	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// A stranger's transaction is looked up at a node that is none of ours: what it
// spends, whether that is in a block, and whether the node has it already.
func TestAStrangersTransactionIsLookedUp(t *testing.T) {
	b := btcdtest.Start(t)
	n, ctx := open(t, b.URL), t.Context()
	tx := b.Payment(payee, 50_000)
	coin := tx.TxIn[0].PreviousOutPoint
	d, err := n.Read(serialized(t, tx))
	must(t, err)
	found, err := n.Inspect(ctx, d)
	must(t, err)
	if in := found.Inputs; found.Held || !found.Final || len(in) != 1 || !in[0].Known || !in[0].Confirmed || in[0].Txid != coin.Hash.String() || len(in[0].To) != 22 {
		t.Errorf("before it is sent: %+v", found)
	}
	var out int64
	for _, o := range tx.TxOut {
		out += o.Value
	}
	if paid, _ := found.Inputs[0].Amount.Uint64(); int64(paid)-out != 5000 {
		t.Errorf("it pays the network %d", int64(paid)-out)
	}
	unsigned := tx.Copy()
	unsigned.TxIn[0].Witness = nil
	bare, err := n.Read(serialized(t, unsigned))
	must(t, err)
	found, err = n.Inspect(ctx, bare)
	must(t, err)
	if bare.Signed || found.Size < d.VSize-1 || found.Size > d.VSize {
		t.Errorf("signed it is expected to have %d bytes, and has %d", found.Size, d.VSize)
	}
	must(t, n.Send(ctx, d.Raw))
	child := wire.NewMsgTx(2)
	child.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: tx.TxHash()}, nil, nil))
	child.AddTxOut(wire.NewTxOut(40_000, btcdtest.MinerScript()))
	next, err := n.Read(serialized(t, child))
	must(t, err)
	found, err = n.Inspect(ctx, next)
	must(t, err)
	if in := found.Inputs; found.Held || len(in) != 1 || !in[0].Known || in[0].Confirmed {
		t.Errorf("a coin that waits: %+v", found)
	}
	held := func(when string) {
		t.Helper()
		found, err := n.Inspect(ctx, d)
		must(t, err)
		if !found.Held || len(found.Inputs) != 0 {
			t.Errorf("%s: %+v", when, found)
		}
	}
	held("waiting")
	b.Mine(1)
	held("mined")
	other := tx.Copy()
	other.TxOut[0].Value--
	other.LockTime, other.TxIn[0].Sequence = 100_000, 0
	double, err := n.Read(serialized(t, other))
	must(t, err)
	found, err = n.Inspect(ctx, double)
	must(t, err)
	if found.Held || found.Final || found.Inputs[0].Known {
		t.Errorf("a coin that a block spends, behind a lock: %+v", found)
	}
}
