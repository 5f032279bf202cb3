package sandbox

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/chain"
)

// gambler does random things to a chain.
type gambler struct {
	t    *rapid.T
	dir  string
	c    *Chain
	rand *rand.ChaCha8
	shop []string
	txs  []string // all that were ever paid
}

func (g *gambler) check(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *gambler) open() {
	g.t.Helper()
	c, err := Open(Config{Dir: g.dir, Now: func() time.Time { return start }, Rand: g.rand})
	g.check(err)
	g.c = c
}

func (g *gambler) tip() chain.Ref {
	g.t.Helper()
	ref, err := g.c.Tip(context.Background())
	g.check(err)
	return ref
}

func (g *gambler) mempool() []string {
	g.t.Helper()
	ids, err := g.c.Mempool(context.Background())
	g.check(err)
	slices.Sort(ids)
	return ids
}

// above is how many blocks lie on the foundation.
func (g *gambler) above() int { return int(g.tip().Height) - foundationBlocks }

func (g *gambler) pay(t *rapid.T) {
	txid, err := g.c.Pay(context.Background(), PayOptions{
		Outputs:     []Output{{rapid.SampledFrom(g.shop).Draw(t, "to"), rapid.SampledFrom([]uint64{10_000, 1_0000_0000, 990_0000_0000}).Draw(t, "amount")}},
		Replaceable: rapid.Bool().Draw(t, "replaceable"),
	})
	if errors.Is(err, ErrNoCoins) {
		return
	}
	g.check(err)
	g.txs = append(g.txs, txid)
}

func (g *gambler) mine(t *rapid.T) {
	n := rapid.IntRange(1, 4).Draw(t, "blocks")
	before := g.tip()
	_, err := g.c.Mine(context.Background(), n)
	g.check(err)
	if got := g.tip().Height; got != before.Height+int64(n) {
		g.t.Errorf("mined %d blocks on height %d, the tip is at %d", n, before.Height, got)
	}
}

func (g *gambler) reorg(t *rapid.T) {
	opts := ReorgOptions{Unmined: rapid.Bool().Draw(t, "unmined"), Extra: rapid.IntRange(0, 3).Draw(t, "extra")}
	if len(g.txs) > 0 && rapid.Bool().Draw(t, "drop") {
		opts.Drop = []string{rapid.SampledFrom(g.txs).Draw(t, "dropped")}
	}
	depth := rapid.IntRange(1, 6).Draw(t, "depth")
	branch, err := g.c.Reorg(context.Background(), depth, opts)
	g.check(err)
	if g.tip() != branch[len(branch)-1] {
		g.t.Errorf("the tip is %v, not the branch's last block %v", g.tip(), branch[len(branch)-1])
	}
}

// invalidate checks what Invalidate promises: the tip is the ancestor so many
// blocks below, whatever other branches there are.
func (g *gambler) invalidate(t *rapid.T) {
	if g.above() < 1 {
		return
	}
	depth := rapid.IntRange(1, min(g.above(), 8)).Draw(t, "depth")
	want := chain.Ref{Height: g.tip().Height - int64(depth)}
	var err error
	want.Hash, err = g.c.HashAt(context.Background(), want.Height)
	g.check(err)
	got, err := g.c.Invalidate(context.Background(), depth)
	g.check(err)
	if got != want || g.tip() != want {
		g.t.Errorf("invalidated %d blocks: returned %v, the tip is %v; want %v", depth, got, g.tip(), want)
	}
}

func (g *gambler) swap(t *rapid.T) {
	if len(g.txs) == 0 {
		return
	}
	txid := rapid.SampledFrom(g.txs).Draw(t, "original")
	var opts ReplaceOptions
	if rapid.Bool().Draw(t, "to a shop") {
		opts = ReplaceOptions{To: rapid.SampledFrom(g.shop).Draw(t, "to"), Amount: 5_000}
	}
	var id string
	var err error
	if rapid.Bool().Draw(t, "in a block") {
		id, _, err = g.c.ConflictInBlock(context.Background(), txid, opts)
	} else {
		id, err = g.c.Replace(context.Background(), txid, opts)
	}
	if err == nil { // refused are those that are mined, or did not signal
		g.txs = append(g.txs, id)
	}
}

// reopen closes the chain, or leaves it as kill -9 would, and opens it again.
func (g *gambler) reopen(t *rapid.T) {
	tip, waiting := g.tip(), g.mempool()
	if rapid.Bool().Draw(t, "killed") {
		copied, err := os.MkdirTemp(filepath.Dir(g.dir), "copy")
		g.check(err)
		g.check(snapshot(g.dir, copied))
		defer os.RemoveAll(g.dir)
		g.dir = copied
	}
	g.check(g.c.Close())
	g.open()
	if g.tip() != tip {
		g.t.Errorf("the tip is %v after a restart, %v before", g.tip(), tip)
	}
	if got := g.mempool(); !slices.Equal(got, waiting) {
		g.t.Errorf("the mempool is %v after a restart, %v before", got, waiting)
	}
}

// verify holds after every step.
func (g *gambler) verify(*rapid.T) {
	unspent := g.scan()
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	for _, tx := range g.c.poolTxs() {
		for _, in := range tx.MsgTx().TxIn {
			if !unspent[in.PreviousOutPoint] {
				g.t.Errorf("%v in the mempool spends %v, which is not unspent", tx.Hash(), in.PreviousOutPoint)
			}
			delete(unspent, in.PreviousOutPoint)
		}
		for i := range tx.MsgTx().TxOut {
			unspent[outpoint{Hash: *tx.Hash(), Index: uint32(i)}] = true
		}
	}
}

// scan walks from the tip to the genesis block, compares the walk with HashAt
// and Block, and returns all unspent outputs.
func (g *gambler) scan() map[outpoint]bool {
	at := g.tip()
	var blocks []*block
	for at.Hash != g.c.Genesis() {
		hash, err := g.c.HashAt(context.Background(), at.Height)
		g.check(err)
		b, err := g.c.Block(context.Background(), at.Hash)
		g.check(err)
		if hash != at.Hash || b.Ref != at {
			g.t.Fatalf("the block below is %v; at its height HashAt has %s and Block %v", at, hash, b.Ref)
		}
		g.c.mu.RLock()
		raw, err := g.c.blocks.BlockByHeight(int32(at.Height))
		g.c.mu.RUnlock()
		g.check(err)
		blocks = append(blocks, raw)
		at = chain.Ref{Hash: b.Prev, Height: at.Height - 1}
	}
	if at.Height != 0 {
		g.t.Fatalf("the genesis block is at %d", at.Height)
	}
	unspent := map[outpoint]bool{}
	for _, b := range slices.Backward(blocks) {
		for i, tx := range b.Transactions() {
			for _, in := range tx.MsgTx().TxIn {
				if i > 0 && !unspent[in.PreviousOutPoint] {
					g.t.Errorf("%v in block %d spends %v, which is not unspent", tx.Hash(), b.Height(), in.PreviousOutPoint)
				}
				delete(unspent, in.PreviousOutPoint)
			}
			for n := range tx.MsgTx().TxOut {
				unspent[outpoint{Hash: *tx.Hash(), Index: uint32(n)}] = true
			}
		}
	}
	return unspent
}

// checks is how many histories are tried when -rapid.checks says nothing.
const checks = "8"

func TestWhateverIsDoneToItTheChainHoldsTogether(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(checks); err != nil {
			t.Fatal(err)
		}
	}
	founded := openAt(t, t.TempDir())
	if err := founded.Close(); err != nil {
		t.Fatal(err)
	}
	shop := newShop(t)
	a, _ := shop.address(t, 0)
	b, _ := shop.address(t, 1)
	all := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(all, "chain")
		if err == nil {
			err = os.CopyFS(dir, os.DirFS(founded.dir))
		}
		if err != nil {
			rt.Fatal(err)
		}
		g := &gambler{t: rt, dir: dir, rand: rand.NewChaCha8([32]byte{11}), shop: []string{a, b}}
		g.open()
		defer func() {
			_ = g.c.Close()
			_ = os.RemoveAll(g.dir)
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"pay": g.pay, "mine": g.mine, "mine again": g.mine, "reorg": g.reorg, "invalidate": g.invalidate,
			"swap": g.swap, "reopen": g.reopen,
			"": func(rt *rapid.T) { g.verify(rt); checkFaucet(rt, g.c) },
		})
	})
}
