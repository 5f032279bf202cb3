package feed

import (
	"strconv"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
)

// Bitstamp reads GET /api/v2/ticker/, which lists all pairs, and takes the
// middle of best bid and ask of the dollar pairs. An empty base is the public address.
func Bitstamp(base string) Source {
	return &source{
		name:  "bitstamp",
		url:   or(base, "https://www.bitstamp.net") + "/api/v2/ticker/",
		parse: parseBitstamp,
	}
}

func parseBitstamp(body []byte) ([]rate.Vote, error) {
	var answer []struct {
		Pair      string
		Bid       string
		Ask       string
		Timestamp string // Unix seconds
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	var votes []rate.Vote
	for _, t := range answer {
		asset, quote, _ := strings.Cut(t.Pair, "/")
		asset, ok := assetCalled(asset)
		if !ok || quote != "USD" {
			continue
		}
		seconds, err := strconv.ParseInt(t.Timestamp, 10, 64)
		price, ok := middle(t.Bid, t.Ask)
		if err != nil || seconds <= 0 || !ok {
			continue
		}
		votes = append(votes, rate.Vote{
			Source: "bitstamp", Asset: asset, Quote: "USD", Price: price, At: time.Unix(seconds, 0).UTC(),
		})
	}
	return votes, nil
}

// tickers are the names of exchanges for assets whose code here is another. The
// markets of MATIC are gone since it became POL; what still carries its name is
// an old price.
var tickers = map[string]string{"EURC": "EUROC", "USDP": "PAX", "MATIC": ""}

// assetCalled finds the code of an asset by its ticker at an exchange. Suffixed
// codes are ours alone, and fiat is no asset.
func assetCalled(ticker string) (string, bool) {
	if code, ok := tickers[ticker]; ok {
		return code, code != ""
	}
	c, ok := money.Lookup(ticker)
	if !ok || c.IsFiat() || c.Code != ticker || c.Parent != "" {
		return "", false
	}
	return c.Code, true
}
