package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// archive is a node that has blocks and nothing else to do.
type archive struct {
	hashes []string // by height
	blocks map[string]string
	tip    atomic.Int64
}

func newArchive() *archive {
	prev := *bitcoin.Regtest.Params.GenesisHash
	a := &archive{hashes: []string{prev.String()}, blocks: map[string]string{}}
	for height := int64(1); height <= catchUpBlocks; height++ {
		block := fullBlock(prev, height)
		var raw bytes.Buffer
		_ = block.Serialize(&raw) // a buffer does not fail
		prev = block.BlockHash()
		a.hashes = append(a.hashes, prev.String())
		a.blocks[prev.String()] = hex.EncodeToString(raw.Bytes())
	}
	return a
}

// fullBlock is a block as mainnet has them: payments of two inputs with witnesses to
// two outputs. Nothing in it is signed.
func fullBlock(prev chainhash.Hash, height int64) *wire.MsgBlock {
	rng := rand.New(rand.NewPCG(uint64(height), 7))
	bytesOf := func(n int) []byte {
		out := make([]byte, 0, n+8)
		for len(out) < n {
			out = binary.LittleEndian.AppendUint64(out, rng.Uint64())
		}
		return out[:n]
	}
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 0x20000000, PrevBlock: prev, Timestamp: time.Unix(1_700_000_000+600*height, 0)}}
	coinbase := wire.NewMsgTx(2)
	script, _ := txscript.NewScriptBuilder().AddInt64(height).AddInt64(0).Script() // of two numbers there always is one
	coinbase.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: 1<<32 - 1}, SignatureScript: script})
	coinbase.AddTxOut(wire.NewTxOut(50e8, append([]byte{0, 20}, bytesOf(20)...)))
	block.Transactions = append(block.Transactions, coinbase)
	for len(block.Transactions) < catchUpTxs {
		tx := wire.NewMsgTx(2)
		for range 2 {
			in := &wire.TxIn{Sequence: 1<<32 - 3, Witness: wire.TxWitness{bytesOf(72), bytesOf(33)}}
			copy(in.PreviousOutPoint.Hash[:], bytesOf(32))
			tx.AddTxIn(in)
			tx.AddTxOut(wire.NewTxOut(rng.Int64N(1e8), append([]byte{0, 20}, bytesOf(20)...)))
		}
		block.Transactions = append(block.Transactions, tx)
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(btcutil.NewBlock(block).Transactions(), false)
	return block
}

// ServeHTTP answers the few calls that following a chain needs.
func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		ID     uint64 `json:"id"`
		Method string
		Params []any
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := map[string]any{"id": ask.ID, "error": nil}
	tip := a.tip.Load()
	switch ask.Method {
	case "getblockchaininfo":
		answer["result"] = map[string]any{"chain": "regtest", "blocks": tip, "bestblockhash": a.hashes[tip]}
	case "getblockhash":
		if h := int64(ask.Params[0].(float64)); h < int64(len(a.hashes)) {
			answer["result"] = a.hashes[h]
		} else {
			answer["error"] = map[string]any{"code": -8, "message": "Block height out of range"}
		}
	case "getblock":
		answer["result"] = a.blocks[ask.Params[0].(string)]
	case "getrawmempool":
		answer["result"] = []string{}
	default:
		answer["error"] = map[string]any{"code": -32601, "message": "Method not found"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}
