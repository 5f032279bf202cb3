package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/light"
	"github.com/quittance/quittance/internal/pages"
)

// lightPlace says how Bitcoin is followed without a node.
type lightPlace struct {
	Light bool     `help:"Follow Bitcoin without a node: headers and compact filters from peers. It sees payments once they are in a block." env:"QUITTANCE_LIGHT"`
	Peer  []string `help:"Peer of the light client, host:port of a node that serves compact filters. May be given several times; nobody else is asked then. Needed on regtest." env:"QUITTANCE_PEER" placeholder:"HOST:PORT" sep:","`
	Birth int64    `help:"Height from which a new database looks for payments with --light; 0 is the day of the first start." env:"QUITTANCE_BIRTH" default:"0" placeholder:"HEIGHT"`
}

// nothingToFollow reports whether the settings name no chain, or play money and real
// money at once.
func (c *serveCmd) nothingToFollow() bool { return c.Sandbox == (c.Light || len(c.Node) > 0) }

// openLight opens the light client. nodes is how many nodes of Bitcoin are given.
func (p *program) openLight(nodes int) (*followed, error) {
	if nodes > 0 {
		return nil, errors.New("give either --light or a --node of Bitcoin, not both")
	}
	c, err := bitcoin.Find("BTC", p.conf.Network)
	if err != nil {
		return nil, err
	}
	doubts := make(chan struct{}, 1)
	p.light, err = light.Open(light.Config{
		Dir: filepath.Join(p.conf.Data, "light", p.conf.Network), Network: p.conf.Network, Peers: p.conf.Peer, Birth: p.conf.Birth,
		FallbackFee: p.conf.Fallback, Log: p.log,
		OnDistrust: func() {
			select {
			case doubts <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("--light: %w", err)
	}
	return &followed{Chain: c, source: p.light, sender: p.light, poll: p.conf.Poll, light: p.light, run: p.readAgain(doubts)}, nil
}

// readAgain has every block looked through once more each time that filters which were
// believed turn out to be doubtful: they may have hidden payments.
func (p *program) readAgain(doubts <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		asked := false
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-doubts:
				asked = true
			case <-t.C:
				if !asked {
					continue
				}
				from, err := p.light.Begin(ctx) // the tip has to be reached again first
				if err != nil {
					continue
				}
				if _, err := p.app.StartRescan(ctx, "BTC", from.Height); err != nil {
					p.log.Error("payments may have been hidden, and no rescan could be asked for; it is tried again", "error", err)
					continue
				}
				asked = false
			}
		}
	}
}

// stillFollowing says what keeps every chain from being ready.
func (p *program) stillFollowing() error {
	for _, f := range p.chains {
		if s := p.says(f); f.light != nil && s != "" {
			return errors.New(s)
		}
	}
	return errors.New("the chain has not been followed up to its tip yet")
}

// says is how a chain stands, in a sentence.
func (p *program) says(f *followed) string {
	s := f.status()
	switch {
	case f.light != nil && !f.light.Status().Synced:
		return f.Name + ": " + f.light.Status().Progress()
	case s.Err != nil:
		return f.Name + ": cannot be read at present; it is tried again"
	case !f.ready() && s.Tip.Height > 0:
		return fmt.Sprintf("%s: blocks %d of %d have been looked through", f.Name, s.Cursor.Height, s.Tip.Height)
	case !f.ready():
		return f.Name + ": has not been read yet"
	}
	return fmt.Sprintf("%s: followed to block %d", f.Name, s.Cursor.Height)
}

// chainStates are all chains, for the status page.
func (p *program) chainStates(context.Context) (list []pages.ChainState) {
	for _, f := range p.chains {
		s := f.status()
		state := pages.ChainState{
			Chain: f.Code, Network: f.Network, Ready: f.ready(), Says: p.says(f), Height: s.Cursor.Height, Tip: s.Tip.Height,
			Progress: []pages.ProgressState{}, Alarms: []pages.AlarmState{},
		}
		if f.light != nil {
			l := f.light.Status()
			best := max(l.Best, l.Headers)
			state.Tip, state.TipTime, state.Peers, state.PeersWanted = best, l.TipTime, l.Peers, l.Wanted
			state.Progress = append(state.Progress,
				pages.ProgressState{Of: "Headers", Done: l.Headers, All: best}, pages.ProgressState{Of: "Filter headers", Done: l.Filters, All: best})
			for _, a := range l.Alarms {
				state.Alarms = append(state.Alarms, pages.AlarmState{Kind: a.Kind, Text: a.Text, Since: a.Since})
			}
		}
		if s.Cursor.Height > 0 {
			state.Progress = append(state.Progress, pages.ProgressState{Of: "Blocks", Done: s.Cursor.Height, All: state.Tip})
		}
		list = append(list, state)
	}
	return list
}

// writeAlarms adds what an operator should look at to an answer for machines. It
// changes no status: a server that is alarmed still serves.
func (p *program) writeAlarms(w io.Writer) {
	if p.light == nil {
		return
	}
	for _, a := range p.light.Status().Alarms {
		fmt.Fprintf(w, "ALARM (%s): %s\n", a.Kind, a.Text)
	}
}

// lightMetrics are what /metrics tells of the light client.
func (p *program) lightMetrics() (list []prometheus.Collector) {
	if p.light == nil {
		return nil
	}
	gauge := func(name, help string, labels prometheus.Labels, value func(light.Status) float64) {
		list = append(list, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return value(p.light.Status()) }))
	}
	gauge("quittance_light_peers", "Peers that are connected.", nil, func(s light.Status) float64 { return float64(s.Peers) })
	gauge("quittance_light_headers", "Height of the block headers.", nil, func(s light.Status) float64 { return float64(s.Headers) })
	gauge("quittance_light_filter_headers", "Height of the filter headers.", nil, func(s light.Status) float64 { return float64(s.Filters) })
	gauge("quittance_light_tip_seconds", "When the newest block was made.", nil, func(s light.Status) float64 { return float64(s.TipTime.Unix()) })
	gauge("quittance_light_compared_peers", "Peers whose filter headers were compared the last time.", nil, func(s light.Status) float64 { return float64(s.Compared) })
	for _, kind := range light.AlarmKinds {
		gauge("quittance_light_alarm", "1 while there is something to look at.", prometheus.Labels{"kind": kind}, func(s light.Status) float64 {
			for _, a := range s.Alarms {
				if a.Kind == kind {
					return 1
				}
			}
			return 0
		})
	}
	return list
}
