package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/internal/store"
)

const (
	shoppers   = 4
	shortKills = 16
	settleTime = 5 * time.Minute // bounds the wait for the last webhook
)

// crash is one campaign of kills on one database.
type crash struct {
	t     *testing.T
	s     *server
	api   *client.Client
	chain *control.Client
	shop  *shop
	book  *book
	seed  uint64

	stopped time.Time
}

// kill -9 at random moments under load and restart: no acknowledged invoice,
// payment or event is lost or doubled (AckDurable, OutboxAtomic, CreditOnce,
// AddressOnce). QUITTANCE_CRASH_SEED repeats the choices of a run,
// QUITTANCE_CRASH_KILLS says how many kills it takes.
func TestKilledUnderLoadNothingIsLostOrDoubled(t *testing.T) {
	seed := number(t, "QUITTANCE_CRASH_SEED", rand.Uint64())
	kills := int(number(t, "QUITTANCE_CRASH_KILLS", shortKills))
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			t.Logf("seed %d, %d kills", seed, kills)
			c := newCrash(t, database(t), seed)
			c.run(kills)
			c.settle()
			c.audit()
		})
	}
}

func number(t *testing.T, env string, otherwise uint64) uint64 {
	text := os.Getenv(env)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q is not a number", env, text)
	}
	return n
}

func newCrash(t *testing.T, database string, seed uint64) *crash {
	bin, err := build()
	must(t, err)
	s := &server{t: t, bin: bin, data: t.TempDir(), database: database, extra: []string{"--control", fixedAddress(t)}}
	s.start(fixedAddress(t))
	t.Cleanup(s.stop)
	c := &crash{t: t, s: s, api: pair(t, s), chain: &control.Client{URL: s.control}, book: newBook(), seed: seed}
	var secret struct{ Secret string }
	s.operator(&secret, "webhook", "secret")
	token, _ := c.api.Token(client.Merchant)
	c.shop = newShop(t, seed, secret.Secret, token)
	return c
}

// fixedAddress is a loopback address that is free now. Its port lies below
// those that the system gives out by itself: while the server is down nobody
// else, not even a client that calls it, may come to sit there.
func fixedAddress(t *testing.T) string {
	t.Helper()
	for range 200 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12_000+rand.IntN(18_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			must(t, l.Close())
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// run puts load on the server and kills it.
func (c *crash) run(kills int) {
	ctx, stop := context.WithCancel(c.t.Context())
	var work sync.WaitGroup
	for n := range shoppers {
		s := &shopper{crash: c, rng: rand.New(rand.NewPCG(c.seed, uint64(n+1)))}
		work.Go(func() { s.run(ctx) })
	}
	rng := rand.New(rand.NewPCG(c.seed, 0))
	listen := strings.TrimPrefix(c.s.url, "http://")
	for range kills {
		// Any moment: also while it starts, reads the chain again or delivers.
		moment(ctx, time.Duration(rng.IntN(900))*time.Millisecond)
		c.s.kill()
		c.complain()
		c.s.start(listen)
	}
	moment(ctx, 300*time.Millisecond)
	stop()
	work.Wait()
	c.t.Logf("%s", c.book)
}

// complain fails the test when the server that was killed had reported a fault.
func (c *crash) complain() {
	for line := range strings.Lines(c.s.log.String()) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "panic") || strings.Contains(line, "DATA RACE") {
			c.t.Errorf("the server reported: %s", line)
		}
	}
}

func moment(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// database opens the server's database beside it, or after it.
func (c *crash) database() *store.Store {
	st, err := store.Open(context.Background(), c.s.database, c.s.data)
	must(c.t, err)
	return st
}

// settle buries all payments, makes the shop answer properly and returns when
// nothing is left to do: every window closed, every webhook delivered.
func (c *crash) settle() {
	ctx, cancel := context.WithTimeout(c.t.Context(), settleTime)
	defer cancel()
	c.shop.heal()
	st := c.database()
	defer st.Close()
	for try := 0; ; try++ {
		// A reorganisation may have put payments back; the last ones are mined too.
		pool, err := c.chain.Status(ctx)
		must(c.t, err)
		if pool.Mempool > 0 || try == 0 {
			_, err = c.chain.Do(ctx, "mine", control.Mine{Blocks: 6})
			must(c.t, err)
		}
		left := c.hurry(ctx, st, try%10 == 0)
		if pool.Mempool == 0 && len(left) == 0 {
			break
		}
		if moment(ctx, 100*time.Millisecond); ctx.Err() != nil {
			c.t.Fatalf("it does not come to rest; left are %d: %s", len(left), strings.Join(left[:min(len(left), 5)], "\n"))
		}
	}
	c.compare(ctx)
	c.s.stop()
	c.stopped = time.Now()
	c.complain()
	c.shop.Close()
	for _, f := range append(c.book.faults, c.shop.faults...) {
		c.t.Error(f)
	}
}
