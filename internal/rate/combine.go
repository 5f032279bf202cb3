package rate

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// Combine makes a table out of votes. Each asset is priced in US dollars by the
// median of the sources that agree; votes in another asset (BTC in USDT) are
// converted with that asset's own dollar price. Only the latest vote of a source
// counts. Fiat comes from the Reference table, checked against the other sources. An asset with too few agreeing
// votes, or a value outside the band around its value in prev, gets no price
// but a reason (Table.Why). prev may be nil. The error is ErrPolicy.
func Combine(votes []Vote, prev *Table, now time.Time, p Policy) (*Table, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	c := combiner{policy: p, now: now, prev: prev, table: newTable(now)}
	direct, indirect := c.sort(votes)
	c.assets(direct)
	c.assets(c.convert(direct, indirect))
	c.fiats(votes)
	c.forget()
	return c.table, nil
}

type combiner struct {
	policy Policy
	now    time.Time
	prev   *Table
	table  *Table
	market ballot // prices of fiat besides the reference table
}

// newTable holds the US dollar, the unit of all prices, and nothing else.
func newTable(now time.Time) *Table {
	return &Table{
		at:       now,
		entries:  map[string]entry{"USD": {usd: one, at: now}},
		unpriced: map[string]string{},
		last:     map[string]entry{},
	}
}

// ballot is the latest vote of each source on each asset: asset → source → vote.
type ballot map[string]map[string]Vote

func (b ballot) add(key string, v Vote) {
	if b[key] == nil {
		b[key] = map[string]Vote{}
	}
	if old, ok := b[key][v.Source]; !ok || v.At.After(old.At) {
		b[key][v.Source] = v
	}
}

// sort divides the votes on assets into those in US dollars and those in
// another asset.
func (c *combiner) sort(votes []Vote) (direct, indirect ballot) {
	direct, indirect = ballot{}, ballot{}
	for _, v := range votes {
		cur, ok := money.Lookup(v.Asset)
		if !ok || cur.IsFiat() || v.Source == "" || v.Price.IsZero() {
			continue
		}
		key, _ := keyOf(v.Asset)
		if v.Quote == "USD" {
			direct.add(key, v)
		} else {
			indirect.add(key, v)
		}
	}
	return direct, indirect
}

// convert adds the votes in other assets to the direct ones. The asset they are
// in must have a price made of dollar votes alone; a source that gives a dollar
// price itself has no second vote.
func (c *combiner) convert(direct, indirect ballot) ballot {
	dollars := map[string]entry{}
	for key, e := range c.table.entries {
		dollars[key] = e
	}
	for key, bySource := range indirect {
		for source, v := range bySource {
			if _, has := direct[key][source]; has {
				continue
			}
			quote, _ := keyOf(v.Quote)
			if e, ok := dollars[quote]; ok && quote != key {
				v.Price = v.Price.Mul(e.usd)
				v.At = earlier(v.At, e.at)
				direct.add(key, v)
			}
		}
	}
	for key := range indirect {
		if direct[key] == nil {
			c.table.unpriced[key] = "its quotes are in a currency without a price"
		}
	}
	return direct
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (c *combiner) assets(b ballot) {
	for key, bySource := range b {
		delete(c.table.entries, key)
		delete(c.table.unpriced, key)
		e, why := c.judge(bySource)
		if why == "" {
			why = c.outsideBand(key, e.usd)
		}
		if why != "" {
			c.table.unpriced[key] = why
			continue
		}
		c.table.entries[key] = e
	}
}

// judge prices one asset by its votes.
func (c *combiner) judge(bySource map[string]Vote) (entry, string) {
	var fresh []Vote
	for _, v := range bySource {
		if c.fresh(v.At, c.policy.MaxAge) {
			fresh = append(fresh, v)
		}
	}
	need := c.policy.MinSources
	if len(fresh) < need {
		return entry{}, fmt.Sprintf("%d of %d sources needed answered within %v", len(fresh), need, c.policy.MaxAge)
	}
	agreeing := c.agreeing(fresh)
	if len(agreeing) < need {
		return entry{}, fmt.Sprintf("the sources disagree: %d within the spread, %d needed", len(agreeing), need)
	}
	return c.entry(agreeing), ""
}

// fresh reports whether a reading may be used: not too old, and not dated ahead.
func (c *combiner) fresh(at time.Time, maxAge time.Duration) bool {
	age := c.now.Sub(at)
	return age <= maxAge && age >= -maxAhead
}

// agreeing keeps the votes within the spread around the median.
func (c *combiner) agreeing(votes []Vote) []Vote {
	mid := median(votes)
	limit := mid.Mul(c.policy.Spread)
	return slices.DeleteFunc(votes, func(v Vote) bool {
		return distance(v.Price, mid).Cmp(limit) > 0
	})
}

func distance(a, b Rate) Rate {
	if a.Cmp(b) < 0 {
		a, b = b, a
	}
	return calc(inner.Sub, a, b)
}

func (c *combiner) entry(votes []Vote) entry {
	e := entry{usd: median(votes), at: votes[0].At}
	for _, v := range votes {
		e.at = earlier(e.at, v.At)
		e.sources = append(e.sources, v.Source)
	}
	sort.Strings(e.sources)
	return e
}

// median is the middle price, or the mean of the two in the middle. It sorts votes.
func median(votes []Vote) Rate {
	slices.SortFunc(votes, func(a, b Vote) int { return a.Price.Cmp(b.Price) })
	n := len(votes)
	hi, lo := votes[n/2].Price, votes[(n-1)/2].Price
	if hi.Cmp(lo) == 0 {
		return hi
	}
	return Mean(hi, lo)
}

// outsideBand says why value is too far from the last one, or "".
func (c *combiner) outsideBand(key string, value Rate) string {
	if c.prev == nil {
		return ""
	}
	last, ok := c.prev.last[key]
	if !ok || c.now.Sub(last.at) > c.policy.BandAge {
		return ""
	}
	low, high := last.usd.Mul(c.policy.BandLow), last.usd.Mul(c.policy.BandHigh)
	if value.Cmp(low) < 0 || value.Cmp(high) > 0 {
		return fmt.Sprintf("%s USD is outside the band around the last value, %s USD",
			value.Round(), last.usd.Round())
	}
	return ""
}
