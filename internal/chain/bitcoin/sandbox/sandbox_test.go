package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// seeds keeps the faucets of one run apart.
var seeds atomic.Int32

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func openAt(t testing.TB, dir string) *Chain {
	t.Helper()
	c, err := Open(Config{
		Dir:  dir,
		Now:  func() time.Time { return start },
		Rand: rand.NewChaCha8([32]byte{7, byte(seeds.Add(1))}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// shop hands out addresses of a watch-only account.
type shop struct{ account *bitcoin.Account }

func newShop(t testing.TB) shop {
	t.Helper()
	account, err := bitcoin.AccountFromSeed(bytes.Repeat([]byte{9}, 32), bitcoin.BIP84, bitcoin.Regtest, 0)
	if err != nil {
		t.Fatal(err)
	}
	return shop{account}
}

func (s shop) address(t testing.TB, i uint32) (string, []byte) {
	t.Helper()
	addr, script, err := s.account.Address(i)
	if err != nil {
		t.Fatal(err)
	}
	return addr, script
}

func must[T any](t rapid.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func pay(t testing.TB, c *Chain, addr string, sat uint64, replaceable bool) string {
	t.Helper()
	return must[string](t)(c.Pay(t.Context(), PayOptions{
		Outputs: []Output{{addr, sat}}, Replaceable: replaceable,
	}))
}

func mine(t testing.TB, c *Chain, n int) []chain.Ref {
	t.Helper()
	return must[[]chain.Ref](t)(c.Mine(t.Context(), n))
}

func tipOf(t testing.TB, c *Chain) chain.Ref {
	t.Helper()
	return must[chain.Ref](t)(c.Tip(t.Context()))
}

func mempoolOf(t testing.TB, c *Chain) []string {
	t.Helper()
	ids := must[[]string](t)(c.Mempool(t.Context()))
	slices.Sort(ids)
	return ids
}

// confirmations counts the blocks of the best chain from the one that holds the
// transaction on; 0 means that none does.
func confirmations(t testing.TB, c *Chain, txid string) int64 {
	t.Helper()
	tip := tipOf(t, c)
	for h := tip.Height; h > foundationBlocks-100; h-- {
		block := must[*chain.Block](t)(c.Block(t.Context(), must[string](t)(c.HashAt(t.Context(), h))))
		for _, tx := range block.Txs {
			if tx.ID == txid {
				return tip.Height - h + 1
			}
		}
	}
	return 0
}

// checkFaucet reports an index of coins that disagrees with a full scan of the chain.
func checkFaucet(t rapid.TB, c *Chain) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.faucet.coins
	defer func() { c.faucet.coins = kept }()
	c.faucet.coins = map[outpoint]coin{}
	for h := int32(1); h <= c.blocks.BestSnapshot().Height; h++ {
		c.faucet.connect(must[*block](t)(c.blocks.BlockByHeight(h)))
	}
	if !maps.Equal(c.faucet.coins, kept) {
		t.Errorf("faucet index differs from the chain (-scan +index):\n%s", cmp.Diff(c.faucet.coins, kept, cmp.AllowUnexported(coin{})))
	}
}

func TestAPaymentIsSeenThenConfirmed(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, script := newShop(t).address(t, 0)
	txid := pay(t, c, addr, 123_456, true)

	tx := must[*chain.Tx](t)(c.MempoolTx(t.Context(), txid))
	if got := tx.Payments[0]; !bytes.Equal(got.To, script) || got.Amount.String() != "123456" || got.Asset != "BTC" || got.Vout != 0 {
		t.Errorf("payment is %+v", got)
	}
	if !tx.Replaceable || len(tx.Spends) != 1 {
		t.Errorf("replaceable %v, spends %v", tx.Replaceable, tx.Spends)
	}
	if tx.FeeRate < 2 || tx.FeeRate > 2.1 {
		t.Errorf("fee rate %v, asked for 2", tx.FeeRate)
	}
	before := tipOf(t, c)
	refs := mine(t, c, 3)
	if refs[0].Height != before.Height+1 || tipOf(t, c) != refs[2] {
		t.Errorf("mined %v on %v, tip %v", refs, before, tipOf(t, c))
	}
	if got := confirmations(t, c, txid); got != 3 {
		t.Errorf("%d confirmations, want 3", got)
	}
	if _, err := c.MempoolTx(t.Context(), txid); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("a confirmed transaction is in the mempool: %v", err)
	}
	block := must[*chain.Block](t)(c.Block(t.Context(), refs[0].Hash))
	if block.Prev != before.Hash || len(block.Txs) != 2 || block.Txs[0].Spends != nil {
		t.Errorf("block %+v", block)
	}
	checkFaucet(t, c)
}

func TestBlockTimesRiseUnderAStandingClock(t *testing.T) {
	c := openAt(t, t.TempDir())
	refs := mine(t, c, 30)
	block := must[*chain.Block](t)(c.Block(t.Context(), refs[29].Hash))
	if block.Time.Before(start) || block.Time.After(start.Add(time.Minute)) {
		t.Errorf("block time %v under a clock at %v", block.Time, start)
	}
}

func TestUnknownThingsAreNotFound(t *testing.T) {
	c := openAt(t, t.TempDir())
	none := "00000000000000000000000000000000000000000000000000000000000000ff"
	_, errBlock := c.Block(t.Context(), none)
	_, errTx := c.MempoolTx(t.Context(), none)
	_, errHeight := c.HashAt(t.Context(), 1_000_000)
	_, errReplace := c.Replace(t.Context(), none, ReplaceOptions{})
	for _, err := range []error{errBlock, errTx, errHeight, errReplace} {
		if !errors.Is(err, chain.ErrNotFound) {
			t.Errorf("got %v, want not found", err)
		}
	}
	if got := must[string](t)(c.HashAt(t.Context(), 0)); got != c.Genesis() {
		t.Errorf("block 0 is %s", got)
	}
	if got := must[*chain.Block](t)(c.Block(t.Context(), c.Genesis())); got.Height != 0 {
		t.Errorf("genesis has height %d", got.Height)
	}
}

func TestBadPaymentsAreRefused(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	for name, opts := range map[string]PayOptions{
		"nothing to pay":     {},
		"dust":               {Outputs: []Output{{addr, 100}}},
		"zero":               {Outputs: []Output{{addr, 0}}},
		"main net":           {Outputs: []Output{{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 10_000}}},
		"more than there is": {Outputs: []Output{{addr, 20_000_000_00000000}}},
		"mad fee rate":       {Outputs: []Output{{addr, 10_000}}, FeeRate: 1 << 60},
	} {
		if txid, err := c.Pay(t.Context(), opts); err == nil {
			t.Errorf("%s: paid in %s", name, txid)
		}
	}
	if got := mempoolOf(t, c); len(got) != 0 {
		t.Errorf("mempool holds %v", got)
	}
}

func TestRestartKeepsTipMempoolAndFaucet(t *testing.T) {
	dir := t.TempDir()
	c := openAt(t, dir)
	addr, _ := newShop(t).address(t, 0)
	confirmed := pay(t, c, addr, 50_000, false)
	mine(t, c, 2)
	waiting := pay(t, c, addr, 60_000, false)
	tip, balance, faucet := tipOf(t, c), c.Balance(), c.FaucetAddress()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tip(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed chain answers %v", err)
	}

	c = openAt(t, dir)
	if tipOf(t, c) != tip || c.Balance() != balance || c.FaucetAddress() != faucet {
		t.Errorf("tip %v, balance %v after restart; want %v, %v", tipOf(t, c), c.Balance(), tip, balance)
	}
	if got := mempoolOf(t, c); !slices.Equal(got, []string{waiting}) {
		t.Errorf("mempool %v, want %s", got, waiting)
	}
	mine(t, c, 1)
	if a, b := confirmations(t, c, confirmed), confirmations(t, c, waiting); a != 3 || b != 1 {
		t.Errorf("confirmations %d and %d, want 3 and 1", a, b)
	}
	checkFaucet(t, c)
}

func TestReplacementFollowsBIP125(t *testing.T) {
	c := openAt(t, t.TempDir())
	shop := newShop(t)
	addr, _ := shop.address(t, 0)
	other, script := shop.address(t, 1)

	signalled := pay(t, c, addr, 1_000_000, true)
	final := pay(t, c, addr, 1_000_000, false)
	if _, err := c.Replace(t.Context(), final, ReplaceOptions{}); err == nil {
		t.Error("replaced a transaction that did not signal")
	}
	replacement := must[string](t)(c.Replace(t.Context(), signalled, ReplaceOptions{To: other, Amount: 700_000}))
	old := must[*chain.Tx](t)(c.MempoolTx(t.Context(), replacement))
	if !bytes.Equal(old.Payments[0].To, script) || old.Payments[0].Amount.String() != "700000" {
		t.Errorf("replacement pays %+v", old.Payments[0])
	}
	// A replacement can be replaced, and with nothing said it returns the money.
	again := must[string](t)(c.Replace(t.Context(), replacement, ReplaceOptions{}))
	want := []string{again, final}
	slices.Sort(want)
	if got := mempoolOf(t, c); !slices.Equal(got, want) {
		t.Errorf("mempool %v, want %v", got, want)
	}
	if _, err := c.Replace(t.Context(), again, ReplaceOptions{FeeRate: 1}); err == nil {
		t.Error("replaced at a lower fee rate")
	}
	mine(t, c, 1)
	if confirmations(t, c, again) != 1 || confirmations(t, c, signalled) != 0 {
		t.Error("the replacement was not what got mined")
	}
	checkFaucet(t, c)
}

func TestADoubleSpendInABlockNeedsNoSignal(t *testing.T) {
	dir := t.TempDir()
	c := openAt(t, dir)
	addr, _ := newShop(t).address(t, 0)
	victim := pay(t, c, addr, 1_000_000, false)
	bystander := pay(t, c, addr, 2_000_000, false)
	before := must[*chain.Tx](t)(c.MempoolTx(t.Context(), victim))

	txid, ref, err := c.ConflictInBlock(t.Context(), victim, ReplaceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	block := must[*chain.Block](t)(c.Block(t.Context(), ref.Hash))
	i := slices.IndexFunc(block.Txs, func(tx chain.Tx) bool { return tx.ID == txid })
	if i < 0 || !slices.Equal(block.Txs[i].Spends, before.Spends) {
		t.Fatalf("no spend of %v in %v", before.Spends, block.Txs)
	}
	if got := mempoolOf(t, c); len(got) != 0 {
		t.Errorf("mempool holds %v", got)
	}
	if confirmations(t, c, bystander) != 1 || confirmations(t, c, victim) != 0 {
		t.Error("the block should hold the bystander and not the victim")
	}
	checkFaucet(t, c)
}

func TestReorgsOfAllDepths(t *testing.T) {
	for _, depth := range []int{1, 2, 3, 6, 10, 50, 100} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			c := openAt(t, t.TempDir())
			addr, _ := newShop(t).address(t, 0)
			kept, dropped := pay(t, c, addr, 10_000, false), pay(t, c, addr, 20_000, false)
			old := mine(t, c, depth)

			branch := must[[]chain.Ref](t)(c.Reorg(t.Context(), depth, ReorgOptions{Drop: []string{dropped}}))
			if len(branch) != depth+1 || tipOf(t, c) != branch[depth] {
				t.Fatalf("branch of %d blocks, tip %v", len(branch), tipOf(t, c))
			}
			if got := confirmations(t, c, kept); got != int64(depth+1) {
				t.Errorf("kept payment has %d confirmations, want %d", got, depth+1)
			}
			if got := confirmations(t, c, dropped); got != 0 {
				t.Errorf("dropped payment has %d confirmations", got)
			}
			if got := mempoolOf(t, c); len(got) != 0 {
				t.Errorf("mempool holds %v", got)
			}
			stale := must[*chain.Block](t)(c.Block(t.Context(), old[0].Hash))
			if stale.Ref != old[0] || len(stale.Txs) != 3 {
				t.Errorf("stale block reads %v with %d transactions", stale.Ref, len(stale.Txs))
			}
			checkFaucet(t, c)
		})
	}
}

func TestAReorgCanLeavePaymentsUnmined(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	txid := pay(t, c, addr, 10_000, false)
	mine(t, c, 3)
	branch := must[[]chain.Ref](t)(c.Reorg(t.Context(), 3, ReorgOptions{Unmined: true, Extra: 2}))
	if len(branch) != 6 {
		t.Errorf("branch of %d blocks, want 6", len(branch))
	}
	if got := mempoolOf(t, c); !slices.Equal(got, []string{txid}) {
		t.Errorf("mempool %v, want %s", got, txid)
	}
	mine(t, c, 1)
	if got := confirmations(t, c, txid); got != 1 {
		t.Errorf("%d confirmations, want 1", got)
	}
	checkFaucet(t, c)
}

func TestADroppedParentTakesItsChildren(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	// The whole balance of mature coins goes through the parent, so the child
	// can only spend its change.
	parent := pay(t, c, addr, 1049_99000000, false)
	child := pay(t, c, addr, 10_000, false)
	mine(t, c, 2)
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 2, ReorgOptions{Drop: []string{parent}}))
	if a, b := confirmations(t, c, parent), confirmations(t, c, child); a != 0 || b != 0 {
		t.Errorf("confirmations %d and %d of a dropped parent and its child", a, b)
	}
	if got := mempoolOf(t, c); len(got) != 0 {
		t.Errorf("mempool holds %v", got)
	}
	checkFaucet(t, c)
}

func TestInvalidateTakesBlocksOffTheTip(t *testing.T) {
	dir := t.TempDir()
	c := openAt(t, dir)
	addr, _ := newShop(t).address(t, 0)
	base := mine(t, c, 4)
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 1, ReorgOptions{Extra: 3})) // a branch that must not come back
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 2, ReorgOptions{}))
	txid := pay(t, c, addr, 10_000, false)
	mine(t, c, 1)
	before := tipOf(t, c)
	want := before.Height - 6
	ref := must[chain.Ref](t)(c.Invalidate(t.Context(), 6))
	if ref.Height != want || tipOf(t, c) != ref || ref.Height < base[0].Height {
		t.Errorf("tip %v after taking 6 blocks off %v", tipOf(t, c), before)
	}
	if got := mempoolOf(t, c); !slices.Equal(got, []string{txid}) {
		t.Errorf("mempool %v, want %s", got, txid)
	}
	copied := crashCopy(t, dir)
	checkFaucet(t, c)
	again := openAt(t, copied)
	if tipOf(t, again) != ref || !slices.Equal(mempoolOf(t, again), []string{txid}) {
		t.Errorf("after a crash the tip is %v, want %v", tipOf(t, again), ref)
	}
	if _, err := c.Invalidate(t.Context(), 100); err == nil {
		t.Error("took off the foundation")
	}
}

// A stale branch that forks below the new tip has more work than what is left
// of the best chain, and still does not take over.
func TestInvalidateIsNotOutdoneByAStaleBranch(t *testing.T) {
	c := openAt(t, t.TempDir())
	mine(t, c, 5)
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 4, ReorgOptions{}))
	want := must[string](t)(c.HashAt(t.Context(), tipOf(t, c).Height-1))
	if ref := must[chain.Ref](t)(c.Invalidate(t.Context(), 1)); ref.Hash != want || tipOf(t, c) != ref {
		t.Errorf("returned %v, the tip is %v; want %s", ref, tipOf(t, c), want)
	}
	mine(t, c, 1)
	want = must[string](t)(c.HashAt(t.Context(), tipOf(t, c).Height-3))
	if ref := must[chain.Ref](t)(c.Invalidate(t.Context(), 3)); ref.Hash != want || tipOf(t, c) != ref {
		t.Errorf("returned %v, the tip is %v; want %s", ref, tipOf(t, c), want)
	}
	checkFaucet(t, c)
}

// crashCopy copies the folder of an open chain: what a kill -9 leaves.
func crashCopy(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := snapshot(dir, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// snapshot copies a folder as it is at one moment: the database moves its files
// in the background, so a copy during which any changed is made again.
func snapshot(from, to string) error {
	var err error
	for range 100 {
		before := sizes(from)
		if err = os.RemoveAll(to); err == nil {
			err = os.CopyFS(to, os.DirFS(from))
		}
		if err == nil && maps.Equal(before, sizes(from)) {
			return nil
		}
	}
	return fmt.Errorf("%s does not come to rest: %w", from, err)
}

// sizes lists the files below a folder.
func sizes(dir string) map[string]int64 {
	list := map[string]int64{}
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				list[path] = info.Size()
			}
		}
		return nil // one that is gone is missing in the list
	})
	return list
}

func TestNothingIsLostInACrash(t *testing.T) {
	dir := t.TempDir()
	addr, _ := newShop(t).address(t, 0)
	c := openAt(t, dir)
	check := func(what string) {
		t.Helper()
		again := openAt(t, crashCopy(t, dir))
		if tipOf(t, again) != tipOf(t, c) {
			t.Errorf("%s: tip %v after the crash, %v before", what, tipOf(t, again), tipOf(t, c))
		}
		if got, want := mempoolOf(t, again), mempoolOf(t, c); !slices.Equal(got, want) {
			t.Errorf("%s: mempool %v after the crash, %v before", what, got, want)
		}
		if again.Balance() != c.Balance() {
			t.Errorf("%s: balance %v after the crash, %v before", what, again.Balance(), c.Balance())
		}
		checkFaucet(t, again)
		must[string](t)(again.Pay(t.Context(), PayOptions{Outputs: []Output{{addr, 5000}}}))
		mine(t, again, 1)
	}
	check("founded")
	first := pay(t, c, addr, 10_000, true)
	check("paid")
	must[string](t)(c.Replace(t.Context(), first, ReplaceOptions{}))
	check("replaced")
	mine(t, c, 5)
	check("mined")
	pay(t, c, addr, 20_000, false)
	mine(t, c, 1)
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 3, ReorgOptions{Unmined: true}))
	check("reorganised")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openAt(t, dir)
	check("closed and opened")
	mine(t, c, 70)
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 40, ReorgOptions{}))
	check("reorganised below the faucet's index")
}

func TestATornWriteLosesOnlyItself(t *testing.T) {
	dir := t.TempDir()
	addr, _ := newShop(t).address(t, 0)
	c := openAt(t, dir)
	first := pay(t, c, addr, 10_000, false)
	pay(t, c, addr, 20_000, false)
	copied := crashCopy(t, dir)
	path := filepath.Join(copied, "mempool.log")
	info := must[os.FileInfo](t)(os.Stat(path))
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, copied)
	if got := mempoolOf(t, again); !slices.Equal(got, []string{first}) {
		t.Errorf("mempool %v, want %s", got, first)
	}
}

func TestAFolderHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	openAt(t, dir)
	if second, err := Open(Config{Dir: dir}); err == nil {
		_ = second.Close()
		t.Error("opened a folder twice")
	}
}

func TestManyPaymentsBetweenBlocks(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	for range 1100 { // more than the faucet has mature coins
		pay(t, c, addr, 10_000, false)
	}
	if got := len(mempoolOf(t, c)); got != 1100 {
		t.Errorf("mempool of %d, want 1100", got)
	}
	mine(t, c, 1)
	if got := len(mempoolOf(t, c)); got != 0 {
		t.Errorf("%d payments left out of the block", got)
	}
	checkFaucet(t, c)
}

func TestAForeignTransactionIsBroadcast(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	txid := pay(t, c, addr, 10_000, false)
	c.mu.Lock()
	raw, err := rawTx(must[*tx](t)(c.unconfirmed(txid)))
	c.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	mine(t, c, 1)
	if _, err := c.Broadcast(t.Context(), raw); err == nil {
		t.Error("accepted a confirmed transaction again")
	}
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 1, ReorgOptions{Drop: []string{txid}}))
	if got := must[string](t)(c.Broadcast(t.Context(), raw)); got != txid {
		t.Errorf("broadcast as %s, want %s", got, txid)
	}
}

func TestChangesAreNoticed(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	pay(t, c, addr, 10_000, false)
	<-c.Changed()
	mine(t, c, 1)
	<-c.Changed()
}

func TestConcurrentUse(t *testing.T) {
	c := openAt(t, t.TempDir())
	addr, _ := newShop(t).address(t, 0)
	ctx := context.Background()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 15 {
				if _, err := c.Pay(ctx, PayOptions{Outputs: []Output{{addr, 10_000}}}); err != nil {
					t.Error(err)
				}
				if worker == 0 {
					if _, err := c.Mine(ctx, 1); err != nil {
						t.Error(err)
					}
				}
				if worker == 1 && i%4 == 3 {
					if _, err := c.Reorg(ctx, 1+i%3, ReorgOptions{Unmined: i%8 == 3}); err != nil {
						t.Error(err)
					}
				}
				tip, err := c.Tip(ctx)
				if err == nil {
					_, err = c.Block(ctx, tip.Hash)
				}
				if err != nil {
					t.Error(err)
				}
				ids, _ := c.Mempool(ctx)
				for _, id := range ids {
					if _, err := c.MempoolTx(ctx, id); err != nil && !errors.Is(err, chain.ErrNotFound) {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	mine(t, c, 1)
	if got := mempoolOf(t, c); len(got) != 0 {
		t.Errorf("mempool holds %v", got)
	}
	checkFaucet(t, c)
}

func BenchmarkFound(b *testing.B) {
	for range b.N {
		c, err := Open(Config{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = c.Close()
		b.StartTimer()
	}
}

func BenchmarkReopen(b *testing.B) {
	dir := b.TempDir()
	c := openAt(b, dir)
	mine(b, c, 300)
	_ = c.Close()
	b.ResetTimer()
	for range b.N {
		c, err := Open(Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = c.Close()
		b.StartTimer()
	}
}

func BenchmarkPay(b *testing.B) {
	c := openAt(b, b.TempDir())
	addr, _ := newShop(b).address(b, 0)
	for i := range b.N {
		pay(b, c, addr, 10_000, false)
		if i%500 == 499 {
			b.StopTimer()
			mine(b, c, 1)
			b.StartTimer()
		}
	}
}

func BenchmarkMine(b *testing.B) {
	c := openAt(b, b.TempDir())
	for range b.N {
		mine(b, c, 1)
	}
}

func TestTheSoftForksAreActive(t *testing.T) {
	c := openAt(t, t.TempDir())
	for _, id := range []uint32{chaincfg.DeploymentCSV, chaincfg.DeploymentSegwit, chaincfg.DeploymentTaproot} {
		if !must[bool](t)(c.blocks.IsDeploymentActive(id)) {
			t.Errorf("deployment %d is not active", id)
		}
	}
	if chaincfg.RegressionNetParams.Deployments[chaincfg.DeploymentSegwit].AlwaysActiveHeight != 0 {
		t.Error("the library's own parameters were changed")
	}
}
