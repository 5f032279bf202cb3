package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/chain"
)

// Gap is how many addresses in a row without a payment end the search along a branch
// (BIP 44).
const Gap = 20

// Search is how coins are looked for.
type Search struct {
	Find func(ctx context.Context, scripts [][]byte) (*Finding, error)
	// First is how far along each branch is looked at first.
	First int
	Gap   int // Gap, or more for a wallet that left larger ones
	// Blocks are what amounts are read from again where a signature covers none; nil
	// where Find has read them there.
	Blocks chain.Source
}

// Finding is what lies at destinations.
type Finding struct {
	Coins []chain.Found `json:"coins"`
	Used  [][]byte      `json:"used"` // those that were ever paid, as far as is known
	Tip   int64         `json:"tip"`  // the height up to which was searched
}

// wide is how far along each branch a chain is searched at first. To search for more
// costs hardly more, and a coin may lie behind many addresses that were emptied, which
// a search of what is unspent does not see.
const wide = 1000

// On searches with a back end that searches what is unspent, and where it cannot, or
// there is none, by reading the blocks from a height on.
func On(unspent chain.Finder, blocks chain.Source, from int64, gap int) Search {
	s := Search{First: max(wide, gap), Gap: gap, Blocks: blocks}
	s.Find = func(ctx context.Context, scripts [][]byte) (*Finding, error) {
		if unspent == nil {
			return Walk(ctx, blocks, from, scripts)
		}
		tip, err := blocks.Tip(ctx)
		if err != nil {
			return nil, err
		}
		coins, err := unspent.FindCoins(ctx, scripts)
		if errors.Is(err, chain.ErrNoScan) {
			return Walk(ctx, blocks, from, scripts)
		}
		f := &Finding{Coins: coins, Tip: tip.Height}
		for _, c := range coins {
			f.Used = append(f.Used, c.To)
		}
		return f, err
	}
	return s
}

// Coin is a coin of the old wallet.
type Coin struct {
	chain.Found
	owned
}

// Path is where in the old wallet the coin was, such as bip84 0/7.
func (c *Coin) Path() string {
	if c.branch == nil {
		return string(c.kind)
	}
	n := 0
	if c.branch.change {
		n = 1
	}
	return fmt.Sprintf("%s %d/%d", c.kind, n, c.index)
}

// Coins searches for all coins of the old wallet that can be spent now, the largest
// first. Rewards of miners that are too young are left out.
func (o *Old) Coins(ctx context.Context, s Search) (list []Coin, err error) {
	known := map[string]owned{}
	fresh := slices.Clone(o.single)
	for reach := s.First; ; reach = s.Gap {
		more, err := o.window(reach)
		if err != nil {
			return nil, err
		}
		if fresh = append(fresh, more...); len(fresh) == 0 {
			break
		}
		scripts := make([][]byte, len(fresh))
		for i, d := range fresh {
			known[string(d.script)], scripts[i] = d, d.script
		}
		found, err := s.Find(ctx, scripts)
		if err != nil {
			return nil, err
		}
		for _, f := range found.Coins {
			if d, ours := known[string(f.To)]; ours && !o.young(f, found.Tip) {
				list = append(list, Coin{f, d})
			}
		}
		mark(known, found.Used)
		fresh = nil
	}
	slices.SortFunc(list, func(a, b Coin) int { return b.Amount.Cmp(a.Amount) })
	return list, s.confirm(ctx, list)
}

// young reports a miner's reward that consensus does not let be spent in the next
// block: it has to lie 100 blocks deep, on Dogecoin 240.
func (o *Old) young(f chain.Found, tip int64) bool {
	depth := int64(100)
	if o.chain.Code == "DOGE" {
		depth = 240
	}
	return f.Coinbase && tip-f.Height+1 < depth
}

// window derives as far as the gap allows beyond what was used; at first as far as
// reach.
func (o *Old) window(reach int) (list []owned, err error) {
	for _, b := range o.branches {
		for int64(b.next) <= b.used+int64(reach) {
			d, err := b.destination()
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
	}
	return list, nil
}

// mark notes which destinations were ever paid.
func mark(known map[string]owned, used [][]byte) {
	for _, script := range used {
		if d := known[string(script)]; d.branch != nil {
			d.branch.used = max(d.branch.used, int64(d.index))
		}
	}
}

// Walk reads the blocks from a height on and finds what was paid to destinations and
// is unspent, and which of them were ever paid.
func Walk(ctx context.Context, src chain.Source, from int64, destinations [][]byte) (*Finding, error) {
	w := walk{wanted: map[string]bool{}, coins: map[chain.Outpoint]chain.Found{}, used: map[string]bool{}}
	for _, d := range destinations {
		w.wanted[string(d)] = true
	}
	height := max(from, 0)
	for ; ; height++ {
		hash, err := src.HashAt(ctx, height)
		if errors.Is(err, chain.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		block, err := src.Block(ctx, hash)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", height, err)
		}
		w.read(block)
	}
	f := &Finding{Tip: height - 1}
	for _, c := range w.coins {
		f.Coins = append(f.Coins, c)
	}
	for d := range w.used {
		f.Used = append(f.Used, []byte(d))
	}
	return f, nil
}

type walk struct {
	wanted map[string]bool
	coins  map[chain.Outpoint]chain.Found
	used   map[string]bool
}

func (w *walk) read(block *chain.Block) {
	for i := range block.Txs {
		tx := &block.Txs[i]
		for _, o := range tx.Spends {
			delete(w.coins, o)
		}
		for _, p := range tx.Payments {
			if !w.wanted[string(p.To)] {
				continue
			}
			w.used[string(p.To)] = true
			o := chain.Outpoint{Txid: tx.ID, Vout: p.Vout}
			w.coins[o] = chain.Found{Outpoint: o, Amount: p.Amount, To: p.To, Height: block.Height, Coinbase: i == 0}
		}
	}
}
