package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
)

func litecoin(t *testing.T) *bitcoin.Chain {
	t.Helper()
	c, err := bitcoin.Find("LTC", "regtest")
	must(t, err)
	return c
}

func openOn(t *testing.T, c *bitcoin.Chain, urls ...string) *Node {
	t.Helper()
	conf := Config{Chain: c}
	for _, u := range urls {
		conf.Places = append(conf.Places, Place{URL: u})
	}
	n, err := New(conf)
	must(t, err)
	must(t, n.Check(t.Context()))
	return n
}

// litecoinOne is an address on Litecoin's regtest that nobody here has the key of.
func litecoinOne(t *testing.T) (address string, script []byte) {
	t.Helper()
	script = append([]byte{0, 20}, bytes.Repeat([]byte{7}, 20)...)
	address, ok := bitcoin.ScriptAddress(script, litecoin(t))
	if !ok {
		t.Fatal("no address")
	}
	return address, script
}

// Litecoin Core is read as Bitcoin's nodes are, extension blocks included: payments
// waiting and mined, blocks that left, the transaction that made a coin.
func TestLitecoinIsReadFromItsOwnNode(t *testing.T) {
	l := coretest.Start(t)
	l.Extend()
	n, ctx := openOn(t, litecoin(t), l.URL), t.Context()
	address, script := litecoinOne(t)
	txid := l.Pay(address, 12_345_678)
	ids, err := n.Mempool(ctx)
	must(t, err)
	if !slices.Equal(ids, []string{txid}) {
		t.Fatalf("the mempool holds %v", ids)
	}
	paid := func(tx *chain.Tx) {
		t.Helper()
		if !slices.ContainsFunc(tx.Payments, func(p chain.Payment) bool {
			return bytes.Equal(p.To, script) && p.Amount.String() == "12345678" && p.Asset == "LTC"
		}) {
			t.Errorf("read %+v", tx)
		}
	}
	tx, err := n.MempoolTx(ctx, txid)
	must(t, err)
	paid(tx)
	if tx.FeeRate < 1 {
		t.Errorf("it pays %v a byte", tx.FeeRate)
	}
	waiting, err := n.Origin(ctx, txid, "")
	must(t, err)
	hash := l.Mine(1)[0]
	block, err := n.Block(ctx, hash)
	must(t, err)
	// The last transaction of each block ties the extension block to it.
	if len(block.Txs) != 3 || block.Txs[1].ID != txid {
		t.Fatalf("the block has %d transactions", len(block.Txs))
	}
	paid(&block.Txs[1])
	mined, err := n.Origin(ctx, txid, hash)
	must(t, err)
	if !bytes.Equal(waiting, mined) {
		t.Error("the transaction was read in two ways")
	}
	if rate, err := n.FeeRate(ctx, 6); err != nil || rate < 1000 {
		t.Errorf("the fee rate is %d, %v", rate, err)
	}
	coin := chain.Outpoint{Txid: txid}
	for i, p := range block.Txs[1].Payments {
		if bytes.Equal(p.To, script) {
			coin.Vout = uint32(i)
		}
	}
	if free, err := n.Unspent(ctx, []chain.Outpoint{coin, {Txid: tx.Spends[0].Txid, Vout: tx.Spends[0].Vout}}); err != nil || !slices.Equal(free, []chain.Outpoint{coin}) {
		t.Errorf("unspent are %v, %v", free, err)
	}
	if err := n.Send(ctx, mined); err != nil {
		t.Errorf("what is mined was not taken as sent: %v", err)
	}
	l.Reorg(3)
	if _, err := n.Block(ctx, hash); err != nil {
		t.Errorf("a block that left the chain: %v", err)
	}
}

// A node of another coin is found out by its first block.
func TestANodeOfAnotherCoinIsRefused(t *testing.T) {
	l := coretest.Empty(t)
	n, err := New(Config{Chain: bitcoin.Regtest, Places: []Place{{URL: l.URL}}})
	must(t, err)
	var wrong *WrongChain
	if err := n.Check(t.Context()); !errors.As(err, &wrong) {
		t.Errorf("a node of Litecoin for Bitcoin: %v", err)
	}
}

// When a node goes away the next one is asked, without anybody noticing; and when it
// falls behind, too.
func TestTheNextNodeIsAskedWhenOneFails(t *testing.T) {
	a := coretest.Start(t)
	b := coretest.Empty(t, "-connect="+a.Peer)
	c := litecoin(t)
	now := time.Now()
	n, err := New(Config{Chain: c, Places: []Place{{URL: a.URL}, {URL: b.URL}}, Now: func() time.Time { return now }})
	must(t, err)
	must(t, n.Check(t.Context()))
	ctx := t.Context()
	tip, err := n.Tip(ctx)
	must(t, err)
	caughtUp(t, b, tip)
	a.Stop()
	again, err := n.Tip(ctx)
	must(t, err)
	if again != tip || !n.Endpoints()[1].Used || n.Endpoints()[0].Err == nil {
		t.Fatalf("tip %v, nodes %+v", again, n.Endpoints())
	}
	if _, err := n.Block(ctx, tip.Hash); err != nil {
		t.Fatal(err)
	}
	// The first is back and alone has what is new: the second is seen to be behind.
	b.Call(nil, "setnetworkactive", false)
	a.Resume()
	a.Call(nil, "loadwallet", "purse")
	a.Mine(3)
	now = now.Add(2 * lagEvery)
	for range 2 {
		if again, err = n.Tip(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if again.Height != tip.Height+3 || !n.Endpoints()[0].Used {
		t.Errorf("tip %v, nodes %+v", again, n.Endpoints())
	}
}

func caughtUp(t *testing.T, n *coretest.Node, tip chain.Ref) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var hash string
		if n.Call(&hash, "getbestblockhash"); hash == tip.Hash {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the second node does not follow the first")
		}
	}
}

// What several nodes say about a payment that waits: whether it can be replaced, what
// it builds upon, who has it, and who has one that spends the same coin.
func TestNodesAreAskedHowAPaymentStands(t *testing.T) {
	a := coretest.Start(t)
	b := coretest.Empty(t, "-connect="+a.Peer)
	n, ctx := openOn(t, litecoin(t), a.URL, b.URL), t.Context()
	tip, err := n.Tip(ctx)
	must(t, err)
	caughtUp(t, b, tip)
	b.Call(nil, "setnetworkactive", false) // they do not hear of each other's payments
	address, _ := litecoinOne(t)
	first := a.Pay(address, 1_000_000)
	s, err := n.Probe(ctx, first)
	must(t, err)
	if s.Nodes != 2 || s.Holds != 1 || s.Conflict || s.FeeRate < 1 || s.UsualRate <= 0 || s.Ancestors != 0 {
		t.Errorf("a payment that one of two nodes has: %+v", s)
	}
	raw, err := n.Origin(ctx, first, "")
	must(t, err)
	b.Call(nil, "sendrawtransaction", hex.EncodeToString(raw))
	if s, err = n.Probe(ctx, first); err != nil || s.Holds != 2 {
		t.Errorf("a payment that both have: %+v, %v", s, err)
	}
	// A chain of payments, each of the change before it.
	var funds []struct {
		Txid string
		Vout uint32
	}
	a.Call(&funds, "listunspent", 0, 0)
	if len(funds) == 0 {
		t.Fatal("the purse has no change")
	}
	var child string
	a.Call(&child, "createrawtransaction", []map[string]any{{"txid": funds[0].Txid, "vout": funds[0].Vout}}, map[string]any{address: "0.5"}, 0, true)
	var filled, signed struct{ Hex string }
	a.Call(&filled, "fundrawtransaction", child, map[string]any{"changePosition": 1})
	a.Call(&signed, "signrawtransactionwithwallet", filled.Hex)
	var id string
	a.Call(&id, "sendrawtransaction", signed.Hex)
	if s, err = n.Probe(ctx, id); err != nil || s.Ancestors != 1 || !s.Replaceable || s.Holds != 1 {
		t.Errorf("a payment that builds on another one: %+v, %v", s, err)
	}
	if _, err := n.Probe(ctx, strings.Repeat("ab", 32)); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("a payment that is not there: %v", err)
	}
}

// A node of Bitcoin Core's family tells of new blocks and transactions over ZMQ, at
// the address that it names itself.
func TestANodeTellsWhatIsNewOverZMQ(t *testing.T) {
	pub := zmq4.NewPub(t.Context())
	defer pub.Close()
	must(t, pub.Listen("tcp://127.0.0.1:0"))
	n := liar(t, map[string]any{"getzmqnotifications": []map[string]any{
		{"type": "pubhashtx", "address": "tcp://127.0.0.1:1"}, {"type": "pubhashblock", "address": "tcp://0.0.0.0:" + strings.Split(pub.Addr().String(), ":")[1]},
	}})
	says := func(topic string) func() {
		return func() {
			must(t, pub.Send(zmq4.NewMsgFrom([]byte(topic), bytes.Repeat([]byte{1}, 32), []byte{0, 0, 0, 1})))
		}
	}
	listening(t, n, says("hashblock"))
	told(t, n, says("hashtx"))
	told(t, n, says("hashblock"))
}

// listening starts to listen, and waits until a notice comes of what do does.
func listening(t *testing.T, n *Node, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
	})
	for range 100 { // a subscription takes a moment to be known to the node
		do()
		select {
		case <-n.Changed():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("no notice came")
}

func told(t *testing.T, n *Node, do func()) {
	t.Helper()
	for settled := false; !settled; {
		select {
		case <-n.Changed():
		case <-time.After(200 * time.Millisecond):
			settled = true
		}
	}
	do()
	select {
	case <-n.Changed():
	case <-time.After(20 * time.Second):
		t.Error("no notice came")
	}
}
