package rate

import (
	"errors"
	"time"
)

// Vote is the price one source reports: Price units of Quote for one Asset.
type Vote struct {
	Source string
	Asset  string // "BTC"; "EUR" in the daily table of the ECB
	Quote  string // "USD"; "USDT" at exchanges without dollars; a fiat code from the ECB
	Price  Rate
	At     time.Time // when the source read it
}

// Reference is the name of the source of fiat crosses, whose votes all have
// EUR as the asset.
const Reference = "ecb"

// Policy says when votes are believed.
type Policy struct {
	MinSources int           // agreeing sources an asset needs
	MaxAge     time.Duration // age of a vote on an asset
	Spread     Rate          // deviation from the median that drops a vote, 0.02 = 2 %
	BandLow    Rate          // least part of the last value that a new one may be
	BandHigh   Rate          // greatest multiple of it
	// BandAge is how long a value is remembered for the band. Without an end, a
	// currency that truly halved while the sources were away would never be priced again.
	BandAge time.Duration
	// FiatMaxAge is the age of the reference table. The ECB publishes on working
	// days about 16:00 in Frankfurt; from the Thursday before Easter to the
	// Tuesday after it are five days.
	FiatMaxAge time.Duration
	// FiatSpread is how far the reference value of a fiat currency may be from
	// the fresh price of any other source; beyond it, it is not used. It is wide:
	// the table is of the last working day.
	FiatSpread Rate
}

// DefaultPolicy is the policy of live money: two sources not older than five
// minutes, the band of one half to two (threats A9).
func DefaultPolicy() Policy {
	return Policy{
		MinSources: 2,
		MaxAge:     5 * time.Minute,
		Spread:     MustParse("0.02"),
		BandLow:    MustParse("0.5"),
		BandHigh:   MustParse("2"),
		BandAge:    24 * time.Hour,
		FiatMaxAge: 5*24*time.Hour + 12*time.Hour,
		FiatSpread: MustParse("0.05"),
	}
}

// ErrPolicy is a policy that would believe anything or nothing.
var ErrPolicy = errors.New("rate: policy needs MinSources >= 1, positive ages, a spread below 1 and a band around 1")

func (p Policy) check() error {
	ages := p.MaxAge > 0 && p.BandAge > 0 && p.FiatMaxAge > 0
	band := isPart(p.BandLow) && p.BandHigh.Cmp(one) > 0
	spread := isPart(p.Spread) && isPart(p.FiatSpread)
	if p.MinSources < 1 || !ages || !band || !spread {
		return ErrPolicy
	}
	return nil
}

// isPart reports whether r is between 0 and 1.
func isPart(r Rate) bool { return !r.IsZero() && r.Cmp(one) < 0 }

// maxAhead is how far the clock of a source may run before ours.
const maxAhead = time.Minute
