package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/rate"
)

// Source is one public place that reports prices.
type Source interface {
	// Name is a short lower-case word, different for each source.
	Name() string
	// Fetch asks once. Votes of a source that does not say when it read its
	// prices have a zero time; the caller fills in its own. A refused answer is
	// an error wrapping ErrAnswer; one bad price in a good answer is left out.
	Fetch(ctx context.Context, client *http.Client) ([]rate.Vote, error)
}

// Paced is a Source that needs to be asked less often than the poller's interval.
type Paced interface {
	Every() time.Duration
}

// MaxAnswer is the most bytes read of one answer.
const MaxAnswer = 1 << 20

// ErrAnswer is an answer that is not what the source documents.
var ErrAnswer = errors.New("feed: answer not understood")

// source is a place whose whole answer comes with one GET.
type source struct {
	name  string
	url   string
	every time.Duration
	parse func(body []byte) ([]rate.Vote, error)
}

func (s *source) Name() string         { return s.name }
func (s *source) Every() time.Duration { return s.every }

func (s *source) Fetch(ctx context.Context, client *http.Client) ([]rate.Vote, error) {
	body, err := get(ctx, client, s.url)
	if err != nil {
		return nil, err
	}
	votes, err := s.parse(body)
	if err != nil {
		return nil, err
	}
	if len(votes) == 0 {
		return nil, fmt.Errorf("%w: no known price in it", ErrAnswer)
	}
	return votes, nil
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, application/xml, text/xml")
	req.Header.Set("User-Agent", "quittance")
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxAnswer {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, MaxAnswer)
	}
	return body, nil
}

// decode reads exactly one JSON value into v. Prices in v are json.RawMessage
// or strings, never floats.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %v", ErrAnswer, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: more after its end", ErrAnswer)
	}
	return nil
}

// All returns every source there is, at its public address.
func All() []Source {
	return []Source{Kraken(""), Coinbase(""), Bitstamp(""), CoinGecko(""), Binance(""), ECB("")}
}

// or is the address asked: base if given, for a mirror or a test, else the public one.
func or(base, public string) string {
	if base == "" {
		return public
	}
	return base
}
