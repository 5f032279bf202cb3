package invoice

import (
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/chain"
)

func TestAScoreGivesItsReasons(t *testing.T) {
	for _, c := range []struct {
		name     string
		standing chain.Standing
		score    int
		reasons  []string
	}{
		{"nothing speaks against it", chain.Standing{FeeRate: 10, UsualRate: 10, Nodes: 2, Holds: 2}, 100, nil},
		{"nothing is known", chain.Standing{}, 100, nil},
		{"it can be replaced", chain.Standing{Replaceable: true, FeeRate: 10}, 0, []string{"replace"}},
		{"nodes replace what does not signal it", chain.Standing{Unsignalled: true}, 60, []string{"full RBF"}},
		{"a double spend was seen", chain.Standing{Conflict: true}, 0, []string{"same coins"}},
		{"its fee is below the floor", chain.Standing{FeeRate: 0.5}, 40, []string{"below what nodes ask for"}},
		{"its fee is far below the usual", chain.Standing{FeeRate: 4, UsualRate: 10}, 80, []string{"usual"}},
		{"two before it wait", chain.Standing{Ancestors: 2}, 70, []string{"2 transactions before it"}},
		{"many before it wait", chain.Standing{Ancestors: 30}, 0, []string{"30 transactions"}},
		{"one of three nodes has it", chain.Standing{Nodes: 3, Holds: 1}, 70, []string{"1 of 3 nodes"}},
		{"several doubts", chain.Standing{FeeRate: 4, UsualRate: 10, Ancestors: 1, Nodes: 2, Holds: 1}, 35, []string{"usual", "before it", "nodes"}},
	} {
		score, doubts := Score(c.standing, 1)
		if score != c.score || len(doubts) != len(c.reasons) {
			t.Errorf("%s: %d, %q", c.name, score, doubts)
			continue
		}
		for i, want := range c.reasons {
			if !strings.Contains(doubts[i], want) {
				t.Errorf("%s: %q does not say %q", c.name, doubts[i], want)
			}
		}
	}
}
