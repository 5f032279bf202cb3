package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// payee is an address that nobody here has the key of.
const payee = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, url string) *Node {
	t.Helper()
	n, err := New(Config{Chain: bitcoin.Regtest, Places: []Place{{URL: url}}})
	must(t, err)
	must(t, n.Check(t.Context()))
	return n
}

func serialized(t *testing.T, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, tx.Serialize(&b))
	return b.Bytes()
}

// A payment is seen waiting and then mined, by a node that is none of ours.
func TestAPaymentIsSeenWaitingAndThenMined(t *testing.T) {
	b := btcdtest.Start(t)
	n, ctx := open(t, b.URL), t.Context()
	script, err := bitcoin.AddressScript(payee, bitcoin.Regtest)
	must(t, err)
	txid := b.Pay(payee, 70_000)
	ids, err := n.Mempool(ctx)
	must(t, err)
	if !slices.Equal(ids, []string{txid}) {
		t.Fatalf("the mempool holds %v", ids)
	}
	tx, err := n.MempoolTx(ctx, txid)
	must(t, err)
	paid := func(tx *chain.Tx) {
		t.Helper()
		if len(tx.Spends) != 1 || len(tx.Payments) != 2 || !bytes.Equal(tx.Payments[0].To, script) || tx.Payments[0].Amount.String() != "70000" || tx.Payments[0].Asset != "BTC" {
			t.Errorf("read %+v", tx)
		}
	}
	paid(tx)
	if !tx.Replaceable {
		t.Error("it signals replacement and is not known to")
	}
	hash := b.Mine(1)[0].String()
	tip, err := n.Tip(ctx)
	must(t, err)
	block, err := n.Block(ctx, tip.Hash)
	must(t, err)
	if tip.Hash != hash || tip.Height != 451 || block.Ref != tip || len(block.Txs) != 2 || block.Txs[0].Spends != nil || block.Txs[1].ID != txid {
		t.Fatalf("tip %v, block %+v", tip, block)
	}
	paid(&block.Txs[1])
	before, err := n.HashAt(ctx, 450)
	must(t, err)
	if block.Prev != before {
		t.Errorf("the block builds on %s, not on %s", block.Prev, before)
	}
	if _, err := n.MempoolTx(ctx, strings.Repeat("ab", 32)); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("a transaction that never was: %v", err)
	}
	if _, err := n.HashAt(ctx, 452); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("a block above the tip: %v", err)
	}
}

// A block that left the chain is still read, with the height it had.
func TestABlockThatLeftTheChainIsStillRead(t *testing.T) {
	b := btcdtest.Start(t)
	n, ctx := open(t, b.URL), t.Context()
	old, err := n.Tip(ctx)
	must(t, err)
	b.Reorg(3)
	tip, err := n.Tip(ctx)
	must(t, err)
	at, err := n.HashAt(ctx, old.Height)
	must(t, err)
	block, err := n.Block(ctx, old.Hash)
	must(t, err)
	if tip.Height != old.Height+1 || at == old.Hash || block.Ref != old {
		t.Errorf("tip %v, old %v, at its height %s, read %v", tip, old, at, block.Ref)
	}
}

// What the node has already, waiting or mined, was sent; what conflicts with it is
// refused; and where the node does not answer, nobody knows.
func TestSendingTellsTakenRefusedAndUnknownApart(t *testing.T) {
	b := btcdtest.Start(t)
	n, ctx := open(t, b.URL), t.Context()
	tx := b.Payment(payee, 50_000)
	raw := serialized(t, tx)
	for range 2 {
		must(t, n.Send(ctx, raw))
	}
	coin := chain.Outpoint{Txid: tx.TxHash().String(), Vout: 0}
	spent := chain.Outpoint{Txid: tx.TxIn[0].PreviousOutPoint.Hash.String(), Vout: 0}
	held := func(when string) {
		t.Helper()
		list, err := n.Unspent(ctx, []chain.Outpoint{coin, spent})
		must(t, err)
		if !slices.Equal(list, []chain.Outpoint{coin}) {
			t.Errorf("%s: unspent are %v", when, list)
		}
	}
	held("waiting")
	cost, err := n.Cost(ctx, tx.TxHash().String())
	must(t, err)
	if cost.Fee.String() != "5000" || cost.VSize != mempool.GetTxVirtualSize(btcutil.NewTx(tx)) {
		t.Errorf("it costs %+v", cost)
	}
	if _, err := n.Cost(ctx, spent.Txid); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("the cost of what is mined: %v", err)
	}
	b.Mine(1)
	must(t, n.Send(ctx, raw))
	held("mined")
	var refusal *chain.Rejected
	other := b.Payment(payee, 60_000)
	other.TxIn[0].PreviousOutPoint = tx.TxIn[0].PreviousOutPoint
	if err := n.Send(ctx, serialized(t, other)); !errors.As(err, &refusal) {
		t.Errorf("a double spend: %v", err)
	}
	unsigned := b.Payment(payee, 50_000)
	unsigned.TxIn[0].Witness = nil
	for name, bad := range map[string][]byte{"nothing": nil, "noise": []byte("noise"), "without a signature": serialized(t, unsigned)} {
		if err := n.Send(ctx, bad); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	deaf := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer deaf.Close()
	if err := at(t, deaf.URL).Send(ctx, raw); err == nil || errors.As(err, &refusal) {
		t.Errorf("a connection that is cut: %v", err)
	}
	rate, err := n.FeeRate(ctx, 6)
	must(t, err)
	if rate < 1000 || rate > 1_000_000 {
		t.Errorf("the node's estimate is read as %d satoshi per 1,000 virtual bytes", rate)
	}
}

// Each mistake of an operator gets a sentence that says what to look at, and the
// password is in none of them.
func TestAWrongNodeIsRefusedInASentence(t *testing.T) {
	b := btcdtest.Start(t)
	open := func(network string, p Place) error {
		c, err := bitcoin.Find("BTC", network)
		must(t, err)
		n, err := New(Config{Chain: c, Places: []Place{p}})
		if err != nil {
			return err
		}
		return n.Check(t.Context())
	}
	missing := filepath.Join(t.TempDir(), "cookie")
	cookie := filepath.Join(t.TempDir(), "good")
	must(t, os.WriteFile(cookie, []byte(strings.TrimPrefix(strings.Split(b.URL, "@")[0], "http://")), 0o600))
	bare := "http://" + strings.Split(b.URL, "@")[1]
	must(t, open("regtest", Place{URL: bare, Cookie: cookie}))
	for want, p := range map[string]Place{
		"is on \"regtest\" and this server on \"signet\"": {URL: b.URL},
		"does not know this user and password":            {URL: strings.Replace(b.URL, "judge", "jury", 1)},
		"the node's cookie":                               {URL: bare, Cookie: missing},
		"not of the form":                                 {URL: "127.0.0.1:8332"},
		"connection refused":                              {URL: "http://judge:of-regtest-only@127.0.0.1:1"},
	} {
		network := "regtest"
		if strings.Contains(want, "signet") {
			network = "signet"
		}
		if err := open(network, p); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "of-regtest-only") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// A node cannot leave a transaction out of a block, put one in, or serve another
// block under a hash.
func TestALyingNodeIsNotBelieved(t *testing.T) {
	b := btcdtest.Start(t)
	b.Pay(payee, 50_000)
	hash := b.Mine(1)[0]
	block, err := b.GetBlock(hash)
	must(t, err)
	honest := func(w *wire.MsgBlock) {}
	for name, lie := range map[string]func(*wire.MsgBlock){
		"honest":                  honest,
		"a transaction left out":  func(w *wire.MsgBlock) { w.Transactions = w.Transactions[:1] },
		"a transaction put in":    func(w *wire.MsgBlock) { w.Transactions = append(w.Transactions, b.Payment(payee, 1_000_000)) },
		"a payment made larger":   func(w *wire.MsgBlock) { w.Transactions[1].TxOut[0].Value *= 10 },
		"another block":           func(w *wire.MsgBlock) { w.Header.Nonce++ },
		"a block without content": func(w *wire.MsgBlock) { w.Transactions = nil },
	} {
		told := block.Copy()
		lie(told)
		var raw bytes.Buffer
		must(t, told.Serialize(&raw))
		n := liar(t, map[string]any{"getblock": hex.EncodeToString(raw.Bytes())})
		_, err := n.Block(t.Context(), hash.String())
		if (err == nil) != (name == "honest") {
			t.Errorf("%s: %v", name, err)
		}
	}
	tx := b.Payment(payee, 50_000)
	n := liar(t, map[string]any{"getrawtransaction": hex.EncodeToString(serialized(t, tx))})
	if _, err := n.MempoolTx(t.Context(), strings.Repeat("ab", 32)); err == nil || errors.Is(err, chain.ErrNotFound) {
		t.Errorf("another transaction than was asked for: %v", err)
	}
}

// Estimates are read to the satoshi, whichever call a node knows, and never fall
// below what it takes into its mempool.
func TestFeesAreReadExactly(t *testing.T) {
	for _, c := range []struct {
		answers map[string]any
		want    uint64
	}{
		{map[string]any{"estimatesmartfee": map[string]any{"feerate": json.Number("0.00012345"), "blocks": 6}}, 12_345},
		{map[string]any{"estimatesmartfee": map[string]any{"errors": []string{"Insufficient data"}, "blocks": 6}}, 10_000},
		{map[string]any{"estimatefee": json.Number("0.0000123412345")}, 1_235},
		{map[string]any{"estimatefee": json.Number("-1")}, 10_000},
		{map[string]any{"estimatefee": json.Number("1e-8")}, 1_000},
		{map[string]any{"estimatefee": json.Number("0.00002"), "getmempoolinfo": map[string]any{"mempoolminfee": json.Number("0.0005")}}, 50_000},
	} {
		n := liar(t, c.answers)
		got, err := n.FeeRate(context.Background(), 6)
		if err != nil || got != c.want {
			t.Errorf("%v: %d, %v; want %d", c.answers, got, err, c.want)
		}
	}
	n := liar(t, map[string]any{"estimatesmartfee": map[string]any{"feerate": json.Number("1e999999999")}})
	if _, err := n.FeeRate(context.Background(), 6); err == nil {
		t.Error("a fee beyond all coins was believed")
	}
}

// btcd tells of new blocks and transactions over its websocket.
func TestBtcdTellsWhatIsNew(t *testing.T) {
	b := btcdtest.Start(t)
	n := open(t, b.URL)
	listening(t, n, func() { b.Mine(1) })
	told(t, n, func() { b.Pay(payee, 100_000) })
}

// liar is a node that answers as told, and knows no other call.
func liar(t *testing.T, answers map[string]any) *Node {
	t.Helper()
	type ask struct {
		ID     uint64 `json:"id"`
		Method string
	}
	answer := func(a ask) map[string]any {
		if result, ok := answers[a.Method]; ok {
			return map[string]any{"id": a.ID, "result": result}
		}
		return map[string]any{"id": a.ID, "error": map[string]any{"code": -32601, "message": "Method not found"}}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body)
		var list []ask
		if json.Unmarshal(body, &list) == nil {
			out := []map[string]any{}
			for _, a := range list {
				out = append(out, answer(a))
			}
			_ = json.NewEncoder(w).Encode(out)
			return
		}
		var one ask
		_ = json.Unmarshal(body, &one)
		_ = json.NewEncoder(w).Encode(answer(one))
	}))
	t.Cleanup(s.Close)
	return at(t, s.URL)
}

// at is a node that is taken at its word about its chain.
func at(t *testing.T, url string) *Node {
	t.Helper()
	n, err := New(Config{Chain: bitcoin.Regtest, Places: []Place{{URL: url}}})
	must(t, err)
	n.list[0].checked = true
	return n
}
