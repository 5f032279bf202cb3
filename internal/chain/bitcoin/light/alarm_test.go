package light

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// No block comes for long: one alarm is raised and logged once, and ends by itself.
// Too few peers are another.
func TestAlarmsAreRaisedOnceAndEndByThemselves(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	var ahead atomic.Int64
	f := followWith(t, Config{
		Dir: t.TempDir(), Network: "regtest", Peers: []string{b.Peer}, WantedPeers: 1, StaleAfter: 90 * time.Minute,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	f.reaches(best(t, b))
	alarmed := func(kind string, want bool) {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			got := slices.ContainsFunc(f.Status().Alarms, func(a Alarm) bool { return a.Kind == kind && strings.Contains(a.Text, " ") && !a.Since.IsZero() })
			if got == want {
				return
			}
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("%s: alarms are %v\n%s", kind, f.Status().Alarms, f.log.all())
			}
		}
	}
	alarmed(alarmStale, false)
	ahead.Store(int64(4 * time.Hour))
	alarmed(alarmStale, true)
	time.Sleep(3 * lookEvery) // it stays, and is not said again
	if n := f.log.count("ERROR ALARM: no new block"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, f.log.all())
	}
	ahead.Store(0)
	alarmed(alarmStale, false)

	alone := followWith(t, Config{
		Dir: t.TempDir(), Network: "regtest", Peers: []string{b.Peer}, WantedPeers: 2,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	f = alone
	// Filter headers are compared between those who are there, after a while.
	f.reaches(best(t, b))
	alarmed(alarmPeers, false)
	ahead.Store(int64(30 * time.Second))
	time.Sleep(2 * lookEvery)
	ahead.Store(int64(3 * time.Minute))
	alarmed(alarmPeers, true)
}

func TestProgressIsASentence(t *testing.T) {
	for want, s := range map[string]Status{
		"headers 512,000 of 870,000 (58 %), 7 peers":                 {Headers: 512_000, Best: 870_000, Peers: 7},
		"filter headers 90,000 of 870,000 (10 %), 1 peer":            {Headers: 870_000, Filters: 90_000, Best: 870_000, Peers: 1},
		"height 999, 8 peers":                                        {Headers: 999, Filters: 999, Best: 999, Peers: 8, Synced: true},
		"no peer is connected":                                       {Headers: 5},
		"the newest block known is of 2026-01-02 03:04 UTC, 2 peers": {Headers: 5, Filters: 5, Best: 5, Peers: 2, TipTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	} {
		if got := s.Progress(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
