package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// shot is one prepared request, sent again and again.
type shot struct {
	method, url string
	body        []byte
	header      http.Header
}

// volley is what a round of requests came to.
type volley struct {
	perSecond float64
	p50, p99  time.Duration
}

// fire sends a shot over n connections for a while.
func fire(ctx context.Context, s shot, n int, d time.Duration) (volley, error) {
	ctx, cancel := context.WithTimeout(ctx, d+30*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n, MaxConnsPerHost: n, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var wg sync.WaitGroup
	start := time.Now()
	for range n {
		wg.Go(func() {
			mine := make([]time.Duration, 0, 4096)
			for time.Since(start) < d {
				at := time.Now()
				if err := s.once(ctx, client); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				mine = append(mine, time.Since(at))
			}
			mu.Lock()
			took = append(took, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	all := time.Since(start)
	if failed != nil || len(took) == 0 {
		return volley{}, failed
	}
	slices.Sort(took)
	return volley{float64(len(took)) / all.Seconds(), took[len(took)/2], took[len(took)*99/100]}, nil
}

func (s shot) once(ctx context.Context, c *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, s.method, s.url, bytes.NewReader(s.body))
	if err != nil {
		return err
	}
	req.Header = s.header
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s answered %d: %.300s", s.method, s.url, resp.StatusCode, b)
	}
	return nil
}

// versus fires both shots in turn, round by round, and returns the medians and
// the median of the ratios ours / floor of each pair.
func (b *bench) versus(ctx context.Context, ours, floor shot, n int) (o, f volley, ratio float64, err error) {
	var os, fs []volley
	var ratios []float64
	for range b.rounds + 1 {
		vf, err := fire(ctx, floor, n, b.round)
		if err != nil {
			return o, f, 0, fmt.Errorf("floor: %w", err)
		}
		vo, err := fire(ctx, ours, n, b.round)
		if err != nil {
			return o, f, 0, err
		}
		os, fs, ratios = append(os, vo), append(fs, vf), append(ratios, vo.perSecond/vf.perSecond)
	}
	// The first pair warms up.
	return middle(os[1:]), middle(fs[1:]), median(ratios[1:]), nil
}

func middle(list []volley) volley {
	slices.SortFunc(list, func(a, b volley) int { return int(a.perSecond - b.perSecond) })
	return list[len(list)/2]
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

func (v volley) String() string {
	return fmt.Sprintf("%6.0f/s %.1f/%.1f ms", v.perSecond, v.p50.Seconds()*1000, v.p99.Seconds()*1000)
}
