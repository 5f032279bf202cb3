package watch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
)

// The campaign ledger: payments, double spends, restarts and reorganisations 1 to
// 100 blocks deep in random order; after each reading of the chain every
// invariant holds, the books among them, and in the end the wallet holds what the
// chain gave it. QUITTANCE_HISTORIES sets how many.
func TestLedgerCampaign(t *testing.T) {
	histories := 3
	if n, err := strconv.Atoi(os.Getenv("QUITTANCE_HISTORIES")); err == nil {
		histories = n
	}
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("history %d", seed), func(t *testing.T) {
			w := newWorld(t)
			tip, err := w.chain.Tip(w.ctx)
			w.check(err)
			g := &gambler{world: w, dice: rand.New(rand.NewPCG(seed, 77)), base: tip.Height}
			g.mine(3)
			for range 60 {
				g.step()
				if g.dice.IntN(9) == 0 {
					g.deep()
				}
				g.sync()
				g.verified()
			}
			g.mine(6)
			g.sync()
			g.verified()
			g.solvent()
		})
	}
}

// deep reorganises as far down as there is anything of this test, at most 100.
func (g *gambler) deep() {
	g.t.Helper()
	tip, err := g.chain.Tip(g.ctx)
	g.check(err)
	most := min(int(tip.Height-g.base), 100)
	if most < 6 {
		g.mine(6 + g.dice.IntN(40))
		return
	}
	g.reorg(6+g.dice.IntN(most-5), sandbox.ReorgOptions{Unmined: g.dice.IntN(2) == 0})
}
