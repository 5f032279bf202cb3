package watch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/internal/invoice"
)

// How large a chain has to be before Litecoin Core throws anything of it away: its first
// file is full, and the chain has more than 1,000 blocks, of which 288 are kept.
const (
	fileBlocks = 145
	fileBlock  = 950_000 // bytes
	longChain  = 480
)

// The server is away for longer than its node keeps blocks. The node that has thrown
// away what comes next is found out, in a sentence and with nothing applied; beside one
// that keeps its blocks it serves.
func prunedItself(t *testing.T) {
	var both [2]*mirror
	p := litecoins
	p.node = func(s *stage) node {
		for i, args := range [][]string{{"-prune=1", "-txindex=0"}, nil} {
			both[i] = newMirror(s, viaCore{s, coretest.Empty(s.t, append(args, "-persistmempool=0", "-connect=0")...)})
		}
		return both[0]
	}
	s := newStage(t, p, "", history{lasts: 3 * time.Hour}, seedOf(t, 1))
	inv := s.sell(invoice.Medium)
	s.pay(100, inv)
	s.sync()
	s.off()
	show := func() {
		for _, m := range both {
			m.show(s.line.chain)
		}
	}
	s.mine(3)
	show()
	for _, m := range both {
		m.pad = fileBlock
	}
	s.mine(fileBlocks)
	show()
	for _, m := range both {
		m.pad = 0
	}
	s.mine(longChain)
	show()
	first := both[0].daemon.(viaCore).n
	var upTo int64
	first.Call(&upTo, "pruneblockchain", 700)
	s.open()
	before := s.cursor()
	if upTo <= before.Height {
		t.Fatalf("the node threw away blocks up to %d, and the server stands at %d", upTo, before.Height)
	}
	if err := s.watch.Sync(s.ctx); err == nil || !strings.Contains(err.Error(), "it is pruned") || errors.Is(err, errShifted) {
		t.Errorf("the server reads on: %v", err)
	}
	if at := s.cursor(); at != before {
		t.Errorf("the cursor went from %v to %v", before, at)
	}
	s.ends(inv, invoice.Paid, 100)
	both[0].n = readBy(t, s.coin, first.URL, both[1].url())
	s.sync()
	s.ends(inv, invoice.Complete, 100)
	s.judge()
}
