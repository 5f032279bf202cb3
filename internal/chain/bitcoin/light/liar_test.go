package light

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/gcs/builder"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// lie is how a peer keeps a payment back.
type lie struct {
	filters bool // its filters leave the script out
	headers bool // its filter headers are those of such filters
}

// liar is a peer that tells the blocks of an honest node, and lies about what is in
// them. It listens on an address of its own, because peers are banned by address.
type liar struct {
	t      testing.TB
	node   *btcdtest.Node
	addr   string
	script []byte // what it keeps back
	lie    lie

	mu     sync.Mutex
	blocks []*wire.MsgBlock // the best chain
	honest [][]byte         // filters
	hidden [][]byte
	heads  [2][]chainhash.Hash // filter headers: honest, false
	peers  []net.Conn
	asked  map[string]int // messages that came
}

func startLiar(t testing.TB, node *btcdtest.Node, addr string, script []byte, l lie) *liar {
	t.Helper()
	w := &liar{t: t, node: node, script: script, lie: l, asked: map[string]int{}}
	w.learn()
	listener, err := net.Listen("tcp", addr+":0")
	must(t, err)
	w.addr = listener.Addr().String()
	t.Cleanup(func() {
		listener.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range w.peers {
			p.Close()
		}
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.peers = append(w.peers, conn)
			w.mu.Unlock()
			go w.serve(conn)
		}
	}()
	return w
}

// learn reads the chain, and tells those who are connected of its new end.
func (w *liar) learn() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	tip, err := w.node.GetBlockCount()
	must(w.t, err)
	outputs := map[wire.OutPoint][]byte{}
	w.blocks, w.honest, w.hidden = []*wire.MsgBlock{chaincfg.RegressionNetParams.GenesisBlock}, [][]byte{nil}, [][]byte{nil}
	for height := int64(1); height <= tip; height++ {
		hash, err := w.node.GetBlockHash(height)
		must(w.t, err)
		b, err := w.node.GetBlock(hash)
		must(w.t, err)
		w.blocks = append(w.blocks, b)
		w.honest = append(w.honest, filterWithout(w.t, b, outputs, nil))
		w.hidden = append(w.hidden, filterWithout(w.t, b, outputs, w.script))
		for _, tx := range b.Transactions {
			for i, out := range tx.TxOut {
				outputs[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}] = out.PkScript
			}
		}
	}
	genesis := filterWithout(w.t, w.blocks[0], outputs, nil)
	w.honest[0], w.hidden[0] = genesis, genesis
	for i, list := range [][][]byte{w.honest, w.hidden} {
		w.heads[i] = nil
		var prev chainhash.Hash
		for _, f := range list {
			h := chainhash.DoubleHashH(f)
			prev = chainhash.DoubleHashH(append(h[:], prev[:]...))
			w.heads[i] = append(w.heads[i], prev)
		}
	}
	last := w.blocks[tip].BlockHash()
	for _, p := range w.peers {
		inv := wire.NewMsgInv()
		_ = inv.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &last))
		w.send(p, inv)
	}
}

// filterWithout builds a block's filter, leaving a script out.
func filterWithout(t testing.TB, b *wire.MsgBlock, outputs map[wire.OutPoint][]byte, script []byte) []byte {
	t.Helper()
	hash := b.BlockHash()
	f := builder.WithKeyHash(&hash)
	add := func(s []byte) {
		if len(s) > 0 && s[0] != 0x6a && string(s) != string(script) {
			f.AddEntry(s)
		}
	}
	for i, tx := range b.Transactions {
		for _, out := range tx.TxOut {
			add(out.PkScript)
		}
		for _, in := range tx.TxIn {
			if i > 0 {
				prev := outputs[in.PreviousOutPoint]
				for _, earlier := range b.Transactions {
					if earlier.TxHash() == in.PreviousOutPoint.Hash {
						prev = earlier.TxOut[in.PreviousOutPoint.Index].PkScript
					}
				}
				add(prev)
			}
		}
	}
	built, err := f.Build()
	must(t, err)
	raw, err := built.NBytes()
	must(t, err)
	return raw
}

func (w *liar) heightOf(hash chainhash.Hash) int {
	return slices.IndexFunc(w.blocks, func(b *wire.MsgBlock) bool { return b.BlockHash() == hash })
}

func (w *liar) told(height int) []byte {
	if w.lie.filters {
		return w.hidden[height]
	}
	return w.honest[height]
}

// send writes a message; who hung up does not get it.
func (w *liar) send(to net.Conn, m wire.Message) {
	_, _ = wire.WriteMessageWithEncodingN(to, m, wire.AddrV2Version, chaincfg.RegressionNetParams.Net, wire.WitnessEncoding)
}

// serve answers one client until it hangs up. The library's own peers would take a
// connection within one process for one to themselves.
func (w *liar) serve(conn net.Conn) {
	for {
		_, m, _, err := wire.ReadMessageWithEncodingN(conn, wire.AddrV2Version, chaincfg.RegressionNetParams.Net, wire.WitnessEncoding)
		if errors.As(err, new(*wire.MessageError)) {
			continue // of a kind that is not known
		}
		if err != nil {
			return
		}
		w.mu.Lock()
		w.asked[m.Command()]++
		w.answer(conn, m)
		w.mu.Unlock()
	}
}

func (w *liar) answer(to net.Conn, m wire.Message) {
	heads, filters := w.heads[0], w.honest
	if w.lie.headers {
		heads, filters = w.heads[1], w.hidden
	}
	switch m := m.(type) {
	case *wire.MsgVersion:
		me := wire.NewNetAddressIPPort(net.IPv4(127, 0, 0, 2), 1, 0)
		v := wire.NewMsgVersion(me, me, uint64(time.Now().UnixNano()), int32(len(w.blocks)-1))
		v.Services, v.ProtocolVersion = wire.SFNodeNetwork|wire.SFNodeWitness|wire.SFNodeCF, int32(wire.AddrV2Version)
		w.send(to, v)
		w.send(to, wire.NewMsgVerAck())
	case *wire.MsgPing:
		w.send(to, wire.NewMsgPong(m.Nonce))
	case *wire.MsgGetHeaders:
		from := 0
		for _, h := range m.BlockLocatorHashes {
			if at := w.heightOf(*h); at >= 0 {
				from = at
				break
			}
		}
		out := wire.NewMsgHeaders()
		for _, b := range w.blocks[from+1 : min(len(w.blocks), from+1+wire.MaxBlockHeadersPerMsg)] {
			_ = out.AddBlockHeader(&b.Header)
		}
		w.send(to, out)
	case *wire.MsgGetCFHeaders:
		out := wire.NewMsgCFHeaders()
		out.FilterType, out.StopHash, out.PrevFilterHeader = m.FilterType, m.StopHash, heads[m.StartHeight-1]
		for h := int(m.StartHeight); h <= w.heightOf(m.StopHash); h++ {
			hash := chainhash.DoubleHashH(filters[h])
			_ = out.AddCFHash(&hash)
		}
		w.send(to, out)
	case *wire.MsgGetCFCheckpt:
		n := w.heightOf(m.StopHash) / wire.CFCheckptInterval
		out := wire.NewMsgCFCheckpt(m.FilterType, &m.StopHash, n)
		for i := 1; i <= n; i++ {
			_ = out.AddCFHeader(&heads[i*wire.CFCheckptInterval])
		}
		w.send(to, out)
	case *wire.MsgGetCFilters:
		for h := int(m.StartHeight); h <= w.heightOf(m.StopHash); h++ {
			hash := w.blocks[h].BlockHash()
			w.send(to, wire.NewMsgCFilter(m.FilterType, &hash, w.told(h)))
		}
	case *wire.MsgGetData:
		for _, v := range m.InvList {
			if h := w.heightOf(v.Hash); h >= 0 {
				w.send(to, w.blocks[h])
			}
		}
	}
}

func (w *liar) count(message string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[message]
}

var lies = map[string]lie{
	"in filters and their headers": {filters: true, headers: true},
	"in filters only":              {filters: true},
	"in headers only":              {headers: true},
}

// One peer of two keeps a payment back. It is found nevertheless, and whoever lied
// about what the filters are is named, within the two blocks after it.
func TestAPeerThatKeepsAPaymentBackHidesNothing(t *testing.T) {
	t.Parallel()
	for name, l := range lies {
		if os.Getenv(campaign) == "" && !(l.filters && l.headers) {
			continue // the other ways to lie wait for the library's timeouts
		}
		t.Run(name, func(t *testing.T) {
			b := btcdtest.Start(t)
			script := scriptOf(t, payee)
			w := startLiar(t, b, "127.0.0.2", script, l)
			f := follow(t, t.TempDir(), b.Peer, w.addr)
			f.reaches(best(t, b))
			f.connectedTo(2)
			txid := b.Pay(payee, 60_000)
			b.Mine(1)
			w.learn()
			f.reaches(best(t, b))
			b.Mine(1)
			w.learn()
			tip := f.reaches(best(t, b))
			if ids, _ := f.paying(1, tip.Height, script); !slices.Equal(ids, []string{txid}) {
				t.Errorf("found %v; %s pays", ids, txid)
			}
			if w.count("getcfheaders") == 0 {
				t.Error("the liar was never asked")
			}
			alarms := f.Status().Alarms
			named := slices.ContainsFunc(alarms, func(a Alarm) bool { return a.Kind == alarmDistrust })
			if l.headers != named {
				t.Errorf("alarms: %v", alarms)
			}
			if logged := f.log.count("ERROR ALARM: peers disagreed"); l.headers != (logged == 1) {
				t.Errorf("the log names it %d times:\n%s", logged, f.log.all())
			}
			if tx := b.Payment(payee, 1000); f.Send(t.Context(), raw(t, tx)) != nil {
				t.Error("nothing can be sent any more")
			}
		})
	}
}

// connectedTo waits for so many peers.
func (f *follower) connectedTo(n int) {
	f.t.Helper()
	for begun := time.Now(); ; {
		if f.Status().Peers >= n {
			return
		}
		if time.Since(begun) > 30*time.Second {
			f.t.Fatalf("%+v\n%s", f.Status(), f.log.all())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A client that a liar got hold of alone stored its filter headers. When others come,
// the library would ban them all for not agreeing with it: instead everything is
// fetched again, the payment is found, and the server is told to read again.
func TestWhoWasAloneWithALiarFindsOut(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	script := scriptOf(t, payee)
	txid := b.Pay(payee, 60_000)
	b.Mine(3)
	w := startLiar(t, b, "127.0.0.2", script, lie{filters: true, headers: true})
	dir := t.TempDir()
	alone := follow(t, dir, w.addr)
	tip := alone.reaches(best(t, b))
	if ids, _ := alone.paying(1, tip.Height, script); len(ids) > 0 {
		t.Fatalf("the liar did not lie: %v", ids)
	}
	must(t, alone.Close())
	told := make(chan struct{}, 9)
	f := followWith(t, Config{Dir: dir, Network: "regtest", Peers: []string{b.Peer, w.addr}, OnDistrust: func() { told <- struct{}{} }})
	f.connectedTo(2)
	b.Mine(1)
	w.learn()
	select {
	case <-told:
	case <-time.After(60 * time.Second):
		t.Fatalf("nobody found out: %+v\n%s", f.Status(), f.log.all())
	}
	tip = f.reaches(best(t, b))
	if ids, _ := f.paying(1, tip.Height, script); !slices.Equal(ids, []string{txid}) {
		t.Errorf("found %v; %s pays\n%s", ids, txid, f.log.all())
	}
	if f.log.count("ERROR ALARM") == 0 {
		t.Errorf("no alarm:\n%s", f.log.all())
	}
}
