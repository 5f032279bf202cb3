package pages

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/fault"
)

// Bounds of the live streams. A browser that is refused one asks for the state
// every few seconds instead.
const (
	maxStreams        = 4000
	maxStreamsPerAddr = 50               // an office or a shop shares one
	streamLife        = 30 * time.Minute // the browser opens it again
	streamWrite       = 10 * time.Second
)

// hub wakes the streams of an invoice when something happened to it.
type hub struct {
	mu      sync.Mutex
	subs    map[string]map[chan struct{}]bool // by invoice; guarded by mu
	addrs   map[string]int                    // streams by address; guarded by mu
	total   int                               // guarded by mu
	stopped chan struct{}
	once    sync.Once
}

func newHub() *hub {
	return &hub{subs: map[string]map[chan struct{}]bool{}, addrs: map[string]int{}, stopped: make(chan struct{})}
}

func (h *hub) close() { h.once.Do(func() { close(h.stopped) }) }

// tell never blocks: a stream that is behind has a notice waiting already.
func (h *hub) tell(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs[id] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (h *hub) join(id, addr string) (woken chan struct{}, leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.total >= maxStreams || h.addrs[addr] >= maxStreamsPerAddr {
		return nil, nil, false
	}
	c := make(chan struct{}, 1)
	if h.subs[id] == nil {
		h.subs[id] = map[chan struct{}]bool{}
	}
	h.subs[id][c] = true
	h.addrs[addr]++
	h.total++
	return c, func() { h.leave(id, addr, c) }, true
}

func (h *hub) leave(id, addr string, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs[id], c)
	if len(h.subs[id]) == 0 {
		delete(h.subs, id)
	}
	if h.addrs[addr]--; h.addrs[addr] == 0 {
		delete(h.addrs, addr)
	}
	h.total--
}

// stream sends the state of an invoice now and whenever it changed: as soon as
// this process did it, and within Poll when another one did.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request) error {
	id := r.FormValue("id")
	if _, err := p.App.Invoice(r.Context(), id); err != nil {
		return err
	}
	woken, leave, ok := p.live.join(id, p.ClientAddr(r))
	if !ok {
		return fault.Access(http.StatusTooManyRequests, "Too many live connections; ask GET /invoice/state instead")
	}
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	// The server's limits on a request are not meant for one that stays open.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	if r.Method == http.MethodHead {
		return nil
	}
	s := &stream{p: p, w: w, rc: rc, id: id}
	if s.update(r) == nil {
		s.follow(r, woken)
	}
	return nil
}

// stream is one open page.
type stream struct {
	p    *Pages
	w    io.Writer
	rc   *http.ResponseController
	id   string
	last string
}

func (s *stream) follow(r *http.Request, woken <-chan struct{}) {
	poll, alive, end := time.NewTicker(s.p.Poll), time.NewTicker(s.p.KeepAlive), time.NewTimer(streamLife)
	defer poll.Stop()
	defer alive.Stop()
	defer end.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-s.p.live.stopped:
			return
		case <-end.C:
			return
		case <-alive.C:
			err = s.send(": still here\n\n")
		case <-woken:
			err = s.update(r)
		case <-poll.C:
			err = s.update(r)
		}
		if err != nil {
			return
		}
	}
}

// update sends the state if it is another one than before.
func (s *stream) update(r *http.Request) error {
	inv, err := s.p.App.Invoice(r.Context(), s.id)
	if err != nil {
		return err
	}
	state, err := encodeState(inv, s.p.Now())
	if err != nil || state == s.last {
		return err
	}
	s.last = state
	return s.send("event: state\ndata: " + state + "\n\n")
}

func (s *stream) send(event string) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(streamWrite))
	// HTTP/2 resets a stream whose deadline passes, even while it is silent.
	defer func() { _ = s.rc.SetWriteDeadline(time.Time{}) }()
	if _, err := fmt.Fprint(s.w, event); err != nil {
		return err
	}
	return s.rc.Flush()
}
