package feed

import (
	"fmt"
	"strings"

	"github.com/quittance/quittance/internal/rate"
)

// krakenPairs are the dollar pairs asked for, by the name Kraken answers with:
// the old assets carry the prefixes X and Z. An unknown pair fails the whole
// request, so only pairs that have stood for long are here.
var krakenPairs = map[string]string{
	"XXBTZUSD": "BTC", "BCHUSD": "BCH", "XETHZUSD": "ETH", "XLTCZUSD": "LTC",
	"XDGUSD": "DOGE", "XXRPZUSD": "XRP", "USDTZUSD": "USDT", "USDCUSD": "USDC",
	"DAIUSD": "DAI", "SHIBUSD": "SHIB", "APEUSD": "APE",
}

const krakenAsked = "XBTUSD,BCHUSD,ETHUSD,LTCUSD,XDGUSD,XRPUSD,USDTUSD,USDCUSD,DAIUSD,SHIBUSD,APEUSD"

// Kraken reads GET /0/public/Ticker and takes the middle of best bid and ask.
// An empty base is the public address.
func Kraken(base string) Source {
	return &source{
		name:  "kraken",
		url:   or(base, "https://api.kraken.com") + "/0/public/Ticker?pair=" + krakenAsked,
		parse: parseKraken,
	}
}

func parseKraken(body []byte) ([]rate.Vote, error) {
	var answer struct {
		Error  []string
		Result map[string]struct {
			Ask []string `json:"a"` // price, whole lot volume, lot volume
			Bid []string `json:"b"`
		}
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	if len(answer.Error) > 0 {
		return nil, fmt.Errorf("%w: %.200s", ErrAnswer, strings.Join(answer.Error, "; "))
	}
	var votes []rate.Vote
	for pair, asset := range krakenPairs {
		t, ok := answer.Result[pair]
		if !ok || len(t.Ask) == 0 || len(t.Bid) == 0 {
			continue
		}
		if price, ok := middle(t.Bid[0], t.Ask[0]); ok {
			votes = append(votes, rate.Vote{Source: "kraken", Asset: asset, Quote: "USD", Price: price})
		}
	}
	return votes, nil
}

// middle is the mean of bid and ask; not ok if either is no price or the book
// is crossed.
func middle(bid, ask string) (rate.Rate, bool) {
	b, errB := rate.Parse(bid)
	a, errA := rate.Parse(ask)
	if errA != nil || errB != nil || b.Cmp(a) > 0 {
		return rate.Rate{}, false
	}
	return rate.Mean(b, a), true
}
