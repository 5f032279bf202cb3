package feed

import (
	"strings"

	"github.com/quittance/quittance/internal/rate"
)

// Binance reads GET /api/v3/ticker/price of all symbols from the address that
// Binance keeps for market data alone. It has no dollar pairs: its votes are in
// USDT, and rate.Combine turns them into dollars by the dollar price of USDT
// that other sources agree on, so that a broken peg does not bend the price. An
// empty base is the public address.
func Binance(base string) Source {
	return &source{
		name:  "binance",
		url:   or(base, "https://data-api.binance.vision") + "/api/v3/ticker/price",
		parse: parseBinance,
	}
}

// binanceAssets are the assets with a living market in USDT: a delisted pair
// keeps its last price for ever.
var binanceAssets = map[string]bool{
	"BTC": true, "BCH": true, "ETH": true, "LTC": true, "DOGE": true, "XRP": true,
	"POL": true, "USDC": true, "WBTC": true, "SHIB": true, "APE": true,
}

func parseBinance(body []byte) ([]rate.Vote, error) {
	var answer []struct {
		Symbol string
		Price  string
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	var votes []rate.Vote
	for _, t := range answer {
		asset, ok := strings.CutSuffix(t.Symbol, "USDT")
		if !ok || !binanceAssets[asset] {
			continue
		}
		price, err := rate.Parse(t.Price)
		if err != nil {
			continue
		}
		votes = append(votes, rate.Vote{Source: "binance", Asset: asset, Quote: "USDT", Price: price})
	}
	return votes, nil
}
