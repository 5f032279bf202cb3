package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/rate"
)

// clock is a time that moves only when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// exchange is a server in the form of Coinbase or Binance with a price of BTC
// that can be changed, and faults.
type exchange struct {
	price  atomic.Value // string
	status atomic.Int64 // 0 is 200
	asked  atomic.Int64
}

func (e *exchange) start(t *testing.T, form func(price string) string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.asked.Add(1)
		if status := int(e.status.Load()); status != 0 {
			w.WriteHeader(status)
			return
		}
		_, _ = io.WriteString(w, form(e.price.Load().(string)))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func at(price string) *exchange {
	e := &exchange{}
	e.price.Store(price)
	return e
}

func krakenForm(price string) string {
	return fmt.Sprintf(`{"error":[],"result":{"XXBTZUSD":{"a":["%s"],"b":["%s"]},"USDTZUSD":{"a":["1"],"b":["1"]}}}`, price, price)
}

func coinbaseForm(price string) string {
	perDollar := rate.MustParse(price).Inverse().Round()
	return fmt.Sprintf(`{"data":{"currency":"USD","rates":{"BTC":"%s","USDT":"1"}}}`, perDollar)
}

func binanceForm(price string) string {
	return fmt.Sprintf(`[{"symbol":"BTCUSDT","price":"%s"}]`, price)
}

func ecbForm(dollars string) string {
	return fmt.Sprintf(`<Envelope><Cube><Cube time="2026-03-02"><Cube currency="USD" rate="%s"/></Cube></Cube></Envelope>`, dollars)
}

func wantBTC(t *testing.T, p *Poller, want string, sources ...string) {
	t.Helper()
	table, err := p.Current()
	if err != nil {
		t.Error(err)
		return
	}
	r, err := table.Rate("BTC", "USD")
	if err != nil || r.String() != want {
		t.Errorf("BTC is %s USD, %v; want %s", r, err, want)
	}
	if got := table.Sources("BTC"); !slices.Equal(got, sources) {
		t.Errorf("from %v, want %v", got, sources)
	}
}

func wantStale(t *testing.T, p *Poller) {
	t.Helper()
	if table, err := p.Current(); !errors.Is(err, rate.ErrStale) || table != nil {
		t.Errorf("%v, %v; want no table", table, err)
	}
}

func TestOneHangsOneLiesOneIsBroken(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hang.Close)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(broken.Close)

	var mu sync.Mutex
	failed := map[string]bool{}
	p := &Poller{
		Sources: []Source{
			Kraken(at("50000").start(t, krakenForm)),
			Coinbase(at("50100").start(t, coinbaseForm)),
			Binance(at("75000").start(t, binanceForm)), // the liar
			Bitstamp(broken.URL),
			CoinGecko(hang.URL),
		},
		Timeout: time.Second,
		Now:     newClock().Now,
		Log:     quiet(),
		Observe: func(r Reading) {
			mu.Lock()
			defer mu.Unlock()
			failed[r.Source] = r.Err != nil
		},
	}
	p.Poll(context.Background())
	wantBTC(t, p, "50050", "coinbase", "kraken")
	want := map[string]bool{"kraken": false, "coinbase": false, "binance": false, "bitstamp": true, "coingecko": true}
	for name, bad := range want {
		if got, told := failed[name]; !told || got != bad {
			t.Errorf("%s failed: %v (told %v), want %v", name, got, told, bad)
		}
	}
}

// A source that hangs does not keep the answers of the others back.
func TestAnswersCountAsSoonAsTheyAreThere(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hang.Close)
	answered := make(chan struct{}, 8)
	p := &Poller{
		Sources: []Source{
			CoinGecko(hang.URL),
			Kraken(at("50000").start(t, krakenForm)),
			Coinbase(at("50000").start(t, coinbaseForm)),
		},
		Timeout: time.Hour,
		Now:     newClock().Now,
		Log:     quiet(),
		Observe: func(Reading) { answered <- struct{}{} },
	}
	done := make(chan struct{})
	go func() { p.Poll(ctx); close(done) }()
	<-answered
	<-answered
	wantBTC(t, p, "50000", "coinbase", "kraken")
	select {
	case <-done:
		t.Error("the round ended without the source that hangs")
	default:
	}
	cancel()
	<-done
}

func TestNothingIsPricedBeforeTheFirstAnswers(t *testing.T) {
	kraken, now := at("50000"), newClock()
	p := &Poller{Sources: []Source{Kraken(kraken.start(t, krakenForm))}, Now: now.Now, Log: quiet()}
	wantStale(t, p)
	p.Poll(context.Background())
	wantStale(t, p) // one source is not enough
}

func TestPricesEndFiveMinutesAfterTheLastAnswer(t *testing.T) {
	kraken, coinbase, now := at("50000"), at("50000"), newClock()
	p := &Poller{
		Sources: []Source{
			Kraken(kraken.start(t, krakenForm)), Coinbase(coinbase.start(t, coinbaseForm)),
		},
		Now: now.Now, Log: quiet(),
	}
	p.Poll(context.Background())
	kraken.status.Store(503)
	now.forward(5 * time.Minute)
	p.Poll(context.Background())
	wantBTC(t, p, "50000", "coinbase", "kraken")
	now.forward(time.Second)
	wantStale(t, p) // without another round: nobody asks any more

	kraken.status.Store(0)
	p.Poll(context.Background())
	wantBTC(t, p, "50000", "coinbase", "kraken")
}

func TestALeapBeyondTheBandIsRefused(t *testing.T) {
	kraken, coinbase, now := at("50000"), at("50000"), newClock()
	p := &Poller{
		Sources: []Source{Kraken(kraken.start(t, krakenForm)), Coinbase(coinbase.start(t, coinbaseForm))},
		Now:     now.Now, Log: quiet(),
	}
	p.Poll(context.Background())
	kraken.price.Store("500000")
	coinbase.price.Store("500000")
	now.forward(time.Minute)
	p.Poll(context.Background())
	table, err := p.Current() // USDT still has its price
	if err != nil {
		t.Fatal(err)
	}
	if r, err := table.Rate("BTC", "USD"); !errors.Is(err, rate.ErrStale) {
		t.Errorf("BTC is %s, %v", r, err)
	}
	if why := table.Why("BTC"); !strings.Contains(why, "outside the band") {
		t.Errorf("why: %q", why)
	}
}

func TestTheReferenceTableIsAskedForOnceAnHour(t *testing.T) {
	table, kraken, now := at("1.1"), at("50000"), newClock()
	now.forward(2 * time.Hour)
	p := &Poller{
		Sources: []Source{ECB(table.start(t, ecbForm)), Kraken(kraken.start(t, krakenForm))},
		Now:     now.Now, Log: quiet(),
	}
	for range 60 {
		p.Poll(context.Background())
		now.forward(time.Minute)
	}
	if a, k := table.asked.Load(), kraken.asked.Load(); a != 1 || k != 60 {
		t.Errorf("asked %d and %d times in an hour", a, k)
	}
	table.status.Store(500)
	for range 3 {
		p.Poll(context.Background())
		now.forward(time.Minute)
	}
	if a := table.asked.Load(); a != 4 {
		t.Errorf("asked %d times: a failed request must be made again", a)
	}
	current, err := p.Current()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := current.Rate("EUR", "USD"); err != nil || r.String() != "1.1" {
		t.Errorf("EUR is %s, %v", r, err)
	}
}

func TestAReferenceTableThatTheMarketContradictsIsNotUsed(t *testing.T) {
	now := newClock()
	now.forward(2 * time.Hour)
	dollars, coinbase := at("1.1"), at("50000")
	p := &Poller{
		Sources: []Source{
			ECB(dollars.start(t, ecbForm)),
			Kraken(at("50000").start(t, krakenForm)),
			Coinbase(coinbase.start(t, func(string) string {
				return `{"data":{"currency":"USD","rates":{"BTC":"0.00002","EUR":"0.8"}}}`
			})),
		},
		Now: now.Now, Log: quiet(),
	}
	p.Poll(context.Background())
	table, err := p.Current()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := table.Rate("EUR", "USD"); !errors.Is(err, rate.ErrStale) {
		t.Errorf("EUR at 1.1 at the bank, 1.25 in the market, is %s, %v", r, err)
	}
	wantBTC(t, p, "50000", "coinbase", "kraken")
}

func TestRunAsksAtOnceAndEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	kraken, coinbase := at("50000"), at("50000")
	seen := make(chan Reading, 100)
	p := &Poller{
		Sources:  []Source{Kraken(kraken.start(t, krakenForm)), Coinbase(coinbase.start(t, coinbaseForm))},
		Interval: time.Millisecond,
		Now:      newClock().Now,
		Log:      quiet(),
		Observe: func(r Reading) {
			select {
			case seen <- r:
			default:
			}
		},
	}
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	for range 6 { // three rounds
		<-seen
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	wantBTC(t, p, "50000", "coinbase", "kraken")

	p.Policy = rate.Policy{MinSources: 2}
	if err := p.Run(context.Background()); !errors.Is(err, rate.ErrPolicy) {
		t.Errorf("with a policy without bounds: %v", err)
	}
}

func TestTheFixedFeedNeverEnds(t *testing.T) {
	table := rate.Fixed(newClock().Now())
	if got, err := Static(table).Current(); got != table || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
