package invoice

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// The laws of this file hold for any history of payments, replacements, double
// spends, blocks, reorganisations and restarts:
//
//   - an outpoint is one credit, and of payments that spend the same coin at
//     most one counts;
//   - exactly the payments that are in the best chain count as mined, and those
//     in the mempool count too;
//   - the status is that of a fresh invoice that learns of the final payments
//     only, with the times at which they were first seen.
//
// History matters in two places, both on purpose. An invoice that was told to be
// paid and is not any more is "invalid"; a fresh one, which never was, would be
// "new" or "expired". And one that expired before it learnt of a payment that
// waits for more than an hour stays "expired" until that is mined; a fresh one
// would be "invalid". Neither the merchant nor the buyer is ever told twice.

// lawTx is a transaction that pays the invoice with each of its outputs.
type lawTx struct {
	id     string
	spends []chain.Outpoint
	pays   []uint64
}

func (x *lawTx) conflicts(y *lawTx) bool {
	return x.id != y.id && slices.ContainsFunc(x.spends, func(o chain.Outpoint) bool { return slices.Contains(y.spends, o) })
}

type lawBlock struct {
	chain.Block
	txs []*lawTx
}

// history is a chain, its mempool and an invoice that follows both.
type history struct {
	t    *rapid.T
	now  time.Time
	made int // blocks, on all branches
	all  []*lawTx
	best []*lawBlock
	pool []*lawTx
	inv  *Invoice
	told []Change
}

func newHistory(t *rapid.T) *history {
	h := &history{t: t, now: t0, inv: demand(rapid.SampledFrom([]Speed{High, Medium, Low}).Draw(t, "speed"))}
	for i := range 5 {
		x := &lawTx{id: fmt.Sprintf("tx%d", i)}
		for _, coin := range rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 2, rapid.ID).Draw(t, "coins") {
			x.spends = append(x.spends, chain.Outpoint{Txid: fmt.Sprintf("coin%d", coin)})
		}
		x.pays = rapid.SliceOfN(rapid.SampledFrom([]uint64{30, 50, 100}), 0, 2).Draw(t, "pays")
		h.all = append(h.all, x)
	}
	return h
}

func (h *history) pick() *lawTx { return rapid.SampledFrom(h.all).Draw(h.t, "tx") }

func (h *history) mined(x *lawTx) bool {
	return slices.ContainsFunc(h.best, func(b *lawBlock) bool { return slices.Contains(b.txs, x) })
}

// possible reports that nothing in the best chain has spent what x spends.
func (h *history) possible(x *lawTx) bool {
	return !h.mined(x) && !slices.ContainsFunc(h.best, func(b *lawBlock) bool { return slices.ContainsFunc(b.txs, x.conflicts) })
}

func (h *history) see(x *lawTx, b *lawBlock) {
	for i, sat := range x.pays {
		s := Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: x.id, Vout: uint32(i)}, Asset: "BTC", Amount: money.NewUnits(sat), Spends: x.spends, Score: TopScore}
		if b != nil {
			s.Block = &b.Block
		}
		h.inv.See(s, h.now)
	}
}

// displace loses what can no longer be, as the follower of a chain does.
func (h *history) displace(by *lawTx) {
	for _, x := range h.all {
		if x.conflicts(by) {
			h.inv.Lose("BTC", x.id)
		}
	}
}

// broadcast puts a transaction into the mempool, in place of what it replaces.
func (h *history) broadcast(*rapid.T) {
	x := h.pick()
	if slices.Contains(h.pool, x) || !h.possible(x) {
		return
	}
	h.pool = append(slices.DeleteFunc(h.pool, x.conflicts), x)
	h.see(x, nil)
	h.displace(x)
}

func (h *history) mine(t *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(t, "blocks") {
		h.made++
		b := &lawBlock{Block: chain.Block{
			Ref:  chain.Ref{Hash: fmt.Sprintf("block %d", h.made), Height: int64(len(h.best) + 1)},
			Time: h.now.Add(time.Duration(rapid.IntRange(-20, 20).Draw(t, "clock")) * time.Minute), // miners' clocks differ
		}}
		h.best = append(h.best, b)
		if rapid.Bool().Draw(t, "empty") {
			continue
		}
		for range 2 { // mostly of the mempool, but not only
			if x := h.pick(); h.possible(x) {
				b.txs = append(b.txs, x)
				h.pool = slices.DeleteFunc(h.pool, func(y *lawTx) bool { return y == x || y.conflicts(x) })
			}
		}
		for _, x := range b.txs {
			h.see(x, b)
			h.displace(x)
		}
	}
}

// reorganise takes blocks off; their transactions return to the mempool, or
// vanish. The next blocks are another branch.
func (h *history) reorganise(t *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(t, "depth") {
		if len(h.best) == 0 {
			return
		}
		b := h.best[len(h.best)-1]
		h.best = h.best[:len(h.best)-1]
		h.inv.Unmine("BTC", b.Hash)
		for _, x := range b.txs {
			if rapid.Bool().Draw(t, "vanishes") || slices.ContainsFunc(h.pool, x.conflicts) {
				continue
			}
			h.pool = append(h.pool, x)
			h.see(x, nil)
		}
	}
}

// restart tells everything again, in the order a server reads it.
func (h *history) restart(*rapid.T) {
	for _, b := range h.best {
		for _, x := range b.txs {
			h.see(x, b)
			h.displace(x)
		}
	}
	for _, x := range h.pool {
		h.see(x, nil)
		h.displace(x)
	}
}

func (h *history) facts() Facts {
	return Facts{Now: h.now, Tips: map[string]int64{"BTC": int64(len(h.best))}, ReadAt: map[string]time.Time{"BTC": h.now}}
}

func (h *history) assess() {
	changes, err := h.inv.Assess(h.facts())
	if err != nil {
		h.t.Fatal(err)
	}
	h.told = append(h.told, changes...)
	if again, err := h.inv.Assess(h.facts()); len(again) > 0 || err != nil {
		h.t.Fatalf("assessed twice, it moves again: %+v, %v", again, err)
	}
}

// check holds the laws against the present.
func (h *history) check(t *rapid.T) {
	h.assess()
	h.checkCredits(t)
	h.checkFresh(t)
}

func (h *history) checkCredits(t *rapid.T) {
	var mined, want []string
	seen, live := map[chain.Outpoint]bool{}, map[chain.Outpoint]string{}
	for i := range h.inv.Credits {
		c := &h.inv.Credits[i]
		if seen[c.Outpoint] {
			t.Fatalf("%v is credited twice", c.Outpoint)
		}
		seen[c.Outpoint] = true
		if c.State == Mined {
			mined = append(mined, fmt.Sprintf("%v in %s at %d", c.Outpoint, c.BlockHash, c.Height))
		}
		if !c.Live() {
			continue
		}
		for _, coin := range c.Spends {
			if other := live[coin]; other != "" && other != c.Outpoint.Txid {
				t.Fatalf("%s and %s spend %v, and both count", other, c.Outpoint.Txid, coin)
			}
			live[coin] = c.Outpoint.Txid
		}
	}
	for _, b := range h.best {
		for _, x := range b.txs {
			for i := range x.pays {
				want = append(want, fmt.Sprintf("%v in %s at %d", chain.Outpoint{Txid: x.id, Vout: uint32(i)}, b.Hash, b.Height))
			}
		}
	}
	for _, x := range h.pool {
		for i := range x.pays {
			at := h.inv.find("BTC", chain.Outpoint{Txid: x.id, Vout: uint32(i)})
			if at < 0 || h.inv.Credits[at].State != Pending {
				t.Fatalf("output %d of %s is in the mempool and does not count: %+v", i, x.id, h.inv.Credits)
			}
		}
	}
	slices.Sort(mined)
	slices.Sort(want)
	if !slices.Equal(mined, want) {
		t.Fatalf("mined credits %v, the chain holds %v", mined, want)
	}
}

func (h *history) checkFresh(t *rapid.T) {
	fresh := demand(h.inv.Terms.Order.Speed)
	final := slices.Clone(h.inv.Credits)
	// In any order: the times are what counts.
	for _, i := range rapid.Permutation(indices(len(final))).Draw(t, "order") {
		c := final[i]
		if !c.Live() {
			continue
		}
		s := Sighting{Chain: c.Chain, Outpoint: c.Outpoint, Asset: c.Asset, Amount: c.Amount, At: c.FirstSeen, Spends: c.Spends, Score: TopScore}
		fresh.See(s, h.now)
		if c.State == Mined {
			s.Block = &chain.Block{Ref: chain.Ref{Hash: c.BlockHash, Height: c.Height}, Time: h.now}
			fresh.See(s, h.now)
		}
	}
	if _, err := fresh.Assess(h.facts()); err != nil {
		t.Fatal(err)
	}
	switch have, want := h.inv.Status, fresh.Status; {
	case have == want:
	case have == Invalid && (want == New || want == Expired) && h.inv.depth(h.facts().Tips) < 0:
	case have == Expired && want == Invalid && h.inv.depth(h.facts().Tips) == 0:
	default:
		t.Fatalf("the invoice is %s, a fresh one with the same payments is %s\n%+v", have, want, h.inv.Credits)
	}
	if h.inv.Received().Cmp(fresh.Received()) != 0 {
		t.Fatalf("received %s, a fresh one %s", h.inv.Received(), fresh.Received())
	}
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestNoHistoryCountsAPaymentTwiceAndTheFinalFactsDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		t.Repeat(map[string]func(*rapid.T){
			"broadcast":  h.broadcast,
			"mine":       h.mine,
			"reorganise": h.reorganise,
			"restart":    h.restart,
			"wait": func(t *rapid.T) {
				h.now = h.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			},
			"": h.check,
		})
	})
}
