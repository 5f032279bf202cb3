package watch

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
	"golang.org/x/crypto/scrypt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	outside "github.com/quittance/quittance/internal/chain/bitcoin/node"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
)

// daemon is a full node that is none of ours.
type daemon interface {
	url() string
	submit(b *wire.MsgBlock)
	best() string
	hashAt(height int64) string
	invalidate(hash string)
	waiting() []string
	send(raw []byte) error
	// restart ends it and starts it without a mempool; kept is whether it has its blocks
	// then.
	restart() (kept bool)
}

// mirror has a daemon hold what a sandbox chain holds. Transactions are the same ones,
// those of coinbases too, since the networks of the family share their rules; each
// block gets the header that the daemon's own network wants, and its proof of work.
type mirror struct {
	*stage
	daemon
	n     *outside.Node
	known map[string]chainhash.Hash // the daemon's blocks, by the sandbox's
	raws  map[string][]byte         // by txid
	pad   int                       // bytes that each coinbase is made longer by
}

// version of mirrored blocks: a vote for all that btcd's regtest has to vote for.
const version = 0x20000007

func newMirror(s *stage, d daemon) *mirror {
	s.t.Helper()
	m := &mirror{stage: s, daemon: d, raws: map[string][]byte{}}
	m.forget()
	m.n = readBy(s.t, s.coin, d.url())
	return m
}

func readBy(t testing.TB, c *bitcoin.Chain, urls ...string) *outside.Node {
	t.Helper()
	conf := outside.Config{Chain: c}
	for _, u := range urls {
		conf.Places = append(conf.Places, outside.Place{URL: u})
	}
	n, err := outside.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (m *mirror) forget() {
	genesis := bitcoin.Regtest.Params.GenesisHash.String()
	m.known = map[string]chainhash.Hash{genesis: *m.coin.Params.GenesisHash}
}

func (m *mirror) source() chain.Source { return m.n }
func (m *mirror) sender() chain.Sender { return m.n }

func (m *mirror) empty() {
	m.t.Helper()
	if !m.restart() {
		m.forget()
	}
}

func (m *mirror) show(c *sandbox.Chain) {
	m.t.Helper()
	m.blocks(c)
	if m.platform.blind {
		return
	}
	raws, err := c.RawMempool(m.ctx)
	m.check(err)
	var ids []string
	for _, raw := range raws {
		tx, err := btcutil.NewTxFromBytes(raw)
		m.check(err)
		ids = append(ids, tx.Hash().String())
	}
	// What a node keeps that is not to be there goes with all that waits.
	for _, id := range m.waiting() {
		if !slices.Contains(ids, id) && !m.replaced(id, raws) {
			m.empty()
			m.blocks(c)
			break
		}
	}
	there := m.waiting()
	for i, id := range ids {
		if !slices.Contains(there, id) {
			if err := m.send(raws[i]); err != nil {
				m.t.Fatalf("send %s: %v", id, err)
			}
		}
		m.raws[id] = raws[i]
	}
}

// replaced reports whether a transaction goes by itself, because one that is about to
// be sent spends the same.
func (m *mirror) replaced(id string, raws [][]byte) bool {
	old, err := btcutil.NewTxFromBytes(m.raws[id])
	if err != nil {
		return false
	}
	for _, raw := range raws {
		tx, err := btcutil.NewTxFromBytes(raw)
		m.check(err)
		for _, in := range tx.MsgTx().TxIn {
			if slices.ContainsFunc(old.MsgTx().TxIn, func(o *wire.TxIn) bool { return o.PreviousOutPoint == in.PreviousOutPoint }) {
				return true
			}
		}
	}
	return false
}

// blocks gives the daemon the best chain.
func (m *mirror) blocks(c *sandbox.Chain) {
	m.t.Helper()
	tip, err := c.Tip(m.ctx)
	m.check(err)
	var missing []*wire.MsgBlock
	var names []string
	at := tip.Hash
	for {
		if _, ok := m.known[at]; ok {
			break
		}
		raw, err := c.RawBlock(m.ctx, at)
		m.check(err)
		b := &wire.MsgBlock{}
		m.check(b.Deserialize(bytes.NewReader(raw)))
		missing, names = append(missing, b), append(names, at)
		at = b.Header.PrevBlock.String()
	}
	for i, b := range slices.Backward(missing) {
		b.Header.Version, b.Header.PrevBlock = version, m.known[b.Header.PrevBlock.String()]
		m.fill(b)
		m.prove(&b.Header)
		m.submit(b)
		m.known[names[i]] = b.BlockHash()
	}
	want := m.known[tip.Hash]
	for range 1000 {
		if m.best() == want.String() {
			return
		}
		m.back(c, tip)
	}
	m.t.Fatalf("the node stays at %s", m.best())
}

// fill makes a block large. The coins of its coinbase are another transaction's then, and
// must not be spent.
func (m *mirror) fill(b *wire.MsgBlock) {
	if m.pad == 0 {
		return
	}
	b.Transactions[0].AddTxOut(wire.NewTxOut(0, append([]byte{txscript.OP_RETURN}, make([]byte, m.pad)...)))
	b.Header.MerkleRoot = blockchain.CalcMerkleRoot(btcutil.NewBlock(b).Transactions(), false)
}

// back takes the daemon off a branch that its network would still prefer.
func (m *mirror) back(c *sandbox.Chain, tip chain.Ref) {
	m.t.Helper()
	for height := tip.Height; ; height-- {
		name, err := c.HashAt(m.ctx, height)
		m.check(err)
		if known := m.known[name]; m.hashAt(height) == known.String() {
			m.invalidate(m.hashAt(height + 1))
			return
		}
	}
}

// prove solves a header as its network wants it.
func (m *mirror) prove(h *wire.BlockHeader) {
	m.t.Helper()
	target := blockchain.CompactToBig(h.Bits)
	for ; ; h.Nonce++ {
		hash := h.BlockHash()
		if m.coin.Code == "LTC" {
			var b bytes.Buffer
			m.check(h.Serialize(&b))
			work, err := scrypt.Key(b.Bytes(), b.Bytes(), 1024, 1, 1, 32)
			m.check(err)
			hash = chainhash.Hash(work)
		}
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return
		}
	}
}

// viaBtcd is btcd v0.26.
type viaBtcd struct {
	*stage
	n *btcdtest.Node
}

func (d viaBtcd) url() string { return d.n.URL }

func (d viaBtcd) submit(b *wire.MsgBlock) {
	d.t.Helper()
	d.check(d.n.SubmitBlock(btcutil.NewBlock(b), nil))
}

func (d viaBtcd) best() string {
	d.t.Helper()
	hash, err := d.n.GetBestBlockHash()
	d.check(err)
	return hash.String()
}

func (d viaBtcd) hashAt(height int64) string {
	hash, err := d.n.GetBlockHash(height)
	if err != nil {
		return ""
	}
	return hash.String()
}

func (d viaBtcd) invalidate(hash string) {
	d.t.Helper()
	h, err := chainhash.NewHashFromStr(hash)
	d.check(err)
	d.check(d.n.InvalidateBlock(h))
}

func (d viaBtcd) waiting() (ids []string) {
	d.t.Helper()
	list, err := d.n.GetRawMempool()
	d.check(err)
	for _, h := range list {
		ids = append(ids, h.String())
	}
	return ids
}

func (d viaBtcd) send(raw []byte) error {
	tx, err := btcutil.NewTxFromBytes(raw)
	d.check(err)
	_, err = d.n.SendRawTransaction(tx.MsgTx(), true)
	return err
}

func (d viaBtcd) restart() bool {
	d.n.Restart()
	return false
}

// viaCore is litecoind, whose clock is the history's.
type viaCore struct {
	*stage
	n *coretest.Node
}

func (d viaCore) url() string { return d.n.URL }

func (d viaCore) submit(b *wire.MsgBlock) {
	d.t.Helper()
	d.n.Call(nil, "setmocktime", max(d.clock.now().Unix(), b.Header.Timestamp.Unix()))
	var raw bytes.Buffer
	d.check(b.Serialize(&raw))
	var why *string
	d.n.Call(&why, "submitblock", hex.EncodeToString(raw.Bytes()))
	if why != nil && *why != "inconclusive" {
		d.t.Fatalf("block %v is refused: %s", b.BlockHash(), *why)
	}
}

func (d viaCore) best() (hash string) {
	d.t.Helper()
	d.n.Call(&hash, "getbestblockhash")
	return hash
}

func (d viaCore) hashAt(height int64) (hash string) {
	d.t.Helper()
	d.n.Call(&hash, "getblockhash", height)
	return hash
}

func (d viaCore) invalidate(hash string) {
	d.t.Helper()
	d.n.Call(nil, "invalidateblock", hash)
}

func (d viaCore) waiting() (ids []string) {
	d.t.Helper()
	d.n.Call(&ids, "getrawmempool")
	return ids
}

func (d viaCore) send(raw []byte) error {
	d.t.Helper()
	d.n.Call(nil, "sendrawtransaction", hex.EncodeToString(raw))
	return nil
}

func (d viaCore) restart() bool {
	d.n.Restart()
	return true
}

// patience is how long nodes and peers are waited for.
const patience = time.Minute
