package invoice

import (
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/chain"
)

// A payment that waits is scored from 0, which anybody can take back, to 100.
const (
	TopScore     = 100
	DefaultTrust = 70
)

// What a doubt about a payment that waits costs.
const (
	ofReplacement = 100 // whoever sent it may send another one in its place
	ofConflict    = 100
	ofFullRBF     = 40 // it takes a miner's node and a sender who tries
	ofLowFee      = 60 // it may wait for days, and be dropped
	ofSlowFee     = 20
	ofAncestor    = 15 // each transaction that has to be mined before it
	ofFewNodes    = 30 // the others may have one that conflicts
	ofNoAnswer    = 100
)

// slow is the part of the usual fee rate below which a payment is said to be slow.
const slow = 0.5

// Score says how sure it is that a payment that waits will be mined, and what speaks
// against it, in sentences. relay is the fee rate that nodes ask for at least.
func Score(s chain.Standing, relay float64) (score int, doubts []string) {
	score = TopScore
	doubt := func(costs int, format string, args ...any) {
		score = max(0, score-costs)
		doubts = append(doubts, fmt.Sprintf(format, args...))
	}
	if s.Unknown {
		doubt(ofNoAnswer, "no node could be asked yet how it stands")
	}
	if s.Conflict {
		doubt(ofConflict, "another transaction spends the same coins")
	}
	if s.Replaceable {
		doubt(ofReplacement, "its sender can still replace it (BIP 125)")
	} else if s.Unsignalled {
		doubt(ofFullRBF, "nodes let it be replaced although it does not signal that (full RBF)")
	}
	switch {
	case s.FeeRate > 0 && s.FeeRate < relay:
		doubt(ofLowFee, "its fee of %.2f per byte is below what nodes ask for", s.FeeRate)
	case s.FeeRate > 0 && s.UsualRate > 0 && s.FeeRate < slow*s.UsualRate:
		doubt(ofSlowFee, "its fee of %.2f per byte is far below the %.2f that are usual now", s.FeeRate, s.UsualRate)
	}
	if s.Ancestors > 0 {
		doubt(ofAncestor*s.Ancestors, "%d transactions before it wait too", s.Ancestors)
	}
	if s.Nodes > 1 && s.Holds < s.Nodes {
		doubt(ofFewNodes, "%d of %d nodes have it", s.Holds, s.Nodes)
	}
	return score, doubts
}

// judge keeps what is said about a payment that waits. One that was only ever seen in
// blocks is not trusted before somebody has looked at it.
func (c *Credit) judge(s Sighting) (changed bool) {
	if s.Block != nil || c.State != Pending || c.Score == s.Score && slices.Equal(c.Doubts, s.Doubts) {
		return false
	}
	c.Score, c.Doubts = s.Score, s.Doubts
	return true
}
