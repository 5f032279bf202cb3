package sandbox

import (
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
)

// regtest is btcd's regtest with the soft forks active from block 1, as in
// Bitcoin Core's regtest, instead of after 432 blocks of voting.
func regtest() *chaincfg.Params {
	params := chaincfg.RegressionNetParams
	for _, id := range []int{chaincfg.DeploymentCSV, chaincfg.DeploymentSegwit, chaincfg.DeploymentTaproot} {
		params.Deployments[id].AlwaysActiveHeight = 1
	}
	return &params
}

// clock is the chain's idea of the present: never before the newest block it
// has been shown, so that blocks made under a clock that ran ahead, in an
// earlier run or in a test, are not refused as coming from the future.
type clock struct {
	now func() time.Time

	mu    sync.Mutex
	floor time.Time
}

// AdjustedTime implements blockchain.MedianTimeSource.
func (c *clock) AdjustedTime() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Unix(c.now().Unix(), 0)
	if now.Before(c.floor) {
		return c.floor
	}
	return now
}

// AddTimeSample implements blockchain.MedianTimeSource; there are no peers.
func (c *clock) AddTimeSample(string, time.Time) {}

// Offset implements blockchain.MedianTimeSource.
func (c *clock) Offset() time.Duration { return 0 }

func (c *clock) raise(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.floor) {
		c.floor = t
	}
}
