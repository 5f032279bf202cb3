package light

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lightninglabs/neutrino"
)

const (
	fewFor   = 2 * time.Minute // how long peers may be too few
	calmFor  = time.Hour       // after peers disagreed, the alarm stands for so long
	logEvery = 5 * time.Second
)

// observe looks at the library once a second: it tells progress and raises alarms.
func (c *Client) observe() {
	synced := false
	err := c.use(func(s *neutrino.ChainService) error {
		synced = c.look(s)
		return nil
	})
	if err != nil {
		return
	}
	now, st := c.Now(), c.known()
	if !synced {
		c.logProgress(now, st)
		return
	}
	c.watchTip(now, st)
	c.watchPeers(now, st)
	c.state.mu.Lock()
	i := slices.IndexFunc(c.state.alarms, func(a Alarm) bool { return a.Kind == alarmDistrust })
	calm := i >= 0 && now.Sub(c.state.alarms[i].Since) > calmFor
	c.state.mu.Unlock()
	if calm {
		c.lower(alarmDistrust)
	}
}

func (c *Client) logProgress(now time.Time, st Status) {
	c.state.mu.Lock()
	due := now.Sub(c.state.logged) >= logEvery
	if due {
		c.state.logged = now
	}
	c.state.mu.Unlock()
	if due {
		c.Log.Info("Bitcoin: "+st.Progress(), "network", st.Network, "headers", st.Headers, "filters", st.Filters, "of", max(st.Best, st.Headers), "peers", st.Peers)
	}
}

// watchTip raises an alarm when no block came for long. Both the block's own time and
// when it was seen count: miners' clocks may be hours wrong, in either direction.
func (c *Client) watchTip(now time.Time, st Status) {
	if c.StaleAfter <= 0 {
		return
	}
	c.state.mu.Lock()
	seen := c.state.blockSeen
	c.state.mu.Unlock()
	if age := min(now.Sub(st.TipTime), max(now.Sub(seen), now.Sub(st.TipTime)-2*time.Hour)); age > c.StaleAfter {
		c.raise(alarmStale, fmt.Sprintf("no new block since %s: either the network is slow, or the peers keep blocks back", st.TipTime.UTC().Format("2006-01-02 15:04 MST")))
		return
	}
	c.lower(alarmStale)
}

func (c *Client) watchPeers(now time.Time, st Status) {
	c.state.mu.Lock()
	if st.Peers >= c.WantedPeers {
		c.state.few = time.Time{}
	} else if c.state.few.IsZero() {
		c.state.few = now
	}
	few := !c.state.few.IsZero() && now.Sub(c.state.few) > fewFor
	c.state.mu.Unlock()
	if few {
		c.raise(alarmPeers, fmt.Sprintf("filter headers are compared between %s, and %d are wanted", peers(st.Peers), c.WantedPeers))
		return
	}
	if st.Peers >= c.WantedPeers {
		c.lower(alarmPeers)
	}
}

// peerBanned is told of each peer that the library bans.
func (c *Client) peerBanned(addr, reason string) {
	if strings.Contains(reason, "filter header") || strings.Contains(reason, "invalid") {
		c.raise(alarmDistrust, fmt.Sprintf("peers disagreed about the chain's filters: %s was banned (%s)", addr, reason))
		return
	}
	c.Log.Info("a peer is left out", "peer", addr, "why", reason)
}

// raise logs an alarm once, and keeps it until it is lowered.
func (c *Client) raise(kind, text string) {
	c.state.mu.Lock()
	i := slices.IndexFunc(c.state.alarms, func(a Alarm) bool { return a.Kind == kind })
	fresh := i < 0
	if fresh {
		c.state.alarms = append(c.state.alarms, Alarm{Kind: kind, Text: text, Since: c.Now()})
	} else if kind == alarmDistrust {
		fresh = c.state.alarms[i].Text != text
		c.state.alarms[i] = Alarm{Kind: kind, Text: text, Since: c.Now()}
	}
	c.state.mu.Unlock()
	if fresh {
		c.Log.Error("ALARM: "+text, "chain", asset, "network", c.Config.Network, "alarm", kind)
	}
}

func (c *Client) lower(kind string) {
	c.state.mu.Lock()
	n := len(c.state.alarms)
	c.state.alarms = slices.DeleteFunc(c.state.alarms, func(a Alarm) bool { return a.Kind == kind })
	lowered := len(c.state.alarms) < n
	c.state.mu.Unlock()
	if lowered {
		c.Log.Info("the alarm is over", "chain", asset, "network", c.Config.Network, "alarm", kind)
	}
}
