package doctor

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// says holds findings against the worst state and the words that have to be in them.
// Whatever is wrong comes with something to do.
func says(t *testing.T, list []Finding, worst State, words ...string) {
	t.Helper()
	have, text := Fine, ""
	for _, f := range list {
		text += f.What + " → " + f.Do + "\n"
		if rank[f.State] > rank[have] {
			have = f.State
		}
		if f.State != Fine && f.State != Unknown && f.Do == "" {
			t.Errorf("nothing is said about what to do: %s", f.What)
		}
	}
	if have != worst {
		t.Errorf("the worst is %s, not %s:\n%s", have, worst, text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("not a word about %q:\n%s", w, text)
		}
	}
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), "", t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, st.Close()) })
	return st
}

func change(t *testing.T, st *store.Store, do func(tx *store.Tx) error) {
	t.Helper()
	must(t, st.Update(t.Context(), do))
}

func TestTheDiskIsLookedAt(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	if list := Disk(dir); len(list) != 1 || !strings.Contains(list[0].What, "left on the disk") {
		t.Errorf("%+v", list)
	}
	must(t, os.Chmod(dir, 0o755))
	says(t, Disk(dir)[:1], Worse, "others on this machine", "chmod 700")
	says(t, Disk(filepath.Join(dir, "nowhere")), Broken, "--data")
}

func TestAClockThatIsOffIsNoticed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	for off, want := range map[time.Duration]State{0: Fine, 20 * time.Second: Worse, -2 * time.Hour: Broken} {
		now := func() time.Time { return time.Now().Add(off) }
		list := Clock(t.Context(), s.Client(), []string{"http://127.0.0.1:1", s.URL}, now)
		says(t, list, want, "clock")
	}
	says(t, Clock(t.Context(), s.Client(), []string{"http://127.0.0.1:1"}, time.Now), Unknown, "timedatectl")
}

func TestThePublicURLIsSeenAsFromOutside(t *testing.T) {
	answer := "ok"
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(answer)) }))
	defer s.Close()
	ctx, now := t.Context(), time.Now()
	says(t, PublicURL(ctx, s.Client(), s.URL, false, now), Fine, "leads to a server", "certificate")
	says(t, PublicURL(ctx, s.Client(), s.URL, true, now), Broken, "from outside")
	end := s.Certificate().NotAfter
	says(t, PublicURL(ctx, s.Client(), s.URL, false, end.Add(-24*time.Hour)), Worse, "ends in 1 days", "renewal")
	says(t, PublicURL(ctx, http.DefaultClient, s.URL, false, now), Broken, "signed by nobody that is known")
	answer = "<h1>Welcome to nginx</h1>"
	says(t, PublicURL(ctx, s.Client(), s.URL, false, now), Broken, "reverse proxy")
	says(t, PublicURL(ctx, s.Client(), "http://127.0.0.1:1", false, now), Broken, "cannot be reached")
	says(t, PublicURL(ctx, s.Client(), "", true, now), Broken, "--public-url")
	says(t, PublicURL(ctx, s.Client(), "http://pay.example.invalid", true, now), Broken, "not https")
}

func TestAMailRelayIsGreeted(t *testing.T) {
	for greeting, want := range map[string]State{"220 mail.example.com\r\n": Fine, "SSH-2.0-x\r\n": Broken} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte(greeting))
				_ = c.Close()
			}
		}()
		says(t, Mail(t.Context(), "smtp://user:secret@"+l.Addr().String()), want)
		must(t, l.Close())
	}
	says(t, Mail(t.Context(), ""), Worse, "--smtp")
	says(t, Mail(t.Context(), "smtp://127.0.0.1:1"), Broken, "cannot be reached")
}

type source struct {
	name string
	err  error
}

func (s source) Name() string { return s.name }
func (s source) Fetch(context.Context, *http.Client) ([]rate.Vote, error) {
	return make([]rate.Vote, 1), s.err
}

func TestPricesNeedTwoSources(t *testing.T) {
	dead := source{"dead", context.DeadlineExceeded}
	for want, list := range map[State][]feed.Source{
		Fine:   {source{"a", nil}, source{"b", nil}, source{"c", nil}},
		Worse:  {source{"a", nil}, source{"b", nil}, dead},
		Broken: {source{"a", nil}, dead, dead},
	} {
		says(t, Prices(t.Context(), http.DefaultClient, list), want, "price sources answer")
	}
}

func TestAnEndpointThatTakesNothingIsNamed(t *testing.T) {
	st, now := openStore(t), time.Now()
	says(t, Lanes(t.Context(), st, now), Fine)
	change(t, st, func(tx *store.Tx) error {
		return tx.Enqueue(store.Lane{ID: "l", Kind: "webhook", Endpoint: "https://shop.example.com/ipn", Merchant: "m", RunAt: now},
			store.Delivery{ID: "d", Lane: "l", Event: "e", Resource: "r", State: store.Waiting, RunAt: now, Created: now})
	})
	says(t, Lanes(t.Context(), st, now.Add(time.Minute)), Fine)
	says(t, Lanes(t.Context(), st, now.Add(time.Hour)), Worse, "https://shop.example.com/ipn", "quittance webhook")
}

func TestASeedThatNobodyWroteDownIsNamed(t *testing.T) {
	st, now := openStore(t), time.Now()
	opens := func(*merchant.Wallet) bool { return true }
	says(t, Wallets(t.Context(), st, opens, true, true), Worse, "wallet add")
	change(t, st, func(tx *store.Tx) error {
		if err := tx.AddMerchant(&merchant.Merchant{ID: "m", Name: "Shop", KeyHash: "h", Created: now}); err != nil {
			return err
		}
		return tx.AddWallet(&merchant.Wallet{ID: "w1", Merchant: "m", Asset: "BTC", Network: "main", Kind: "bip84", XPub: "x", SealedSeed: "00", Created: now})
	})
	says(t, Wallets(t.Context(), st, opens, true, true), Worse, "confirm-backup --wallet w1")
	says(t, Wallets(t.Context(), st, opens, true, false), Fine) // play money
	change(t, st, func(tx *store.Tx) error { return tx.ConfirmBackup("w1", now) })
	says(t, Wallets(t.Context(), st, opens, true, true), Fine)
	says(t, Wallets(t.Context(), st, opens, false, true), Worse, "without a limit", "--hot-max-day")
	says(t, Wallets(t.Context(), st, func(*merchant.Wallet) bool { return false }, true, true), Worse, "QUITTANCE_SEED_PASSPHRASE")
}

func TestWhatStopsPaymentsOutIsTold(t *testing.T) {
	st := openStore(t)
	says(t, MoneyOut(t.Context(), st), Fine)
	change(t, st, func(tx *store.Tx) error {
		return tx.LockOutgoing(store.OutgoingLock{Reason: "verify", At: time.Now(), Detail: "LedgerZero: entry 7"})
	})
	says(t, MoneyOut(t.Context(), st), Broken, "LedgerZero: entry 7", "outgoing unlock verify")
}

// A node of the wrong coin, one that is away, one that is fine, and a server that is
// behind it.
func TestTheNodeIsLookedAt(t *testing.T) {
	l := coretest.Start(t)
	st, now := openStore(t), time.Now()
	at := func(code string, urls ...string) []Finding {
		t.Helper()
		c, err := bitcoin.Find(code, "regtest")
		must(t, err)
		conf := node.Config{Chain: c}
		for _, u := range urls {
			conf.Places = append(conf.Places, node.Place{URL: u})
		}
		n, err := node.New(conf)
		must(t, err)
		return Node(t.Context(), n, st, now)
	}
	says(t, at("LTC", l.URL), Worse, "block 106", "no server has followed", "no estimate of fees")
	says(t, at("LTC", l.URL, "http://judge:secret@127.0.0.1:1"), Worse, "127.0.0.1:1 does not answer")
	says(t, at("LTC", "http://judge:secret@127.0.0.1:1"), Broken, "start the node")
	says(t, at("BTC", l.URL), Broken, "correct --node")
	change(t, st, func(tx *store.Tx) error {
		return tx.StartCursor(store.Cursor{Chain: "LTC", Network: "regtest", Genesis: "g", Block: chain.Ref{Hash: "h", Height: 90}, At: now})
	})
	says(t, at("LTC", l.URL), Worse, "16 blocks behind")
}

func TestTheWorstFindingDecides(t *testing.T) {
	seen := 0
	worst := Run(t.Context(), []Check{
		{Part: "a", Look: func(context.Context) []Finding { return []Finding{broken("do", "it is broken")} }},
		{Part: "b", Look: func(context.Context) []Finding { return []Finding{fine("it is fine")} }},
	}, func(f Finding) {
		seen++
		if f.Part == "" {
			t.Error("a finding without its part")
		}
	})
	if worst != Broken || seen != 2 {
		t.Errorf("%s, %d findings", worst, seen)
	}
}
