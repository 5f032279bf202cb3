package e2e

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// desk is where a merchant's money is looked after: a client with both tokens, the
// chain, and the server that webhooks go to.
type desk struct {
	s     *server
	c     *client.Client
	chain miner
	ear   *ear
}

// miner adds blocks to the chain that the server follows.
type miner interface {
	mine(t *testing.T, blocks int)
}

// sandboxMiner has the server's own chain grow.
type sandboxMiner struct{ control.Client }

func (m *sandboxMiner) mine(t *testing.T, blocks int) {
	t.Helper()
	_, err := m.Do(t.Context(), "mine", control.Mine{Blocks: blocks})
	must(t, err)
}

// newDesk takes a client with a merchant's token and pairs it for payouts too.
func newDesk(t *testing.T, s *server, c *client.Client) *desk {
	t.Helper()
	token, err := c.RequestToken(t.Context(), client.Payout, "payroll")
	must(t, err)
	s.operator(nil, "pair", "approve", token.PairingCode)
	s.operator(nil, "merchant", "set", "--payout-runs", "now")
	return &desk{s: s, c: c, chain: &sandboxMiner{control.Client{URL: s.control}}, ear: newEar(t, s, c)}
}

// until polls: what it waits for is done by the server's own loops.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (d *desk) mine(t *testing.T, blocks int) {
	t.Helper()
	d.chain.mine(t, blocks)
}

// sell completes an invoice whose buyer can be reached.
func (d *desk) sell(t *testing.T, price wire.Number) *wire.Invoice {
	t.Helper()
	inv, err := d.c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{
		Price: price, Currency: "USD", OrderID: "order of " + string(price), BuyerEmail: "buyer@example.com", NotificationURL: d.ear.url, ExtendedNotifications: true,
	})
	must(t, err)
	inv, err = d.c.PayInvoice(t.Context(), inv.ID, "complete")
	must(t, err)
	return inv
}

// balance is that of the dollar ledger, in cents.
func (d *desk) balance(t *testing.T) int64 {
	t.Helper()
	list, err := d.c.Ledgers(t.Context())
	must(t, err)
	for _, b := range list {
		if b.Currency == "USD" {
			return cents(t, b.Balance)
		}
	}
	t.Fatalf("there is no dollar ledger in %+v", list)
	return 0
}

// lines are those of the dollar ledger that fit.
func (d *desk) lines(t *testing.T, fits func(wire.LedgerEntry) bool) (out []wire.LedgerEntry) {
	t.Helper()
	now := time.Now()
	list, err := d.c.LedgerEntries(t.Context(), "USD", client.LedgerFilter{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1)})
	must(t, err)
	for _, l := range list {
		if fits(l) {
			out = append(out, l)
		}
	}
	return out
}

// cents reads an amount of dollars, exactly.
func cents(t *testing.T, n wire.Number) int64 {
	t.Helper()
	usd, _ := money.Lookup("USD")
	sign := int64(1)
	if len(n) > 0 && n[0] == '-' {
		sign, n = -1, n[1:]
	}
	u, err := money.ParseDecimal(usd, string(n))
	must(t, err)
	c, ok := u.Uint64()
	if !ok {
		t.Fatalf("%s dollars", n)
	}
	return sign * int64(c)
}

// whole reads the scaled amount of a ledger's line.
func whole(t *testing.T, n wire.Number) int64 {
	t.Helper()
	v, err := strconv.ParseInt(string(n), 10, 64)
	must(t, err)
	return v
}

// mail waits for a part of a mail in the sandbox's mailbox, the newest first.
func (d *desk) mail(t *testing.T, pattern string) []string {
	t.Helper()
	var found []string
	until(t, "a mail with "+pattern, func() bool {
		found = regexp.MustCompile(pattern).FindStringSubmatch(d.s.mails(t))
		return found != nil
	})
	return found
}

// mails are the letters that the server has written: the sandbox shows them, a
// server without a relay keeps them.
func (s *server) mails(t *testing.T) (all string) {
	t.Helper()
	if s.node == "" && s.peer == "" {
		resp, err := http.Get(s.url + "/sandbox/mails")
		must(t, err)
		return text(t, resp)
	}
	st, err := store.Open(t.Context(), s.database, s.data)
	must(t, err)
	defer st.Close()
	must(t, st.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Mails(1000)
		all = ""
		for _, m := range list {
			all += m.Text + "\n"
		}
		return err
	}))
	return all
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return html.UnescapeString(string(b))
}

// verify has the operator prove the books of the running server, its chain
// included.
func (s *server) verify(t *testing.T) {
	t.Helper()
	out, err := exec.Command(s.bin, append(append([]string{"verify", "--json"}, s.place()...), s.followed()...)...).Output()
	if err != nil {
		t.Fatalf("verify: %v\n%s%s", err, out, errorOutput(err))
	}
	checked := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var f struct {
			Name, Breach, Skipped string
			Checked               int64
		}
		must(t, dec.Decode(&f))
		if f.Breach != "" || f.Skipped != "" {
			t.Errorf("%s: breach %q, not looked at %q", f.Name, f.Breach, f.Skipped)
		}
		if f.Checked > 0 {
			checked++
		}
	}
	if checked < 5 {
		t.Errorf("only %d invariants had anything to look at:\n%s", checked, out)
	}
}
