package spending

import (
	"cmp"
	"slices"

	"github.com/quittance/quittance/internal/chain"
)

const (
	// maxInputs keeps a transaction below the weight that nodes relay (400,000).
	maxInputs = 1400
	// searchSteps bounds the search for a selection without change.
	searchSteps = 100_000
)

// coin is a chain.Coin with what it brings after the cost of spending it.
type coin struct {
	chain.Coin
	value int64 // satoshi
	net   int64 // value less the fee for its input
}

// choice is a selection of coins.
type choice struct {
	coins  []coin
	change int64 // satoshi that return; 0: the rest goes to the miner
}

// chooser selects coins for one transaction. All amounts are satoshi.
type chooser struct {
	must, may  []coin
	target     int64 // outputs and the fee for everything but the inputs and the change
	changeCost int64 // fee for a change output
	spendLater int64 // what it will cost to spend that change
	dust       int64 // the least change
}

// choose takes the coins that must be in, then what is missing: confirmed ones
// alone if they suffice, a selection without change if there is one.
func (c *chooser) choose() (choice, bool) {
	var have int64
	for _, m := range c.must {
		have += m.net
	}
	if have >= c.target {
		return c.finish(nil), true
	}
	confirmed := slices.DeleteFunc(slices.Clone(c.may), func(k coin) bool { return !k.Confirmed })
	for _, pool := range [][]coin{confirmed, c.may} {
		if picked, ok := c.pick(pool, c.target-have); ok {
			return c.finish(picked), true
		}
	}
	return choice{}, false
}

// pick finds coins of a pool for what is missing.
func (c *chooser) pick(pool []coin, missing int64) ([]coin, bool) {
	pool = slices.DeleteFunc(slices.Clone(pool), func(k coin) bool { return k.net <= 0 })
	slices.SortFunc(pool, func(a, b coin) int {
		return cmp.Or(cmp.Compare(b.net, a.net), cmp.Compare(a.Txid, b.Txid), cmp.Compare(a.Vout, b.Vout))
	})
	if exact := c.exact(pool, missing); exact != nil {
		return exact, true
	}
	room := maxInputs - len(c.must)
	need := missing + c.changeCost + c.dust
	// The smallest coin that suffices alone, so that large ones are kept whole.
	if i, _ := slices.BinarySearchFunc(pool, need, func(k coin, n int64) int {
		if k.net >= n {
			return -1
		}
		return 1
	}); i > 0 {
		return pool[i-1 : i], true
	}
	var sum int64
	for i := range pool[:min(len(pool), room)] {
		if sum += pool[i].net; sum >= need {
			return pool[:i+1], true
		}
	}
	if sum >= missing && len(pool) <= room {
		return pool, true // all there is, and the rest is too small to return
	}
	return nil, false
}

// exact looks for coins that make up the amount so well that change would cost
// more than it brings: a branch-and-bound search over coins sorted by value.
func (c *chooser) exact(pool []coin, missing int64) []coin {
	tolerance := c.changeCost + c.spendLater
	rest := make([]int64, len(pool)+1) // of all coins from i on
	for i := len(pool) - 1; i >= 0; i-- {
		rest[i] = rest[i+1] + pool[i].net
	}
	var picked []int
	var sum int64
	for step, i := 0, 0; step < searchSteps; step++ {
		switch {
		case sum >= missing && sum <= missing+tolerance:
			out := make([]coin, len(picked))
			for j, k := range picked {
				out[j] = pool[k]
			}
			return out
		case sum > missing+tolerance || i >= len(pool) || sum+rest[i] < missing || len(picked)+len(c.must) >= maxInputs:
			// Give up the last one picked and go on without it.
			if len(picked) == 0 {
				return nil
			}
			i = picked[len(picked)-1]
			picked = picked[:len(picked)-1]
			sum -= pool[i].net
			i++
		default:
			picked = append(picked, i)
			sum += pool[i].net
			i++
		}
	}
	return nil
}

func (c *chooser) finish(picked []coin) choice {
	all := append(slices.Clone(c.must), picked...)
	var sum int64
	for _, k := range all {
		sum += k.net
	}
	change := sum - c.target - c.changeCost
	if change < c.dust || change <= c.spendLater {
		change = 0
	}
	return choice{all, change}
}
