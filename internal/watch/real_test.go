package watch

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	lightclient "github.com/quittance/quittance/internal/chain/bitcoin/light"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
)

func litecoin() *bitcoin.Chain {
	c, err := bitcoin.Find("LTC", "regtest")
	if err != nil {
		panic(err) // the table has it
	}
	return c
}

// bitcoins are Bitcoin through btcd, litecoins Litecoin through Litecoin Core, and
// filtered is Bitcoin through the light client with btcd as its peer.
var (
	bitcoins = platform{
		name: "btcd", coin: bitcoin.Regtest, real: true, says: "it is a node of another coin",
		node:  func(s *stage) node { return newMirror(s, viaBtcd{s, btcdtest.StartEmpty(s.t)}) },
		wrong: func(s *stage) chain.Source { return readBy(s.t, s.coin, coretest.Empty(s.t).URL) },
	}
	litecoins = platform{
		name: "litecoind", coin: litecoin(), real: true, says: "it is a node of another coin",
		node: func(s *stage) node {
			return newMirror(s, viaCore{s, coretest.Empty(s.t, "-mempoolreplacement=1", "-persistmempool=0", "-connect=0")})
		},
		wrong: func(s *stage) chain.Source { return readBy(s.t, s.coin, btcdtest.StartEmpty(s.t).URL) },
	}
	filtered = platform{
		name: "light client", coin: bitcoin.Regtest, real: true, blind: true, wrong: foreignChain, says: "check the network setting",
		node: newFilters,
	}
)

// filters are the light client of a btcd.
type filters struct {
	*mirror
	c *lightclient.Client
}

func newFilters(s *stage) node {
	s.t.Helper()
	peer := btcdtest.StartEmpty(s.t)
	c, err := lightclient.Open(lightclient.Config{Dir: s.t.TempDir(), Network: "regtest", Peers: []string{peer.Peer}})
	s.check(err)
	s.t.Cleanup(func() { s.check(c.Close()) })
	return &filters{newMirror(s, viaBtcd{s, peer}), c}
}

func (f *filters) source() chain.Source { return f.c }
func (f *filters) sender() chain.Sender { return f.c }

// show waits until the client has heard of the newest block.
func (f *filters) show(c *sandbox.Chain) {
	f.t.Helper()
	f.mirror.show(c)
	for begun := time.Now(); f.tip(); time.Sleep(20 * time.Millisecond) {
		tip, err := f.c.Tip(f.ctx)
		if err == nil && tip.Hash == f.best() {
			return
		}
		if time.Since(begun) > patience {
			f.t.Fatalf("the client is at %v (%v), its peer at %s", tip, err, f.best())
		}
	}
}

// campaign has every history played on every node.
const campaign = "QUITTANCE_CAMPAIGN"

// few are the histories that are always played on nodes that are none of ours.
var few = []string{"reorganised 6 deep", "sent again"}

// The same histories on nodes that are none of ours: Bitcoin through btcd, Litecoin
// through Litecoin Core, and Bitcoin through the light client. QUITTANCE_CAMPAIGN plays
// all of them with a seed that is printed; QUITTANCE_SEED plays them by that.
func TestHistoriesEndRightOnRealNodes(t *testing.T) {
	seed := seedOf(t, 1)
	if os.Getenv(campaign) != "" {
		seed = seedOf(t, uint64(time.Now().Unix()%(1<<16)))
		t.Logf("QUITTANCE_SEED=%d", seed)
		t.Run(litecoins.name+"/node that has pruned what is needed", prunedItself)
	}
	for _, p := range []platform{bitcoins, litecoins, filtered} {
		for _, h := range histories() {
			if os.Getenv(campaign) == "" && !isOneOf(few, h.name) || h.pool && p.blind {
				continue
			}
			t.Run(p.name+"/"+h.name, func(t *testing.T) { t.Parallel(); play(t, p, "", h, seed) })
		}
	}
}

func isOneOf(parts []string, name string) bool {
	for _, part := range parts {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
