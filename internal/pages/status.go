package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ChainState is how one chain stands, for operators to look at. It holds nothing
// that the public may not see.
type ChainState struct {
	Chain   string    `json:"chain"`
	Network string    `json:"network"`
	Ready   bool      `json:"ready"`
	Says    string    `json:"says"` // one sentence
	Height  int64     `json:"height"`
	Tip     int64     `json:"tip"`
	TipTime time.Time `json:"tipTime,omitzero"`
	// Peers are connected now; PeersWanted of them are to be compared. Both are 0
	// where a node is asked.
	Peers       int             `json:"peers"`
	PeersWanted int             `json:"peersWanted"`
	Progress    []ProgressState `json:"progress"`
	Alarms      []AlarmState    `json:"alarms"`
}

// ProgressState is how far something is that takes its time.
type ProgressState struct {
	Of   string `json:"of"`
	Done int64  `json:"done"`
	All  int64  `json:"all"`
}

// Full reports whether it is done.
func (s ProgressState) Full() bool { return s.Done >= s.All }

// AlarmState is something to look at.
type AlarmState struct {
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
}

// When is the time of an alarm as people read it.
func (s AlarmState) When() string { return s.Since.UTC().Format("2006-01-02 15:04 MST") }

type statusPage struct {
	T      *text         `json:"-"`
	Chains []*chainShown `json:"chains"`
}

type chainShown struct {
	ChainState
	now time.Time
}

// Age is how old the newest block is, in words.
func (c *chainShown) Age() string {
	if c.TipTime.IsZero() {
		return "unknown"
	}
	age := c.now.Sub(c.TipTime)
	switch {
	case age < 2*time.Minute:
		return "just now"
	case age < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(age.Minutes()))
	}
	return fmt.Sprintf("%d hours ago", int(age.Hours()))
}

// status shows how the chains stand, as a page or as JSON.
func (p *Pages) status(w http.ResponseWriter, r *http.Request) error {
	s := &statusPage{T: &english, Chains: []*chainShown{}}
	if p.Chains != nil {
		for _, c := range p.Chains(r.Context()) {
			s.Chains = append(s.Chains, &chainShown{c, p.Now()})
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		return json.NewEncoder(w).Encode(s)
	}
	return p.show(w, http.StatusOK, "status", s)
}

// chainsOf tells how chains stand.
type chainsOf = func(context.Context) []ChainState
