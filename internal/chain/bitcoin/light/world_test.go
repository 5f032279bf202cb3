package light

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// payee is an address that nobody here has the key of.
const payee = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// journal keeps what was logged at Error.
type journal struct {
	mu    sync.Mutex
	lines []string
	slog.Handler
}

func (j *journal) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	j.lines = append(j.lines, line)
	return nil
}

func (j *journal) count(part string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n
}

func (j *journal) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

// follower is a client and what it logged.
type follower struct {
	*Client
	t   testing.TB
	log *journal
}

func follow(t testing.TB, dir string, peers ...string) *follower {
	t.Helper()
	return followWith(t, Config{Dir: dir, Network: "regtest", Peers: peers})
}

func followWith(t testing.TB, conf Config) *follower {
	t.Helper()
	j := &journal{Handler: slog.DiscardHandler}
	conf.Log = slog.New(j)
	if os.Getenv("QUITTANCE_TEST_LOG") != "" {
		conf.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	c, err := Open(conf)
	must(t, err)
	f := &follower{c, t, j}
	t.Cleanup(func() { _ = c.Close() })
	return f
}

// reaches waits until the tip is a block.
func (f *follower) reaches(hash string) chain.Ref {
	f.t.Helper()
	for begun := time.Now(); ; {
		tip, err := f.Tip(f.t.Context())
		if err == nil && tip.Hash == hash {
			return tip
		}
		if time.Since(begun) > 90*time.Second {
			f.t.Fatalf("the tip is %v (%v), not %s; %+v\n%s", tip, err, hash, f.Status(), f.log.all())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func best(t testing.TB, n *btcdtest.Node) string {
	t.Helper()
	hash, err := n.GetBestBlockHash()
	must(t, err)
	return hash.String()
}

func scriptOf(t testing.TB, address string) []byte {
	t.Helper()
	script, err := bitcoin.AddressScript(address, bitcoin.Regtest)
	must(t, err)
	return script
}

func destinations(scripts ...[]byte) (d chain.Destinations) {
	for _, s := range scripts {
		d = append(d, chain.Run{Width: len(s), Bytes: s})
	}
	return d
}

// paying reads the chain as a watcher does, and returns the ids of the transactions
// that pay a script.
func (f *follower) paying(from, to int64, script []byte) (ids []string, read int) {
	f.t.Helper()
	blocks, err := f.Headers(f.t.Context(), from, to)
	must(f.t, err)
	if int64(len(blocks)) != to-from+1 {
		f.t.Fatalf("%d headers from %d to %d", len(blocks), from, to)
	}
	hits, err := f.Skim(f.t.Context(), blocks, destinations(script))
	must(f.t, err)
	for i, hit := range hits {
		if !hit {
			continue
		}
		read++
		b, err := f.Block(f.t.Context(), blocks[i].Hash)
		must(f.t, err)
		if b.Ref != blocks[i].Ref || b.Prev != blocks[i].Prev {
			f.t.Fatalf("read %v where %v was asked for", b.Ref, blocks[i].Ref)
		}
		for _, tx := range b.Txs {
			for _, p := range tx.Payments {
				if bytes.Equal(p.To, script) {
					ids = append(ids, tx.ID)
				}
			}
		}
	}
	return ids, read
}

// copyOf copies a folder of headers.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}
