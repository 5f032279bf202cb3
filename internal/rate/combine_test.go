package rate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func vote(source, asset, price string) Vote {
	return Vote{Source: source, Asset: asset, Quote: "USD", Price: MustParse(price), At: noon}
}

func in(quote string, v Vote) Vote { v.Quote = quote; return v }

func ago(d time.Duration, v Vote) Vote { v.At = noon.Add(-d); return v }

func ecb(code, perEuro string) Vote {
	return Vote{Source: Reference, Asset: "EUR", Quote: code, Price: MustParse(perEuro), At: noon}
}

func combine(t rapid.TB, prev *Table, now time.Time, votes ...Vote) *Table {
	t.Helper()
	table, err := Combine(votes, prev, now, DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func wantRate(t *testing.T, table *Table, base, quote, want string) {
	t.Helper()
	r, err := table.Rate(base, quote)
	if err != nil || r.String() != want {
		t.Errorf("%s in %s = %s, %v; want %s", base, quote, r, err, want)
	}
}

func wantNone(t *testing.T, table *Table, code string, kind error, why string) {
	t.Helper()
	if r, err := table.Rate(code, "USD"); !errors.Is(err, kind) {
		t.Errorf("%s = %s, %v; want %v", code, r, err, kind)
	}
	if got := table.Why(code); !strings.Contains(got, why) {
		t.Errorf("why no %s: %q, want %q", code, got, why)
	}
}

func TestThePriceIsTheMedian(t *testing.T) {
	table := combine(t, nil, noon,
		vote("a", "BTC", "50000"), vote("b", "BTC", "50100"), vote("c", "BTC", "50030"),
		vote("a", "ETH", "2500"), vote("b", "ETH", "2510"))
	wantRate(t, table, "BTC", "USD", "50030")
	wantRate(t, table, "ETH", "USD", "2505")
	wantRate(t, table, "USD", "USD", "1")
	wantRate(t, table, "ETH_m", "ETH", "1")
	if got := table.Sources("BTC"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("sources %v", got)
	}
	if why := table.Why("BTC"); why != "" {
		t.Errorf("why %q", why)
	}
	if got := table.Codes(); !slices.Equal(got, []string{"BTC", "ETH", "ETH_m", "ETH_arb", "ETH_base", "ETH_op", "USD"}) {
		t.Errorf("codes %v", got)
	}
}

func TestOneSourceIsNotEnough(t *testing.T) {
	table := combine(t, nil, noon, vote("a", "BTC", "50000"))
	wantNone(t, table, "BTC", ErrStale, "1 of 2 sources")
	wantNone(t, table, "ETH", ErrUnknown, "no source prices it")
	wantNone(t, table, "NOPE", ErrUnknown, "not a currency")
	if table.Priced() != 0 || table.Sources("BTC") != nil {
		t.Errorf("%d priced, sources %v", table.Priced(), table.Sources("BTC"))
	}
}

func TestASourceHasOneVote(t *testing.T) {
	table := combine(t, nil, noon, vote("a", "BTC", "50000"), vote("a", "BTC", "50001"))
	wantNone(t, table, "BTC", ErrStale, "1 of 2 sources")

	table = combine(t, nil, noon, ago(time.Minute, vote("a", "BTC", "49900")), vote("a", "BTC", "50000"),
		ago(time.Minute, vote("a", "BTC", "49900")), vote("b", "BTC", "50000"))
	wantRate(t, table, "BTC", "USD", "50000")
}

func TestVotesOlderThanFiveMinutesDoNotCount(t *testing.T) {
	table := combine(t, nil, noon, ago(5*time.Minute, vote("a", "BTC", "50000")), vote("b", "BTC", "50000"))
	wantRate(t, table, "BTC", "USD", "50000")
	if got := table.ValidTo(); !got.Equal(noon) {
		t.Errorf("valid to %v", got)
	}
	table = combine(t, nil, noon, ago(5*time.Minute+time.Second, vote("a", "BTC", "50000")), vote("b", "BTC", "50000"))
	wantNone(t, table, "BTC", ErrStale, "1 of 2 sources")
	table = combine(t, nil, noon, ago(-2*time.Minute, vote("a", "BTC", "50000")), vote("b", "BTC", "50000"))
	wantNone(t, table, "BTC", ErrStale, "1 of 2 sources")
}

func TestTwoThatDisagreeGiveNoPrice(t *testing.T) {
	table := combine(t, nil, noon, vote("a", "BTC", "50000"), vote("b", "BTC", "75000"))
	wantNone(t, table, "BTC", ErrStale, "disagree")
}

// Threats A9, rate-attack.
func TestALiarOfThreeMovesThePriceByAtMostOnePercent(t *testing.T) {
	limit := MustParse("0.01")
	rapid.Check(t, func(t *rapid.T) {
		truth := anyRate(t)
		noise := func(name string) Rate { // honest sources are within 0.3 % of the truth
			parts := rapid.Int64Range(9970, 10030).Draw(t, name)
			return truth.Mul(tenThousandths(parts))
		}
		lie := truth.Mul(tenThousandths(rapid.SampledFrom([]int64{1, 5000, 7500, 9500, 10500, 15000, 1000000}).Draw(t, "lie")))
		votes := []Vote{vote("a", "BTC", "1"), vote("b", "BTC", "1"), vote("liar", "BTC", "1")}
		votes[0].Price, votes[1].Price, votes[2].Price = noise("a"), noise("b"), lie
		table := combine(t, nil, noon, votes...)
		got := mustRate(t, table, "BTC", "USD")
		if distance(got, truth).Cmp(truth.Mul(limit)) > 0 {
			t.Fatalf("%s instead of %s with a lie of %s", got, truth, lie)
		}
		if slices.Contains(table.Sources("BTC"), "liar") {
			t.Fatalf("the liar counted: %v", table.Sources("BTC"))
		}
	})
}

func tenThousandths(n int64) Rate { return MustParse(fmt.Sprintf("%de-4", n)) }

func TestAPriceOutsideTheBandIsRefused(t *testing.T) {
	both := func(price string, at time.Time) []Vote {
		votes := []Vote{vote("a", "BTC", price), vote("b", "BTC", price)}
		votes[0].At, votes[1].At = at, at
		return votes
	}
	first := combine(t, nil, noon, both("50000", noon)...)
	for price, ok := range map[string]bool{"100000": true, "100001": false, "25000": true, "24999": false} {
		table := combine(t, first, noon.Add(time.Minute), both(price, noon.Add(time.Minute))...)
		if ok {
			wantRate(t, table, "BTC", "USD", price)
		} else {
			wantNone(t, table, "BTC", ErrStale, "outside the band")
		}
	}

	t.Run("and stays so while it is refused", func(t *testing.T) {
		table := first
		for n := 1; n <= 3; n++ {
			now := noon.Add(time.Duration(n) * time.Hour)
			table = combine(t, table, now, both("200000", now)...)
			wantNone(t, table, "BTC", ErrStale, "outside the band")
		}
		now := noon.Add(4 * time.Hour)
		wantRate(t, combine(t, table, now, both("51000", now)...), "BTC", "USD", "51000")
	})
	t.Run("until the last value is a day old", func(t *testing.T) {
		now := noon.Add(24*time.Hour + time.Second)
		wantRate(t, combine(t, first, now, both("200000", now)...), "BTC", "USD", "200000")
	})
}

func TestQuotesInUSDTFollowItsOwnPrice(t *testing.T) {
	usdt := []Vote{vote("a", "USDT", "0.9"), vote("b", "USDT", "0.9")}
	table := combine(t, nil, noon, append(usdt, vote("a", "BTC", "45000"), in("USDT", vote("x", "BTC", "50000")))...)
	wantRate(t, table, "BTC", "USD", "45000")
	if got := table.Sources("BTC"); !slices.Equal(got, []string{"a", "x"}) {
		t.Errorf("sources %v", got)
	}

	t.Run("and count for nothing while it has none", func(t *testing.T) {
		table := combine(t, nil, noon, vote("a", "USDT", "1"), in("USDT", vote("x", "BTC", "50000")), in("USDT", vote("y", "BTC", "50000")))
		wantNone(t, table, "BTC", ErrStale, "quotes are in a currency without a price")
		wantNone(t, table, "USDT", ErrStale, "1 of 2 sources")
	})
	t.Run("and never price USDT itself", func(t *testing.T) {
		table := combine(t, nil, noon, append(usdt, in("USDT", vote("x", "USDT", "5")))...)
		wantRate(t, table, "USDT", "USD", "0.9")
	})
	t.Run("and are no second vote of a source with dollars", func(t *testing.T) {
		table := combine(t, nil, noon, append(usdt, vote("a", "BTC", "45000"), in("USDT", vote("a", "BTC", "50000")))...)
		wantNone(t, table, "BTC", ErrStale, "1 of 2 sources")
	})
}

func TestFiatComesFromTheReferenceTable(t *testing.T) {
	table := combine(t, nil, noon, ecb("USD", "1.1"), ecb("JPY", "165"), ecb("CHF", "0.95"),
		vote("a", "BTC", "55000"), vote("b", "BTC", "55000"))
	wantRate(t, table, "EUR", "USD", "1.1")
	wantRate(t, table, "EUR", "JPY", "165")
	wantRate(t, table, "USD", "JPY", "150")
	wantRate(t, table, "BTC", "EUR", "50000")
	wantRate(t, table, "BTC", "JPY", "8250000")
	wantNone(t, table, "KWD", ErrUnknown, "no source")

	t.Run("not from others", func(t *testing.T) {
		liar := ecb("USD", "2")
		liar.Source = "a"
		table := combine(t, nil, noon, liar, vote("a", "EUR", "2"), vote("b", "EUR", "2"))
		wantNone(t, table, "EUR", ErrUnknown, "no source")
	})
	t.Run("not without the dollar", func(t *testing.T) {
		wantNone(t, combine(t, nil, noon, ecb("JPY", "165")), "JPY", ErrUnknown, "no source")
	})
	t.Run("over a long week-end but no longer", func(t *testing.T) {
		easter := 5 * 24 * time.Hour
		wantRate(t, combine(t, nil, noon, ago(easter, ecb("USD", "1.1"))), "EUR", "USD", "1.1")
		wantNone(t, combine(t, nil, noon, ago(easter+13*time.Hour, ecb("USD", "1.1"))), "EUR", ErrStale, "reference table")
	})
	t.Run("unless the market contradicts it", func(t *testing.T) {
		table := combine(t, nil, noon, ecb("USD", "1.1"), ecb("JPY", "165"), vote("a", "EUR", "1.156"), vote("a", "JPY", "0.0067"))
		wantNone(t, table, "EUR", ErrStale, "a contradicts the reference table: 1.156 USD, not 1.1 USD")
		wantRate(t, table, "USD", "JPY", "150")
		wantRate(t, combine(t, nil, noon, ecb("USD", "1.1"), vote("a", "EUR", "1.154")), "EUR", "USD", "1.1")
		wantRate(t, combine(t, nil, noon, ecb("USD", "1.1"), ago(time.Hour, vote("a", "EUR", "9"))), "EUR", "USD", "1.1")
	})
	t.Run("within the band", func(t *testing.T) {
		next := combine(t, table, noon.Add(time.Hour), ecb("USD", "2.3"), ecb("JPY", "165"))
		wantNone(t, next, "EUR", ErrStale, "outside the band")
		wantNone(t, next, "JPY", ErrStale, "outside the band")
	})
}

func TestWhatHadAPriceIsStaleNotUnknown(t *testing.T) {
	first := combine(t, nil, noon, vote("a", "BTC", "50000"), vote("b", "BTC", "50000"))
	second := combine(t, first, noon.Add(time.Minute))
	wantNone(t, second, "BTC", ErrStale, "no source answers")
	wantNone(t, combine(t, second, noon.Add(2*time.Minute)), "BTC", ErrStale, "no source answers")
	wantRate(t, first, "BTC", "USD", "50000") // tables do not change
}

func TestVotesThatMakeNoSenseAreLeftOut(t *testing.T) {
	table := combine(t, nil, noon,
		vote("a", "NOPE", "1"), vote("b", "NOPE", "1"), vote("a", "USD", "2"), vote("b", "USD", "2"),
		vote("", "BTC", "1"), Vote{Source: "a", Asset: "BTC", Quote: "USD", At: noon},
		in("NOPE", vote("a", "BTC", "1")), vote("b", "BTC", "50000"), vote("c", "BTC", "50000"))
	wantRate(t, table, "BTC", "USD", "50000")
	wantRate(t, table, "USD", "BTC", "0.00002")
	wantNone(t, table, "NOPE", ErrUnknown, "not a currency")
}

func TestAPolicyThatBelievesAnythingIsRefused(t *testing.T) {
	if _, err := Combine(nil, nil, noon, Policy{}); !errors.Is(err, ErrPolicy) {
		t.Errorf("empty: %v", err)
	}
	for name, spoil := range map[string]func(*Policy){
		"no sources":    func(p *Policy) { p.MinSources = 0 },
		"no age":        func(p *Policy) { p.MaxAge = 0 },
		"no fiat age":   func(p *Policy) { p.FiatMaxAge = -1 },
		"no band age":   func(p *Policy) { p.BandAge = 0 },
		"wide spread":   func(p *Policy) { p.Spread = one },
		"no spread":     func(p *Policy) { p.Spread = Rate{} },
		"wide fiat":     func(p *Policy) { p.FiatSpread = one },
		"band above 1":  func(p *Policy) { p.BandLow = MustParse("1.5") },
		"band below 1":  func(p *Policy) { p.BandHigh = half },
		"band from nil": func(p *Policy) { p.BandLow = Rate{} },
	} {
		p := DefaultPolicy()
		spoil(&p)
		if _, err := Combine(nil, nil, noon, p); !errors.Is(err, ErrPolicy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
