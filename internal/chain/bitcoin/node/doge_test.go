package node

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// dogecoind speaks as Dogecoin Core 1.14 does, which branched off before some of what
// newer nodes of the family know: blocks are asked for with a truth value, mempool
// entries have a size and a fee of the old names, and there is no batch of spenders.
type dogecoind struct {
	t     *testing.T
	coin  *bitcoin.Chain
	block []byte
	hash  string
	tx    []byte
	txid  string
}

type rpcRefusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (d *dogecoind) answer(method string, params []any) (any, *rpcRefusal) {
	switch method {
	case "getblockchaininfo":
		return map[string]any{"chain": "regtest", "blocks": 7, "bestblockhash": d.hash, "headers": 7}, nil
	case "getblockhash":
		if params[0].(float64) == 0 {
			return d.coin.Params.GenesisHash.String(), nil
		}
		return d.hash, nil
	case "getblock":
		if _, truth := params[1].(bool); !truth {
			return nil, &rpcRefusal{-1, "JSON value is not a boolean as expected"}
		}
		return hex.EncodeToString(d.block), nil
	case "getrawmempool":
		return []string{d.txid}, nil
	case "getrawtransaction":
		return hex.EncodeToString(d.tx), nil
	case "getmempoolentry":
		return map[string]any{"size": 200, "fee": json.Number("0.01"), "ancestorcount": 1}, nil
	case "estimatesmartfee":
		return map[string]any{"feerate": json.Number("-1"), "blocks": 6}, nil
	case "getmempoolinfo":
		return map[string]any{"mempoolminfee": json.Number("0.00100000")}, nil
	}
	return nil, &rpcRefusal{-32601, "Method not found"}
}

func (d *dogecoind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type ask struct {
		ID     uint64 `json:"id"`
		Method string
		Params []any
	}
	var body json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	reply := func(a ask) map[string]any {
		result, refusal := d.answer(a.Method, a.Params)
		return map[string]any{"result": result, "error": refusal, "id": a.ID}
	}
	var list []ask
	if json.Unmarshal(body, &list) == nil {
		out := []map[string]any{}
		for _, a := range list {
			out = append(out, reply(a))
		}
		_ = json.NewEncoder(w).Encode(out)
		return
	}
	var one ask
	_ = json.Unmarshal(body, &one)
	_ = json.NewEncoder(w).Encode(reply(one))
}

// merged is a block that was mined along with Litecoin's: the proof comes between the
// header and the transactions.
func merged(t *testing.T, txs ...*wire.MsgTx) (raw []byte, hash string) {
	t.Helper()
	coinbase := wire.NewMsgTx(1)
	script, err := txscript.NewScriptBuilder().AddInt64(7).AddInt64(0).Script()
	must(t, err)
	coinbase.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: 1<<32 - 1}, SignatureScript: script})
	coinbase.AddTxOut(wire.NewTxOut(10_000_0000_0000, []byte{txscript.OP_TRUE}))
	block := wire.MsgBlock{Header: wire.BlockHeader{Version: 0x00620104, Timestamp: time.Unix(1_700_000_000, 0)}, Transactions: append([]*wire.MsgTx{coinbase}, txs...)}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(btcutil.NewBlock(&block).Transactions(), false)
	var b bytes.Buffer
	must(t, block.Header.Serialize(&b))
	must(t, coinbase.Serialize(&b)) // the other chain's coinbase
	b.Write(make([]byte, 32))
	for range 2 {
		b.WriteByte(1)
		b.Write(make([]byte, 32))
		b.Write(binary.LittleEndian.AppendUint32(nil, 0))
	}
	must(t, (&wire.BlockHeader{Version: 2}).Serialize(&b))
	b.WriteByte(byte(len(block.Transactions)))
	for _, tx := range block.Transactions {
		must(t, tx.Serialize(&b))
	}
	return b.Bytes(), block.Header.BlockHash().String()
}

func TestDogecoinsOlderDialectIsUnderstood(t *testing.T) {
	coin, err := bitcoin.Find("DOGE", "regtest")
	must(t, err)
	script := slices.Concat([]byte{0x76, 0xa9, 20}, bytes.Repeat([]byte{5}, 20), []byte{0x88, 0xac})
	pays := wire.NewMsgTx(1)
	pays.AddTxIn(&wire.TxIn{Sequence: 1<<32 - 1, SignatureScript: []byte{1, 1}})
	pays.AddTxOut(wire.NewTxOut(25_000_0000_0000, script))
	d := &dogecoind{t: t, coin: coin, tx: serialized(t, pays), txid: pays.TxHash().String()}
	d.block, d.hash = merged(t, pays)
	s := httptest.NewServer(d)
	defer s.Close()
	n, ctx := openOn(t, coin, s.URL), t.Context()
	tip, err := n.Tip(ctx)
	must(t, err)
	block, err := n.Block(ctx, tip.Hash)
	must(t, err)
	// 25,000 DOGE are more satoshi than there are of Bitcoin's at once.
	if block.Height != 7 || len(block.Txs) != 2 || block.Txs[1].Payments[0].Amount.String() != "2500000000000" || block.Txs[1].Payments[0].Asset != "DOGE" {
		t.Errorf("read %+v", block)
	}
	tx, err := n.MempoolTx(ctx, d.txid)
	must(t, err)
	if tx.FeeRate != 5000 || tx.Replaceable {
		t.Errorf("the waiting payment is read as %+v", tx)
	}
	standing, err := n.Probe(ctx, d.txid)
	must(t, err)
	if standing.Ancestors != 0 || standing.Nodes != 1 || standing.Holds != 1 || standing.Replaceable {
		t.Errorf("it stands %+v", standing)
	}
	// Without an estimate the fee that Dogecoin Core recommends is taken: 0.01 a kilobyte.
	if rate, err := n.FeeRate(ctx, 6); err != nil || rate != 1_000_000 {
		t.Errorf("the fee rate is %d, %v", rate, err)
	}
	raw, err := n.Origin(ctx, d.txid, tip.Hash)
	must(t, err)
	if !bytes.Equal(raw, d.tx) {
		t.Error("the transaction that made a coin is another one")
	}
	if _, err := n.Origin(ctx, "00", tip.Hash); err != chain.ErrNotFound {
		t.Errorf("one that is not there: %v", err)
	}
}
