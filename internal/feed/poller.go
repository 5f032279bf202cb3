package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/rate"
)

// Reading is what one request to one source came to, for metrics.
type Reading struct {
	Source string
	Took   time.Duration
	Votes  int
	Err    error
}

// Poller keeps the current rate table by asking its sources again and again.
// Set the fields before the first call; then all methods may be called by any
// goroutine, Run by one.
type Poller struct {
	Sources  []Source
	Interval time.Duration    // between rounds; 60 s if zero
	Timeout  time.Duration    // of one request; 10 s if zero
	Policy   rate.Policy      // rate.DefaultPolicy if zero
	Client   *http.Client     // one that follows no redirects if nil
	Now      func() time.Time // time.Now if nil
	Log      *slog.Logger     // slog.Default if nil
	Observe  func(Reading)    // told of each request once it counts; may be nil, must be quick

	mu    sync.Mutex
	votes map[string][]rate.Vote // by source; guarded by mu, as the rest
	next  map[string]time.Time   // when a source is due again
	table *rate.Table
	down  map[string]bool // sources whose last request failed, to log changes only
}

// Run asks the sources at once and then every Interval until ctx ends, and
// returns when no request is under way any more. Its error is that of ctx, or
// rate.ErrPolicy.
func (p *Poller) Run(ctx context.Context) error {
	if _, err := rate.Combine(nil, nil, p.now(), p.policy()); err != nil {
		return err
	}
	tick := time.NewTicker(orDuration(p.Interval, time.Minute))
	defer tick.Stop()
	for {
		p.Poll(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Poll asks each source that is due, all at the same time, and returns when all
// have answered or run out of time. Each answer counts as soon as it is there.
func (p *Poller) Poll(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range p.due() {
		all.Go(func() { p.ask(ctx, s) })
	}
	all.Wait()
}

func (p *Poller) due() []Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var due []Source
	for _, s := range p.Sources {
		if !now.Before(p.next[s.Name()]) {
			due = append(due, s)
		}
	}
	return due
}

func (p *Poller) ask(ctx context.Context, s Source) {
	ctx, cancel := context.WithTimeout(ctx, orDuration(p.Timeout, 10*time.Second))
	defer cancel()
	start := p.now()
	votes, err := s.Fetch(ctx, p.client())
	// A price is as old as the question: a source may sit on its answer.
	for i := range votes {
		votes[i].Source = s.Name()
		if votes[i].At.IsZero() {
			votes[i].At = start
		}
	}
	took := p.now().Sub(start)
	p.take(s, votes, err, start)
	if p.Observe != nil {
		p.Observe(Reading{s.Name(), took, len(votes), err})
	}
}

// take counts the answer of a source.
func (p *Poller) take(s Source, votes []rate.Vote, err error, asked time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(s.Name(), err)
	if err != nil {
		return
	}
	p.keep(s, votes, asked)
	p.combine()
}

// note logs when a source goes away or comes back. The caller holds mu.
func (p *Poller) note(name string, err error) {
	if p.down == nil {
		p.down = map[string]bool{}
	}
	switch {
	case err != nil && !p.down[name]:
		// Without the address: a log holds no query strings.
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		p.log().Warn("rate source failed", "source", name, "error", err)
	case err == nil && p.down[name]:
		p.log().Info("rate source is back", "source", name)
	}
	p.down[name] = err != nil
}

// keep stores the latest votes of a source. The caller holds mu.
func (p *Poller) keep(s Source, votes []rate.Vote, asked time.Time) {
	if p.votes == nil {
		p.votes, p.next = map[string][]rate.Vote{}, map[string]time.Time{}
	}
	p.votes[s.Name()] = votes
	if paced, ok := s.(Paced); ok && paced.Every() > 0 {
		p.next[s.Name()] = asked.Add(paced.Every())
	}
}

// combine makes the table anew from all latest votes. The caller holds mu.
func (p *Poller) combine() {
	var votes []rate.Vote
	for _, v := range p.votes {
		votes = append(votes, v...)
	}
	table, err := rate.Combine(votes, p.table, p.now(), p.policy())
	if err != nil {
		p.log().Error("no rate table", "error", err)
		return
	}
	p.table = table
}

// Current is the rate table as of now. No price in it rests on a reading older
// than the policy allows, even if no source has answered for a while. It fails
// with rate.ErrStale when nothing can be priced.
func (p *Poller) Current() (*rate.Table, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table == nil {
		return nil, fmt.Errorf("%w: no source has answered yet", rate.ErrStale)
	}
	if to := p.table.ValidTo(); !to.IsZero() && p.now().After(to) {
		p.combine()
	}
	if p.table.Priced() == 0 {
		return nil, fmt.Errorf("%w: no currency has enough agreeing sources", rate.ErrStale)
	}
	return p.table, nil
}

func (p *Poller) policy() rate.Policy {
	if p.Policy == (rate.Policy{}) {
		return rate.DefaultPolicy()
	}
	return p.Policy
}

func (p *Poller) client() *http.Client {
	if p.Client == nil {
		return plain
	}
	return p.Client
}

// plain takes no price from an address that was not asked for.
var plain = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}}

func (p *Poller) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

func (p *Poller) log() *slog.Logger {
	if p.Log == nil {
		return slog.Default()
	}
	return p.Log
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
