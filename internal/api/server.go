package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/api/bitauth"
	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/view"
)

// MaxBody is the size of the largest request body that is read, in bytes.
const MaxBody = 64 << 10

// MaxBulk is the size where a request may name up to 1,000 things at once.
const MaxBulk = 512 << 10

// Config is what the front needs.
type Config struct {
	App      *app.App
	Renderer *view.Renderer
	// BaseURLs are the addresses clients may have signed, the public one first.
	BaseURLs []string
	// PlainHTTP also accepts signatures over http://<Host>.
	PlainHTTP bool
	// TrustProxy believes X-Forwarded-For, -Proto and -Host of a peer on loopback.
	TrustProxy bool
	Limits     Limits
	// Pages answers what is not the API; nil: nothing does.
	Pages http.Handler
	Log   *slog.Logger
	// Observe is told of every answered API request.
	Observe func(route, method string, status int, took time.Duration)
}

// Server is the HTTP front.
type Server struct {
	Config
	verifier bitauth.Verifier
	limits   *limiter
	streams  streams
	verified verified
	closing  context.Context
	close    context.CancelFunc
}

// New returns the front.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Config: c, limits: newLimiter(c.Limits)}
	s.closing, s.close = context.WithCancel(context.Background())
	s.streams.waiting = map[string]map[chan struct{}]bool{}
	if c.App != nil {
		c.App.OnEvent(s.streams.tell)
	}
	return s
}

// Close ends the open event streams, so that a graceful stop need not wait.
func (s *Server) Close() { s.close() }

var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt, params, allowed := find(r.Method, r.URL.EscapedPath())
	if rt == nil && allowed == nil && r.Method != http.MethodOptions && s.isPage(r) {
		s.Pages.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodOptions {
		preflight(w)
		return
	}
	status := s.answer(w, r, rt, params, allowed)
	if s.Observe != nil {
		name := "none"
		if rt != nil {
			name = rt.pattern
		}
		s.Observe(name, r.Method, status, time.Since(start))
	}
}

// isPage keeps unclean paths away from the pages' router, which would redirect
// them; a redirect breaks a signed request. What that router does not know gets
// the API's own refusal, which every client can read.
func (s *Server) isPage(r *http.Request) bool {
	p := r.URL.Path
	if s.Pages == nil || p == "" || path.Clean(p) != p {
		return false
	}
	router, ok := s.Pages.(*http.ServeMux)
	if !ok {
		return true
	}
	_, pattern := router.Handler(r)
	return pattern != "" || strings.Contains(r.Header.Get("Accept"), "text/html")
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-Accept-Version, X-Identity, X-Signature, X-BitPay-Plugin-Info, X-BitPay-Api-Frame, X-BitPay-Api-Frame-Version, X-BitPay-Platform-Info")
	h.Set("Access-Control-Max-Age", "86400")
	writeJSON(w, http.StatusOK, struct {
		Data string `json:"data"`
	}{"Success"})
}

// answer runs one call and returns the status that was sent.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, rt *route, params map[string]string, allowed []string) (status int) {
	c := &call{server: s, w: w, r: r, route: rt, params: params, method: r.Method, status: http.StatusOK}
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("a request's handler panicked", "method", r.Method, "route", routeName(rt), "panic", p, "stack", string(debug.Stack()))
			s.refuse(c, fault.New(fault.Generic, "Generic server error"))
		}
		status = c.status
	}()
	data, err := s.run(c, allowed)
	if err != nil {
		s.refuse(c, err)
	} else if !c.written {
		c.reply(http.StatusOK, data)
	}
	return c.status
}

func routeName(rt *route) string {
	if rt == nil {
		return "none"
	}
	return rt.pattern
}

func (s *Server) run(c *call, allowed []string) (any, error) {
	if err := s.limits.address(ClientAddress(c.r, s.TrustProxy)); err != nil {
		return nil, err
	}
	buf := bodies.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= 2*MaxBody { // a large one is not kept
			*buf = (*buf)[:0]
			bodies.Put(buf)
		}
	}()
	if err := c.read(buf); err != nil {
		return nil, err
	}
	if err := c.parse(); err != nil {
		return nil, err
	}
	refused := c.authorize(allowed)
	// A refused request consumes its number in a session too.
	if replayed, err := c.enterSession(); err != nil || replayed {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return c.route.handle(s, c)
}

// read takes the body, once and whole: the signature covers its raw bytes.
func (c *call) read(buf *[]byte) error {
	limit := int64(MaxBody)
	if c.route != nil && c.route.bulk {
		limit = MaxBulk
	}
	if c.r.ContentLength > limit {
		return tooLarge(limit)
	}
	b := *buf
	src := io.LimitReader(c.r.Body, limit+1)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := src.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		*buf = b
		if int64(len(b)) > limit {
			return tooLarge(limit)
		}
		if errors.Is(err, io.EOF) {
			c.body = b
			return nil
		}
		if err != nil {
			return fault.Access(http.StatusBadRequest, "The request's body could not be read")
		}
	}
}

func tooLarge(limit int64) error {
	return fault.Access(http.StatusRequestEntityTooLarge, "The request's body is larger than %d bytes", limit)
}

// refuse writes the error envelope, whole.
func (s *Server) refuse(c *call, err error) {
	f, ok := fault.As(err)
	if !ok {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			f = fault.Access(http.StatusServiceUnavailable, "The request took too long or was given up")
		} else {
			s.Log.Error("a request failed", "method", c.r.Method, "route", routeName(c.route), "error", err)
			f = fault.New(fault.Generic, "Generic server error")
		}
	}
	if f.Status == http.StatusTooManyRequests || f.Status == http.StatusServiceUnavailable {
		c.w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if !c.written {
		c.reply(f.Status, envelopeOf(c.method, f))
	}
}
