package light

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcwallet/walletdb"
	"github.com/lightninglabs/neutrino"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// Config says which network is followed, and through whom.
type Config struct {
	// Dir holds the headers: about 200 MB on mainnet. It is made where it is missing.
	Dir string
	// Network is main, test, testnet4, signet or regtest.
	Network string
	// Peers are host:port of nodes that serve compact filters (BIP 157). Nobody else
	// is asked then. Empty: peers are found by the network's DNS seeds; on regtest
	// there are none.
	Peers []string
	// WantedPeers is how many peers' filter headers have to be compared; fewer raise
	// an alarm. 0 is 8, or as many as there are Peers.
	WantedPeers int
	// StaleAfter is the age of the newest block at which an alarm is raised. 0 is 90
	// minutes on main, 3 hours on the other public networks and never on regtest.
	StaleAfter time.Duration
	// Birth is the height from which a new database follows the chain. 0 is the last
	// block that was two hours old when Dir was first opened.
	Birth int64
	// FallbackFee is taken where blocks tell nothing about fees, in satoshi per 1,000
	// virtual bytes. 0 is 10,000.
	FallbackFee uint64
	// OnDistrust is called when stored filter headers turned out to be doubtful: blocks
	// may have been passed over because of them. nil: nobody is told but the log.
	OnDistrust func()
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Log is told of progress and alarms; nil: nobody is.
	Log *slog.Logger
}

// Client follows the chain through compact filters. All its methods are safe for
// concurrent use.
type Client struct {
	Config
	params  *chaincfg.Params
	changed chan struct{}
	quit    context.Context
	cancel  context.CancelFunc
	broken  chan error
	loops   sync.WaitGroup
	sent    sentList
	fees    feeMemory
	audited auditMemory
	first   time.Time // when Dir was first opened
	opened  time.Time // when the library was opened; zero once it stands

	mu      sync.RWMutex // guards the service: held for writing while it is opened anew
	service *neutrino.ChainService
	db      walletdb.DB
	// gathering ends when enough time was given to peers to come, or the library stops.
	gathering context.Context
	disperse  context.CancelFunc

	state state
}

var (
	_ chain.Skimmer = (*Client)(nil)
	_ chain.Founder = (*Client)(nil)
	_ chain.Sender  = (*Client)(nil)
	_ chain.Auditor = (*Client)(nil)
)

const defaultWanted = 8

// Open opens the headers and begins to look for peers. It returns before any is
// found: what needs the chain answers chain.ErrSyncing until the tip is reached.
func Open(c Config) (*Client, error) {
	known, err := bitcoin.Find(asset, c.Network)
	if err != nil {
		return nil, err
	}
	params := known.Params
	if c.Network == "regtest" && len(c.Peers) == 0 {
		return nil, errors.New("regtest has no peers to be found: name one with --peer host:port")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.FallbackFee == 0 {
		c.FallbackFee = 10_000
	}
	if c.WantedPeers == 0 {
		c.WantedPeers = defaultWanted
		if n := len(c.Peers); n > 0 {
			c.WantedPeers = min(n, defaultWanted)
		}
	}
	if c.StaleAfter == 0 {
		c.StaleAfter = staleAfter(c.Network)
	}
	k := &Client{Config: c, params: params, changed: make(chan struct{}, 1), broken: make(chan error, 1)}
	k.quit, k.cancel = context.WithCancel(context.Background())
	if k.first, err = firstOpened(c.Dir, c.Now()); err != nil {
		return nil, err
	}
	useLog(c.Log)
	if err := k.start(); err != nil {
		return nil, err
	}
	k.loops.Go(k.supervise)
	return k, nil
}

func staleAfter(network string) time.Duration {
	switch network {
	case "main":
		return 90 * time.Minute
	case "regtest":
		return 0
	}
	return 3 * time.Hour
}

// firstOpened reads when the folder was first opened, or notes that it is now.
func firstOpened(dir string, now time.Time) (time.Time, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return now, err
	}
	path := filepath.Join(dir, "first")
	b, err := os.ReadFile(path)
	if err == nil {
		if t, err := time.Parse(time.RFC3339, strings.TrimSpace(string(b))); err == nil {
			return t, nil
		}
	}
	now = now.UTC().Truncate(time.Second)
	return now, os.WriteFile(path, []byte(now.Format(time.RFC3339)+"\n"), 0o600)
}

// globals of the library are set once: one process has one set of them.
var globals sync.Mutex

// setOnce leaves alone what is right already: another client may be reading it.
func setOnce[T comparable](at *T, to T) {
	if *at != to {
		*at = to
	}
}

// start opens the stores and the library on them. The caller holds mu, or is alone.
func (c *Client) start() error {
	db, mended, err := openStores(c.Dir)
	if err != nil {
		return err
	}
	if mended != "" {
		c.Log.Warn("the light client's headers were put right after a crash", "network", c.Config.Network, "what", mended)
	}
	globals.Lock()
	setOnce(&neutrino.TargetOutbound, max(defaultWanted, c.WantedPeers))
	setOnce(&neutrino.DisableDNSSeed, len(c.Peers) > 0)
	setOnce(&neutrino.UserAgentName, "quittance")
	setOnce(&neutrino.UserAgentVersion, "1")
	s, err := neutrino.NewChainService(neutrino.Config{
		DataDir: c.Dir, Database: db, ChainParams: *c.params, ConnectPeers: c.Peers,
		FilterCacheSize: filterCacheBytes, BlockCacheSize: blockCacheBytes,
	})
	globals.Unlock()
	if err == nil {
		c.gathering, c.disperse = context.WithTimeout(c.quit, c.gatherFor())
		err = c.newGuard(s).install(s)
	}
	if err == nil {
		err = s.Start(c.quit)
	}
	if err != nil {
		_ = db.Close()
		return fmt.Errorf("light: %w", err)
	}
	c.service, c.db, c.opened = s, db, time.Now()
	c.state.reset()
	return nil
}

const (
	filterCacheBytes = 8 << 20 // more than one batch of filters
	blockCacheBytes  = 8 << 20
)

func (c *Client) newGuard(s *neutrino.ChainService) *guard {
	g := &guard{params: c.params, wanted: 2}
	if n := len(c.Peers); n > 0 {
		g.wanted = min(n, 2)
	}
	g.broken = func(err error) {
		select {
		case c.broken <- err:
		case <-c.quit.Done():
		}
	}
	g.banned = c.peerBanned
	g.compared = c.state.compared
	gathering := c.gathering
	g.gather = func() {
		for len(s.Peers()) < c.WantedPeers && gathering.Err() == nil {
			select {
			case <-gathering.Done():
			case <-time.After(gatherLook):
			}
		}
	}
	g.mayDoubt = func() bool { return c.state.mayDoubt(c.Now()) }
	g.grown = func() {
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
	return g
}

// stop ends the library. The caller holds mu.
func (c *Client) stop() error {
	if c.service == nil {
		return nil
	}
	c.disperse()
	err := errors.Join(c.service.Stop(), c.db.Close(), stands(c.Dir))
	c.service, c.db = nil, nil
	return err
}

// Close ends everything. The client cannot be used any more.
func (c *Client) Close() error {
	c.cancel()
	c.loops.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stop()
}

const (
	lookEvery   = time.Second
	reopenPause = 5 * time.Second
	gatherLook  = 50 * time.Millisecond
	standsAfter = 2 * time.Minute // without a crash
)

// supervise looks at how things are, and opens the library anew when one of its
// goroutines had to be ended.
func (c *Client) supervise() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-c.quit.Done():
			return
		case why := <-c.broken:
			c.reopen(why)
		case <-t.C:
			c.observe()
			if !c.opened.IsZero() && time.Since(c.opened) > standsAfter {
				c.opened = time.Time{}
				if err := stands(c.Dir); err != nil {
					c.Log.Warn("note that the light client stands", "error", err)
				}
			}
		}
	}
}

func (c *Client) reopen(why error) {
	c.Log.Error("the light client starts again on its stores", "network", c.Config.Network, "why", why)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.stop(); err != nil {
		c.Log.Warn("stop the light client", "error", err)
	}
	if errors.Is(why, errOurHeaders) {
		c.raise(alarmDistrust, "peers have other filter headers than those that were stored; all of them are fetched again and compared, and what was read so far is to be read again")
		if c.OnDistrust != nil {
			go c.OnDistrust()
		}
		if err := forgetFilters(c.Dir); err != nil {
			c.Log.Error("forget the filter headers", "error", err)
		}
	}
	for {
		err := c.start()
		if err == nil {
			return
		}
		c.Log.Error("start the light client; it is tried again", "network", c.Config.Network, "error", err)
		select {
		case <-c.quit.Done():
			return
		case <-time.After(reopenPause):
		}
	}
}

// gatherFor is how long peers have to come before filter headers are compared between
// those who are there.
func (c *Client) gatherFor() time.Duration {
	if len(c.Peers) > 0 {
		return pinnedGather
	}
	return time.Minute
}

// pinnedGather is for peers that are named; a variable for tests, whose peers are near.
var pinnedGather = 20 * time.Second

// use calls f with the library while it is open, or returns chain.ErrSyncing. Other
// than its caller it holds nobody up but a restart.
func (c *Client) use(f func(s *neutrino.ChainService) error) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.service == nil {
		return fmt.Errorf("%w: the light client is starting", chain.ErrSyncing)
	}
	return f(c.service)
}
