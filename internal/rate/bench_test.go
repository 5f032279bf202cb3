package rate

import (
	"testing"

	"github.com/quittance/quittance/internal/money"
)

func BenchmarkCombine(b *testing.B) {
	var votes []Vote
	for code, usd := range fixedAssets {
		for _, source := range []string{"a", "b", "c", "d"} {
			votes = append(votes, vote(source, code, usd))
		}
	}
	for b.Loop() {
		if _, err := Combine(votes, nil, noon, DefaultPolicy()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRate(b *testing.B) {
	table := Fixed(noon)
	for b.Loop() {
		if _, err := table.Rate("ETH", "EUR"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDue(b *testing.B) {
	usd, btc := cur(b, "USD"), cur(b, "BTC")
	r, price := MustParse("55413.609335"), money.NewUnits(1000)
	for b.Loop() {
		if _, err := Due(price, usd, btc, r); err != nil {
			b.Fatal(err)
		}
	}
}
