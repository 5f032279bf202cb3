package node

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/btcsuite/btcd/wire"
)

// payments are transactions of a size that differ in what they pay.
func payments(n, size int) map[string]*wire.MsgTx {
	out := map[string]*wire.MsgTx{}
	for i := range n {
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: uint32(i)}, bytes.Repeat([]byte{0x51}, size), nil))
		tx.AddTxOut(wire.NewTxOut(int64(1000+i), []byte{0x51}))
		out[tx.TxHash().String()] = tx
	}
	return out
}

// pooled is a node with transactions that wait.
func pooled(t *testing.T, txs map[string]*wire.MsgTx) *Node {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var list []struct {
			ID     uint64
			Method string
			Params []any
		}
		_ = json.NewDecoder(r.Body).Decode(&list)
		out := make([]map[string]any, len(list))
		for i, a := range list {
			out[i] = map[string]any{"id": a.ID, "error": map[string]any{"code": -32601, "message": "Method not found"}}
			if tx := txs[a.Params[0].(string)]; a.Method == "getrawtransaction" {
				out[i] = map[string]any{"id": a.ID, "result": hex.EncodeToString(serialized(t, tx))}
			}
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(s.Close)
	return at(t, s.URL)
}

// A mempool full of transactions as large as nodes relay them is read, though a hundred
// of them are more than one answer may be long.
func TestAMempoolOfLargeTransactionsIsRead(t *testing.T) {
	txs := payments(90, 400_000)
	n := pooled(t, txs)
	var ids []string
	for id := range txs {
		ids = append(ids, id)
	}
	found, err := n.MempoolTxs(t.Context(), ids)
	must(t, err)
	for i, tx := range found {
		if tx == nil || tx.ID != ids[i] {
			t.Fatalf("%d: asked for %s, got %+v", i, ids[i], tx)
		}
	}
	if len(found) != len(ids) {
		t.Errorf("%d of %d transactions", len(found), len(ids))
	}
}

// An amount below nothing is no huge amount.
func TestANegativeAmountIsNotBelieved(t *testing.T) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{}, nil, nil))
	tx.AddTxOut(wire.NewTxOut(-1, []byte{0x51}))
	id := tx.TxHash().String()
	n := pooled(t, map[string]*wire.MsgTx{id: tx})
	if got, err := n.MempoolTx(t.Context(), id); err == nil {
		t.Errorf("read %+v", got)
	}
}

// A node that tells of something all the time does not have the chain read all the time;
// what it told last is not forgotten.
func TestAFloodOfNoticesIsOneNotice(t *testing.T) {
	n := at(t, "http://127.0.0.1:1")
	woken := 0
	for range 100_000 {
		n.notice()
		select {
		case <-n.Changed():
			woken++
		default:
		}
	}
	if woken > 1000 {
		t.Errorf("woken %d times", woken)
	}
	<-n.Changed()
}
