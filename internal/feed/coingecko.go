package feed

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/rate"
)

// coingeckoIDs are the API ids of CoinGecko.
var coingeckoIDs = map[string]string{
	"bitcoin": "BTC", "bitcoin-cash": "BCH", "ethereum": "ETH", "litecoin": "LTC",
	"dogecoin": "DOGE", "ripple": "XRP", "polygon-ecosystem-token": "POL",
	"usd-coin": "USDC", "tether": "USDT", "gemini-dollar": "GUSD", "paxos-standard": "PAX",
	"binance-usd": "BUSD", "dai": "DAI", "paypal-usd": "PYUSD", "euro-coin": "EUROC",
	"wrapped-bitcoin": "WBTC", "shiba-inu": "SHIB", "apecoin": "APE",
}

// CoinGecko reads GET /api/v3/simple/price in dollars with the time of the last
// update, an average over many exchanges. An empty base is the public address.
func CoinGecko(base string) Source {
	ids := slices.Sorted(maps.Keys(coingeckoIDs))
	return &source{
		name: "coingecko",
		url: or(base, "https://api.coingecko.com") + "/api/v3/simple/price?vs_currencies=usd" +
			"&include_last_updated_at=true&precision=full&ids=" + strings.Join(ids, ","),
		parse: parseCoinGecko,
	}
}

func parseCoinGecko(body []byte) ([]rate.Vote, error) {
	var answer map[string]struct {
		USD     json.RawMessage `json:"usd"`
		Updated json.RawMessage `json:"last_updated_at"` // Unix seconds
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	var votes []rate.Vote
	for id, t := range answer {
		asset, ok := coingeckoIDs[id]
		if !ok {
			continue
		}
		price, err := rate.Parse(string(t.USD))
		seconds, errAt := strconv.ParseInt(string(t.Updated), 10, 64)
		if err != nil || errAt != nil || seconds <= 0 {
			continue
		}
		votes = append(votes, rate.Vote{
			Source: "coingecko", Asset: asset, Quote: "USD", Price: price, At: time.Unix(seconds, 0).UTC(),
		})
	}
	return votes, nil
}
