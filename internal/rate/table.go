package rate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/money"
)

var (
	// ErrUnknown is a code that has never had a price: not a currency, or one
	// that no source covers.
	ErrUnknown = errors.New("rate: unknown currency")
	// ErrStale is a currency without a trustworthy price at present.
	ErrStale = errors.New("rate: no fresh rate")
)

// Table holds the value of each currency at one moment. It never changes and
// may be shared.
type Table struct {
	at       time.Time
	validTo  time.Time
	entries  map[string]entry // by code without suffix
	priced   int
	unpriced map[string]string // why, by code
	last     map[string]entry  // the last accepted values, for the band
}

// entry is the price of one currency and where it came from.
type entry struct {
	usd     Rate // US dollars per one
	at      time.Time
	sources []string
}

// At is when the table was made.
func (t *Table) At() time.Time { return t.at }

// ValidTo is the moment from which the table holds a price that rests on a
// reading older than the policy allows; make a new one then. Zero means never.
func (t *Table) ValidTo() time.Time { return t.validTo }

// Priced is how many currencies besides the US dollar have a price.
func (t *Table) Priced() int { return t.priced }

// Rate is units of quote per one base, at most Digits significant digits,
// rounded half-even. Codes are taken in any case; a suffixed code (USDC_m) has
// the rate of its parent. The error is ErrUnknown or ErrStale.
func (t *Table) Rate(base, quote string) (Rate, error) {
	b, err := t.lookup(base)
	if err != nil {
		return Rate{}, err
	}
	q, err := t.lookup(quote)
	if err != nil {
		return Rate{}, err
	}
	r := b.usd.Div(q.usd).Round()
	if r.IsZero() {
		return Rate{}, fmt.Errorf("%w: %s in %s is out of range", ErrStale, base, quote)
	}
	return r, nil
}

func (t *Table) lookup(code string) (entry, error) {
	key, ok := keyOf(code)
	if !ok {
		return entry{}, fmt.Errorf("%w: %.16q", ErrUnknown, code)
	}
	if e, ok := t.entries[key]; ok {
		return e, nil
	}
	if why, ok := t.unpriced[key]; ok {
		return entry{}, fmt.Errorf("%w for %s: %s", ErrStale, key, why)
	}
	return entry{}, fmt.Errorf("%w: no source prices %s", ErrUnknown, key)
}

// Why says why code has no rate, or "" if it has one.
func (t *Table) Why(code string) string {
	key, ok := keyOf(code)
	if !ok {
		return "not a currency"
	}
	if _, ok := t.entries[key]; ok {
		return ""
	}
	if why, ok := t.unpriced[key]; ok {
		return why
	}
	return "no source prices it"
}

// Sources names the sources the price of code rests on, sorted; nil without a
// price and for the US dollar, the unit of the table.
func (t *Table) Sources(code string) []string {
	e, err := t.lookup(code)
	if err != nil {
		return nil
	}
	return append([]string(nil), e.sources...)
}

// PricedAt is when the oldest reading behind the price of code was taken; zero
// without a price.
func (t *Table) PricedAt(code string) time.Time {
	e, err := t.lookup(code)
	if err != nil {
		return time.Time{}
	}
	return e.at
}

// Codes lists all codes that have a rate, in the order of money.All.
func (t *Table) Codes() []string {
	var codes []string
	for _, c := range money.All() {
		if _, err := t.lookup(c.Code); err == nil {
			codes = append(codes, c.Code)
		}
	}
	return codes
}

// keyOf is the code a price is kept under. MATIC was renamed POL one to one, and
// the markets of MATIC are gone, so both have one price.
func keyOf(code string) (string, bool) {
	c, ok := money.Lookup(code)
	if !ok {
		return "", false
	}
	key := strings.ToUpper(c.Unsuffixed())
	if key == "MATIC" {
		key = "POL"
	}
	return key, true
}
