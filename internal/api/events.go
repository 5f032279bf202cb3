package api

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcutil/base58"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/wire"
)

const (
	idLen        = 22
	tokenLife    = 24 * time.Hour   // of an event token, after the invoice expired
	longPoll     = 25 * time.Second // below what proxies wait
	keepAlive    = 15 * time.Second
	streamPoll   = 2 * time.Second // for what other processes store
	streamLife   = time.Hour
	maxStreams   = 2000
	streamWriter = 15 * time.Second
)

// getInvoiceEvents gives a token for an invoice's events: GET /invoices/{id}/events.
func (s *Server) getInvoiceEvents(c *call) (any, error) {
	inv, err := c.owned(c.params["id"])
	if err != nil {
		return nil, err
	}
	return c.envelope(wire.EventToken{
		URL: s.Renderer.PublicURL + "/events", Token: eventToken(inv.Invoice),
		Events: []string{"payment", "confirmation"}, Actions: []string{"subscribe", "unsubscribe"},
	}), nil
}

// eventToken opens the events of this invoice and nothing else. It is derived
// from the invoice's own token, so nothing is stored for it.
func eventToken(inv *invoice.Invoice) string {
	m := hmac.New(sha256.New, []byte(inv.Token))
	m.Write([]byte("events of an invoice"))
	return inv.ID + base58.Encode(m.Sum(nil))
}

func (s *Server) eventInvoice(c *call, token string) (app.Shown, error) {
	bad := fault.Access(http.StatusUnauthorized, "Invalid token: ask for a new one at /invoices/{id}/events")
	// Base58 only: a cut through the middle of a character is no text.
	if len(token) <= idLen || len(base58.Decode(token)) == 0 {
		return app.Shown{}, bad
	}
	inv, err := s.App.Invoice(c.r.Context(), token[:idLen])
	if _, refused := fault.As(err); refused {
		return app.Shown{}, bad
	}
	if err != nil {
		return app.Shown{}, err
	}
	if subtle.ConstantTimeCompare([]byte(eventToken(inv.Invoice)), []byte(token)) != 1 || s.App.Now().After(inv.Expires.Add(tokenLife)) {
		return app.Shown{}, bad
	}
	return inv, nil
}

// stream follows an invoice: GET /events. Clients that accept JSON only get one
// change at a time (long poll), all others server-sent events.
func (s *Server) stream(c *call) (any, error) {
	inv, err := s.eventInvoice(c, c.query.Get("token"))
	if err != nil {
		return nil, err
	}
	switch action := c.query.Get("action"); action {
	case "", "subscribe":
	case "unsubscribe":
		return data("Success"), nil
	default:
		return nil, fault.Invalid(c.invalid(), "action", "%.40q is neither subscribe nor unsubscribe", action)
	}
	if c.r.Method == http.MethodHead {
		return data("Success"), nil
	}
	if err := s.verify(c.r.Context(), inv); err != nil {
		return nil, err
	}
	wake, leave := s.streams.join(inv.ID)
	if wake == nil {
		return nil, fault.Access(http.StatusServiceUnavailable, "Too many open event streams; try again in a minute")
	}
	defer leave()
	f := &follower{s: s, c: c, wake: wake, names: wantedEvents(c), last: mark(inv)}
	if a := c.r.Header.Get("Accept"); strings.Contains(a, "application/json") && !strings.Contains(a, "text/event-stream") {
		return f.longPoll(inv.ID)
	}
	return nil, f.serve(inv)
}

func wantedEvents(c *call) map[string]bool {
	names := map[string]bool{}
	for _, key := range []string{"events[]", "events"} {
		for _, v := range c.query[key] {
			for _, n := range strings.Split(v, ",") {
				names[n] = true
			}
		}
	}
	return names
}

// follower is one open stream.
type follower struct {
	s     *Server
	c     *call
	wake  chan struct{}
	names map[string]bool // empty: all
	last  position
}

// position is what a follower has already told.
type position struct {
	status   invoice.Status
	received string
	depth    int64
	version  int64
}

func mark(inv app.Shown) position {
	p := position{status: inv.Status, received: inv.Received().String(), version: inv.Version, depth: -1}
	for i := range inv.Credits {
		if c := &inv.Credits[i]; c.Live() {
			n := min(c.Confirmations(inv.Tips[c.Chain]), inv.Depths(c.Asset).Credit)
			if p.depth < 0 || n < p.depth {
				p.depth = n
			}
		}
	}
	return p
}

// news names what happened between two positions.
func (f *follower) news(now position) []string {
	var out []string
	add := func(name string) {
		if len(f.names) == 0 || f.names[name] || name == "statechange" {
			out = append(out, name)
		}
	}
	if now.status != f.last.status {
		add("statechange")
	}
	if now.received != f.last.received || now.status != f.last.status && now.status == invoice.Paid {
		add("payment")
	}
	if now.depth != f.last.depth && now.depth >= 0 {
		add("confirmation")
	}
	return out
}

// next waits for a change worth telling.
func (f *follower) next(id string, until <-chan time.Time, idle func() error) (app.Shown, []string, error) {
	poll := time.NewTicker(streamPoll)
	defer poll.Stop()
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	for {
		select {
		case <-f.c.r.Context().Done():
			return app.Shown{}, nil, f.c.r.Context().Err()
		case <-f.s.closing.Done():
			return app.Shown{}, nil, nil
		case <-until:
			return app.Shown{}, nil, nil
		case <-quiet.C:
			if err := idle(); err != nil {
				return app.Shown{}, nil, err
			}
			continue
		case <-f.wake:
		case <-poll.C:
		}
		inv, err := f.s.App.Invoice(f.c.r.Context(), id)
		if err != nil {
			return inv, nil, err
		}
		now := mark(inv)
		names := f.news(now)
		f.last = now
		if len(names) > 0 {
			return inv, names, nil
		}
	}
}

func (f *follower) longPoll(id string) (any, error) {
	end := time.NewTimer(longPoll)
	defer end.Stop()
	f.extend(longPoll + streamWriter)
	inv, names, err := f.next(id, end.C, func() error { return nil })
	if err != nil || names == nil {
		return data([]any{}), err
	}
	return struct {
		Event string `json:"event"`
		Data  any    `json:"data"`
	}{names[0], f.view(inv)}, nil
}

func (f *follower) view(inv app.Shown) any {
	return f.s.Renderer.Invoice(inv, merchant.Public, f.s.App.Now())
}

func (f *follower) extend(d time.Duration) {
	_ = http.NewResponseController(f.c.w).SetWriteDeadline(time.Now().Add(d))
}

func (f *follower) serve(inv app.Shown) error {
	f.c.written = true
	h := f.c.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	f.c.w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(f.c.w).Flush
	say := func(s string) error {
		f.extend(streamWriter)
		if _, err := f.c.w.Write([]byte(s)); err != nil {
			return err
		}
		return flush()
	}
	if say(": following\n\n") != nil {
		return nil
	}
	end := time.NewTimer(streamLife)
	defer end.Stop()
	for {
		now, names, err := f.next(inv.ID, end.C, func() error { return say(": still here\n\n") })
		if err != nil || names == nil {
			return nil // the client went or the stream's time is over: nothing left to tell
		}
		b, err := json.Marshal(f.view(now))
		if err != nil {
			return nil
		}
		// One client's parser cuts a line at ": "; outside texts there is none.
		b = bytes.ReplaceAll(b, []byte(": "), []byte(`:\u0020`))
		for _, n := range names {
			if say(fmt.Sprintf("event: %s\ndata: %s\n\n", n, b)) != nil {
				return nil
			}
		}
	}
}

// streams wakes the followers of an invoice.
type streams struct {
	mu      sync.Mutex
	n       int
	waiting map[string]map[chan struct{}]bool
}

func (st *streams) join(id string) (wake chan struct{}, leave func()) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.n >= maxStreams {
		return nil, nil
	}
	wake = make(chan struct{}, 1)
	if st.waiting[id] == nil {
		st.waiting[id] = map[chan struct{}]bool{}
	}
	st.waiting[id][wake] = true
	st.n++
	return wake, func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.n--
		if delete(st.waiting[id], wake); len(st.waiting[id]) == 0 {
			delete(st.waiting, id)
		}
	}
}

func (st *streams) tell(id string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for ch := range st.waiting[id] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
