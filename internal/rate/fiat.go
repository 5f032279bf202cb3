package rate

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// fiats prices fiat currencies by the latest Reference table, which says how
// much of each one euro buys, unless the market contradicts it. Without the dollar
// in the table there are no crosses.
func (c *combiner) fiats(votes []Vote) {
	perEuro := map[string]Vote{}
	for _, v := range votes {
		if v.Source != Reference || v.Asset != "EUR" || v.Price.IsZero() {
			continue
		}
		if cur, ok := money.Lookup(v.Quote); !ok || !cur.IsFiat() || cur.Code == "EUR" {
			continue
		}
		if old, ok := perEuro[v.Quote]; !ok || v.At.After(old.At) {
			perEuro[v.Quote] = v
		}
	}
	dollar, ok := perEuro["USD"]
	if !ok {
		return
	}
	c.market = marketOf(votes)
	c.fiat("EUR", dollar.Price, dollar.At)
	for code, v := range perEuro {
		if code != "USD" {
			c.fiat(code, dollar.Price.Div(v.Price), earlier(v.At, dollar.At))
		}
	}
}

func (c *combiner) fiat(code string, usd Rate, at time.Time) {
	if !c.fresh(at, c.policy.FiatMaxAge) {
		c.table.unpriced[code] = fmt.Sprintf("the reference table is not of the last %v", c.policy.FiatMaxAge)
		return
	}
	why := c.contradicted(code, usd)
	if why == "" {
		why = c.outsideBand(code, usd)
	}
	if why != "" {
		c.table.unpriced[code] = why
		return
	}
	c.table.entries[code] = entry{usd: usd, at: at, sources: []string{Reference}}
}

// marketOf gathers what sources other than the reference say fiat currencies
// are worth in dollars. That never prices them, it only checks.
func marketOf(votes []Vote) ballot {
	market := ballot{}
	for _, v := range votes {
		cur, ok := money.Lookup(v.Asset)
		if ok && cur.IsFiat() && v.Source != Reference && v.Quote == "USD" && !v.Price.IsZero() {
			market.add(cur.Code, v)
		}
	}
	return market
}

// contradicted says which source differs too much on a reference value, or "".
func (c *combiner) contradicted(code string, usd Rate) string {
	limit := usd.Mul(c.policy.FiatSpread)
	for source, v := range c.market[code] {
		if c.fresh(v.At, c.policy.MaxAge) && distance(v.Price, usd).Cmp(limit) > 0 {
			return fmt.Sprintf("%s contradicts the reference table: %s USD, not %s USD",
				source, v.Price.Round(), usd.Round())
		}
	}
	return ""
}

// forget finishes the table: what had a price before and has no vote now is
// known but stale, the last value of each currency is kept for the band, and
// the table says until when it may be used.
func (c *combiner) forget() {
	t := c.table
	if c.prev != nil {
		for key, e := range c.prev.last {
			t.last[key] = e
		}
		for key := range c.prev.unpriced {
			t.note(key)
		}
	}
	for key := range t.last {
		t.note(key)
	}
	for key, e := range t.entries {
		if key == "USD" {
			continue
		}
		t.priced++
		// The band counts from when the value was accepted, not from the
		// reading: a reference table may be days old and still the last word.
		t.last[key] = entry{usd: e.usd, at: c.now}
		t.expire(e.at.Add(c.maxAge(key)))
	}
}

func (c *combiner) maxAge(key string) time.Duration {
	if cur, ok := money.Lookup(key); ok && cur.IsFiat() {
		return c.policy.FiatMaxAge
	}
	return c.policy.MaxAge
}

func (t *Table) note(key string) {
	if _, priced := t.entries[key]; priced || t.unpriced[key] != "" {
		return
	}
	t.unpriced[key] = "no source answers for it any more"
}

func (t *Table) expire(at time.Time) {
	if t.validTo.IsZero() || at.Before(t.validTo) {
		t.validTo = at
	}
}
