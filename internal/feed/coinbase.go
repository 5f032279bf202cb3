package feed

import (
	"fmt"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
)

// Coinbase reads GET /v2/exchange-rates?currency=USD: how much of each
// currency one dollar buys. Its votes on fiat check the reference table; they
// price nothing. An empty base is the public address.
func Coinbase(base string) Source {
	return &source{
		name:  "coinbase",
		url:   or(base, "https://api.coinbase.com") + "/v2/exchange-rates?currency=USD",
		parse: parseCoinbase,
	}
}

func parseCoinbase(body []byte) ([]rate.Vote, error) {
	var answer struct {
		Data struct {
			Currency string
			Rates    map[string]string
		}
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	if answer.Data.Currency != "USD" {
		return nil, fmt.Errorf("%w: rates of %.16q, not of USD", ErrAnswer, answer.Data.Currency)
	}
	var votes []rate.Vote
	for ticker, text := range answer.Data.Rates {
		asset, ok := assetCalled(ticker)
		if c, known := money.Lookup(ticker); known && c.IsFiat() && ticker == c.Code && ticker != "USD" {
			asset, ok = c.Code, true
		}
		if !ok {
			continue
		}
		perDollar, err := rate.Parse(text)
		if err != nil {
			continue
		}
		votes = append(votes, rate.Vote{Source: "coinbase", Asset: asset, Quote: "USD", Price: perDollar.Inverse()})
	}
	return votes, nil
}
