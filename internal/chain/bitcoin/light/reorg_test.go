package light

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/rpcclient"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

func raw(t testing.TB, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, tx.Serialize(&b))
	return b.Bytes()
}

// twins are two nodes with one chain that can be kept apart and joined.
type twins struct {
	t    testing.TB
	a, b *btcdtest.Node
}

func startTwins(t testing.TB) *twins {
	t.Helper()
	w := &twins{t, btcdtest.Start(t), btcdtest.StartEmpty(t)}
	w.join()
	return w
}

// join connects them until both have the chain with more work.
func (w *twins) join() {
	w.t.Helper()
	must(w.t, w.a.AddNode(w.b.Peer, rpcclient.ANAdd))
	for begun := time.Now(); best(w.t, w.a) != best(w.t, w.b); {
		if time.Since(begun) > 90*time.Second {
			w.t.Fatal("the nodes do not agree")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *twins) part() {
	w.t.Helper()
	must(w.t, w.a.AddNode(w.b.Peer, rpcclient.ANRemove))
	for begun := time.Now(); ; {
		n, err := w.a.GetConnectionCount()
		must(w.t, err)
		m, err := w.b.GetConnectionCount()
		must(w.t, err)
		if n <= 1 && m == 0 {
			return
		}
		if time.Since(begun) > 30*time.Second {
			w.t.Fatalf("the nodes stay connected: %d %d", n, m)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func depths() []int {
	if os.Getenv(campaign) != "" {
		return []int{1, 2, 3, 6, 10, 50, 100}
	}
	return []int{1, 6, 100}
}

// Two nodes mine apart and are joined: what was paid in the blocks that lost is gone,
// what was paid in those that won is there, at any depth, with the client running.
func TestItFollowsReorganisationsOfAnyDepth(t *testing.T) {
	t.Parallel()
	w := startTwins(t)
	script := scriptOf(t, payee)
	f := follow(t, t.TempDir(), w.a.Peer)
	f.reaches(best(t, w.a))
	for _, depth := range depths() {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			base, err := w.a.GetBlockCount()
			must(t, err)
			w.part()
			lost := w.a.Pay(payee, 40_000+int64(depth))
			w.a.Mine(uint32(depth))
			f.reaches(best(t, w.a))
			if ids, _ := f.paying(base+1, base+int64(depth), script); !slices.Equal(ids, []string{lost}) {
				t.Fatalf("before the reorganisation: %v", ids)
			}
			w.b.Mine(uint32(depth) + 1)
			w.join()
			tip := f.reaches(best(t, w.b))
			if tip.Height != base+int64(depth)+1 {
				t.Fatalf("the tip is at %d", tip.Height)
			}
			if ids, _ := f.paying(base+1, tip.Height, script); len(ids) != 0 {
				t.Errorf("after it: %v", ids)
			}
			// It comes back: what was in blocks waits in a again.
			w.a.Mine(1)
			tip = f.reaches(best(t, w.a))
			if ids, _ := f.paying(base+1, tip.Height, script); !slices.Equal(ids, []string{lost}) {
				t.Errorf("mined again: %v", ids)
			}
		})
	}
	if n := f.Status().Restarted; n > 0 {
		t.Errorf("the library had to be opened anew %d times\n%s", n, f.log.all())
	}
}
