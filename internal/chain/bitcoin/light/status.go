package light

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lightninglabs/neutrino"

	"github.com/quittance/quittance/internal/chain"
)

// Status is how the client stands.
type Status struct {
	Network   string
	Synced    bool  // the tip was reached since the start, and somebody can be asked
	Headers   int64 // height of our block headers
	Filters   int64 // height of our filter headers
	Best      int64 // what the median of the peers says the height is
	TipTime   time.Time
	Peers     int // connected now
	Wanted    int
	Compared  int // peers whose filter headers were compared the last time
	Alarms    []Alarm
	Restarted int // how often the library had to be opened anew
}

// Alarm is something that an operator should look at.
type Alarm struct {
	Kind  string // stale, distrust or peers
	Text  string // a sentence
	Since time.Time
}

// Kinds of alarms.
const (
	alarmStale    = "stale"    // no new block for long
	alarmDistrust = "distrust" // peers disagreed about filter headers
	alarmPeers    = "peers"    // too few are compared
)

// AlarmKinds are all kinds of alarms.
var AlarmKinds = []string{alarmStale, alarmDistrust, alarmPeers}

// Progress says how far the first synchronisation is, in one sentence.
func (s Status) Progress() string {
	best := max(s.Best, s.Headers)
	switch {
	case s.Peers == 0:
		return "no peer is connected"
	case s.Headers < best:
		return fmt.Sprintf("headers %s of %s (%d %%), %s", thousands(s.Headers), thousands(best), percent(s.Headers, best), peers(s.Peers))
	case s.Filters < s.Headers:
		return fmt.Sprintf("filter headers %s of %s (%d %%), %s", thousands(s.Filters), thousands(s.Headers), percent(s.Filters, s.Headers), peers(s.Peers))
	case !s.Synced && !s.TipTime.IsZero():
		return fmt.Sprintf("the newest block known is of %s, %s", s.TipTime.UTC().Format("2006-01-02 15:04 MST"), peers(s.Peers))
	}
	return fmt.Sprintf("height %s, %s", thousands(s.Headers), peers(s.Peers))
}

func percent(part, of int64) int64 {
	if of <= 0 {
		return 0
	}
	return part * 100 / of
}

func peers(n int) string {
	if n == 1 {
		return "1 peer"
	}
	return fmt.Sprintf("%d peers", n)
}

func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// state is what is known about the client's own condition.
type state struct {
	mu        sync.Mutex
	synced    bool
	lastPeer  time.Time // when somebody was connected
	last      chain.Ref // the tip that was told last
	status    Status
	alarms    []Alarm
	few       time.Time // since when there are too few peers
	logged    time.Time // when progress was logged
	doubted   time.Time // when all filter headers were given up
	blockSeen time.Time // when the tip last changed
}

// reset is called when the library was opened.
func (s *state) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = false
	s.status.Restarted++
}

func (s *state) lastTip() chain.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *state) reported(ref chain.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = ref
}

func (s *state) compared(peers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Compared = peers
}

// doubtEvery bounds how often a peer can have all filter headers fetched again.
const doubtEvery = 6 * time.Hour

func (s *state) mayDoubt(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.doubted.IsZero() && now.Sub(s.doubted) < doubtEvery {
		return false
	}
	s.doubted = now
	return true
}

// syncing is nil once the tip was reached since the library was opened, while
// somebody is there who would tell of new blocks; else a chain.ErrSyncing that says
// how far it is.
func (s *state) syncing(service *neutrino.ChainService, c *Client) error {
	s.mu.Lock()
	synced, lost := s.synced, c.Now().Sub(s.lastPeer) > patience
	s.mu.Unlock()
	if !synced {
		synced = c.look(service)
		lost = false
	}
	if synced && !lost {
		return nil
	}
	return fmt.Errorf("%w: %s", chain.ErrSyncing, c.known().Progress())
}

// look finds out how things are, and whether the tip has been reached.
func (c *Client) look(service *neutrino.ChainService) bool {
	var heights []int32
	for _, p := range service.Peers() {
		heights = append(heights, max(p.LastBlock(), p.StartingHeight()))
	}
	slices.Sort(heights)
	header, height, err := service.BlockHeaders.ChainTip()
	if err != nil {
		return false
	}
	_, reach, err := service.RegFilterHeaders.ChainTip()
	if err != nil {
		return false
	}
	current := service.IsCurrent()
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Peers, s.status.Headers, s.status.Filters = len(heights), int64(height), int64(reach)
	if !s.status.TipTime.Equal(header.Timestamp) {
		s.blockSeen = c.Now()
	}
	s.status.TipTime = header.Timestamp
	if len(heights) == 0 {
		return s.synced
	}
	s.lastPeer = c.Now()
	s.status.Best = int64(heights[len(heights)/2])
	if !s.synced && current && int64(height) >= s.status.Best {
		s.synced = true
		c.Log.Info("the light client has reached the tip of the chain", "network", c.Config.Network, "height", height, "peers", len(heights))
	}
	return s.synced
}

// Status is how the client stands now.
func (c *Client) Status() Status {
	_ = c.use(func(s *neutrino.ChainService) error {
		c.look(s)
		return nil
	}) // while it starts, what was known last stands
	return c.known()
}

// known is how the client stood when it was looked at last.
func (c *Client) known() Status {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	s := c.state.status
	s.Network, s.Wanted = c.Config.Network, c.WantedPeers
	s.Synced = c.state.synced && c.Now().Sub(c.state.lastPeer) <= patience
	s.Restarted--
	s.Alarms = slices.Clone(c.state.alarms)
	return s
}
