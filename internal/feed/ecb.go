package feed

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
)

// ECB reads the euro foreign exchange reference rates of the European Central
// Bank: about 30 currencies, units per one euro, published on working days
// about 16:00 in Frankfurt. An empty base is the public address.
func ECB(base string) Source {
	return &source{
		name:  rate.Reference,
		url:   or(base, "https://www.ecb.europa.eu") + "/stats/eurofxref/eurofxref-daily.xml",
		every: time.Hour,
		parse: parseECB,
	}
}

// published is an hour of the day in UTC at which the table of a day is never
// out yet, so that it is never dated ahead: 16:00 in Frankfurt is 14:00 in summer.
const published = 13 * time.Hour

func parseECB(body []byte) ([]rate.Vote, error) {
	var answer struct {
		XMLName xml.Name `xml:"Envelope"`
		Days    []struct {
			Time  string `xml:"time,attr"`
			Rates []struct {
				Currency string `xml:"currency,attr"`
				Rate     string `xml:"rate,attr"`
			} `xml:"Cube"`
		} `xml:"Cube>Cube"`
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&answer); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrAnswer, err)
	}
	if len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
		return nil, fmt.Errorf("%w: more after its end", ErrAnswer)
	}
	if len(answer.Days) != 1 {
		return nil, fmt.Errorf("%w: %d days, not one", ErrAnswer, len(answer.Days))
	}
	day, err := time.Parse(time.DateOnly, answer.Days[0].Time)
	if err != nil {
		return nil, fmt.Errorf("%w: its day: %v", ErrAnswer, err)
	}
	var votes []rate.Vote
	for _, r := range answer.Days[0].Rates {
		c, ok := money.Lookup(r.Currency)
		if !ok || !c.IsFiat() || c.Code != r.Currency || c.Code == "EUR" {
			continue
		}
		price, err := rate.Parse(r.Rate)
		if err != nil {
			continue
		}
		votes = append(votes, rate.Vote{
			Source: rate.Reference, Asset: "EUR", Quote: c.Code, Price: price, At: day.Add(published),
		})
	}
	return votes, nil
}
