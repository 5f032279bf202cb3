package node

import (
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/wire"
)

// A node that replaces transactions which do not signal it says so, and it counts.
func TestANodeThatReplacesWhatDoesNotSignalItIsKnown(t *testing.T) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{Sequence: wire.MaxTxInSequenceNum, SignatureScript: []byte{1, 1}})
	tx.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
	for _, full := range []bool{true, false} {
		n := liar(t, map[string]any{
			"getrawtransaction": hex.EncodeToString(serialized(t, tx)), "getmempoolentry": map[string]any{"vsize": 100, "ancestorcount": 1},
			"getmempoolinfo": map[string]any{"fullrbf": full}, "estimatesmartfee": map[string]any{},
		})
		s, err := n.Probe(t.Context(), tx.TxHash().String())
		must(t, err)
		if s.Unsignalled != full || s.Replaceable || s.Holds != 1 {
			t.Errorf("full RBF %v: %+v", full, s)
		}
	}
}
