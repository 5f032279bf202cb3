package pages

import (
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/view"
)

// Config is what the pages are made of.
type Config struct {
	App      *app.App
	Renderer *view.Renderer
	// Sandbox offers the buttons that pay with play money and the page of mails.
	Sandbox bool
	// Wallets is the answer of GET /invoiceData/selectableWallets; nil is none.
	Wallets func() any
	// Wallet answers GET /i/{id} of a wallet that speaks the JSON payment protocol;
	// nil: every caller is sent to the checkout page.
	Wallet http.Handler
	// ClientAddr names who is asking, for limits. Nil takes the peer's address,
	// an IPv6 one as its /64; behind a trusted proxy give the forwarded one.
	ClientAddr func(*http.Request) string
	Now        func() time.Time // nil: the real clock
	Log        *slog.Logger     // nil: none
	// Chains tells how the chains stand, for the status page; nil: nobody knows.
	Chains chainsOf
	// Poll is how often a live stream looks for what another process did; zero
	// is 5 seconds.
	Poll time.Duration
	// KeepAlive is the pause after which a silent stream sends a comment; zero is
	// 15 seconds.
	KeepAlive time.Duration
}

// Pages serves the pages of one program.
type Pages struct {
	Config
	live      *hub
	keys      *limiter // wrong access keys and unknown pairing codes
	csrf      *http.CrossOriginProtection
	static    map[string]*file  // by name with hash
	paths     map[string]string // by name without hash
	widget    *file             // the shops' script
	templates map[string]*template.Template
}

// New prepares the pages and starts to listen for the App's events. Close ends
// the live streams.
func New(c Config) (*Pages, error) {
	if c.App == nil || c.Renderer == nil {
		return nil, errors.New("pages: App and Renderer are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ClientAddr == nil {
		c.ClientAddr = peer
	}
	if c.Poll == 0 {
		c.Poll = 5 * time.Second
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = 15 * time.Second
	}
	p := &Pages{Config: c, live: newHub(), keys: newLimiter(10, 6*time.Second), csrf: http.NewCrossOriginProtection()}
	// Behind a proxy the Host header may not be the name the browser knows.
	if c.Renderer.PublicURL != "" {
		if err := p.csrf.AddTrustedOrigin(origin(c.Renderer.PublicURL)); err != nil {
			return nil, err
		}
	}
	if err := p.loadStatic(); err != nil {
		return nil, err
	}
	if err := p.loadTemplates(); err != nil {
		return nil, err
	}
	p.csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, fault.Access(http.StatusForbidden, "This form was sent from another site and is not accepted; open the page itself and try again"))
	}))
	c.App.OnEvent(p.live.tell)
	return p, nil
}

// Close ends all live streams; it may be called more than once. Give it to
// http.Server.RegisterOnShutdown, or a graceful stop waits for every open page.
func (p *Pages) Close() { p.live.close() }

// Register adds the pages' routes to a mux.
func (p *Pages) Register(mux *http.ServeMux) {
	for pattern, h := range p.routes() {
		mux.Handle(pattern, p.serve(h))
	}
}

// peer is the address of the other end, or its network where one subscriber has
// a whole one.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Unmap().Is4() {
		return host
	}
	net64, _ := a.Prefix(64)
	return net64.String()
}
