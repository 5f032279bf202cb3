package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

const (
	signerPassphrase   = "QUITTANCE_SEED_PASSPHRASE=seeds of the signer"
	approverPassphrase = "QUITTANCE_APPROVER_PASSPHRASE=key of an approver"
)

// signerProcess is a running quittance signer.
type signerProcess struct {
	t    *testing.T
	bin  string
	dir  string
	xpub string
	cmd  *exec.Cmd
	log  *bytes.Buffer
}

// newSigner makes a wallet, two approvers and a policy. Amounts are satoshi.
func newSigner(t *testing.T, bounds string) *signerProcess {
	t.Helper()
	bin, err := build()
	must(t, err)
	// A socket's path is short; the test's own folder may not be.
	dir, err := os.MkdirTemp("", "signer-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := &signerProcess{t: t, bin: bin, dir: dir}
	var made struct{ XPub, Signer string }
	must(t, json.Unmarshal([]byte(g.ok("init", "shop", "--network", "regtest", "--json")), &made))
	if made.XPub == "" || made.Signer != "unix://"+g.socket() {
		t.Fatalf("init printed %+v", made)
	}
	g.xpub = made.XPub
	if said := g.fails(); !strings.Contains(said, "without bounds nothing is signed") {
		t.Errorf("without a policy it says %s", said)
	}
	policy := "[approvers]\n"
	for _, name := range []string{"ann", "bob"} {
		policy += regexp.MustCompile(`(?m)^`+name+` = .*$`).FindString(g.ok("approver", name, "--key", g.key(name))) + "\n"
	}
	g.ok("approver", "eve", "--key", g.key("eve")) // whom the policy does not name
	must(t, os.WriteFile(filepath.Join(dir, "policy.toml"), []byte(policy+"[wallet.shop]\n"+bounds), 0o600))
	t.Cleanup(g.kill)
	return g
}

func (g *signerProcess) socket() string         { return filepath.Join(g.dir, "signer.sock") }
func (g *signerProcess) key(name string) string { return filepath.Join(g.dir, name+".key") }

func (g *signerProcess) command(args ...string) *exec.Cmd {
	cmd := exec.Command(g.bin, append([]string{"signer"}, args...)...)
	cmd.Env = append(os.Environ(), "QUITTANCE_SIGNER_DIR="+g.dir, signerPassphrase, approverPassphrase)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// ok runs a command of the operator's.
func (g *signerProcess) ok(args ...string) string {
	g.t.Helper()
	out, err := g.command(args...).Output()
	if err != nil {
		g.t.Fatalf("signer %v: %v\n%s", args, err, errorOutput(err))
	}
	return string(out)
}

// fails runs one that must not succeed and returns what it said.
func (g *signerProcess) fails(args ...string) string {
	g.t.Helper()
	out, err := g.command(args...).CombinedOutput()
	if err == nil {
		g.t.Fatalf("signer %v succeeded:\n%s", args, out)
	}
	return string(out)
}

func (g *signerProcess) start() {
	g.t.Helper()
	g.cmd = g.command()
	g.log = &bytes.Buffer{}
	g.cmd.Stderr = g.log
	out, err := g.cmd.StdoutPipe()
	must(g.t, err)
	must(g.t, g.cmd.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "signs for 1 wallets on "+g.socket()) {
		_ = g.cmd.Wait()
		g.t.Fatalf("the signer did not start: %q, %v\n%s", line, err, g.log)
	}
}

// kill ends it as a power cut would.
func (g *signerProcess) kill() {
	if g.cmd != nil && g.cmd.ProcessState == nil {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
	}
}

type signerSees struct {
	Today   uint64
	Waiting []struct {
		Digest, Why string
		Approved    []string
	}
}

func (g *signerProcess) list() signerSees {
	g.t.Helper()
	var list []signerSees
	must(g.t, json.Unmarshal([]byte(g.ok("list", "--json")), &list))
	return list[0]
}

// payer is a merchant whose wallet the signer has the keys of.
type payer struct {
	*server
	key       *client.Key
	token     string
	recipient string
	pays      string // the recipient's address
}

// newPayer makes one with 200 USD in the ledger and the coins for it.
func newPayer(t *testing.T, s *server, g *signerProcess) *payer {
	t.Helper()
	var m struct{ ID string }
	s.operator(&m, "merchant", "create", "Signed shop")
	s.operator(nil, "merchant", "set", "--merchant", m.ID, "--payout-runs", "now")
	s.operator(nil, "wallet", "add", "--merchant", m.ID, "--xpub", g.xpub, "--signer", "unix://"+g.socket())
	var wallets []struct{ Custody, Signer string }
	s.operator(&wallets, "wallet", "list", "--merchant", m.ID)
	if len(wallets) != 1 || wallets[0].Custody != "signer" || wallets[0].Signer != "unix://"+g.socket() {
		t.Errorf("the list shows %+v", wallets)
	}
	key, err := client.NewKey(rand.Reader)
	must(t, err)
	p := &payer{server: s, key: key}
	c := client.New(s.url, key)
	for _, facade := range []string{client.Merchant, client.Payout} {
		token, err := c.RequestToken(t.Context(), facade, "shop")
		must(t, err)
		s.operator(nil, "pair", "approve", token.PairingCode, "--merchant", m.ID)
		p.token = token.Token
	}
	inv, err := c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "200", Currency: "USD"})
	must(t, err)
	_, err = c.PayInvoice(t.Context(), inv.ID, "complete")
	must(t, err)
	list, err := c.SubmitRecipients(t.Context(), "one", wire.NewRecipient{Email: "ada@example.com", Label: "Ada"})
	must(t, err)
	v, seen := newVisitor(t, s), map[string]bool{}
	link := v.link(seen)
	v.step(link, "confirm", nil)
	v.part(v.prove(link), `data-step="(done)"`)
	p.recipient, p.pays = list[0].ID, v.address()
	return p
}

// pay asks for a payout and returns its id.
func (p *payer) pay(usd int) string {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"token": p.token, "recipientId": p.recipient, "amount": usd, "currency": "USD", "ledgerCurrency": "USD", "reference": fmt.Sprint("pay ", usd)})
	must(p.t, err)
	target := p.url + "/payouts"
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, target, bytes.NewReader(body))
	must(p.t, err)
	for k, v := range map[string]string{"Content-Type": "application/json", "X-Accept-Version": "2.0.0", "X-Identity": p.key.Identity(), "X-Signature": p.key.Sign(target, body)} {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	must(p.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(p.t, err)
	var answer struct{ Data struct{ ID string } }
	if err := json.Unmarshal(b, &answer); err != nil || answer.Data.ID == "" {
		p.t.Fatalf("a payout of %d USD: %s", usd, b)
	}
	return answer.Data.ID
}

// becomes waits until the operator sees a payout in a state, and why.
func (p *payer) becomes(id, status, why string) {
	p.t.Helper()
	var rows []struct{ ID, Status, Why, Message string }
	for end := time.Now().Add(50 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		p.operator(&rows, "payout", "list")
		for _, r := range rows {
			if r.ID == id && r.Status == status && strings.Contains(r.Why, why) {
				return
			}
		}
	}
	p.t.Fatalf("payout %s did not become %s (%s): %+v\n%s", id, status, why, rows, p.log)
}

// The keys are in a process of their own: what the server asks for leaves within
// the policy of that process, and nothing else does.
func TestASignerOfItsOwn(t *testing.T) {
	// At 50,000 USD a coin, a dollar is 2,000 satoshi.
	g := newSigner(t, "max_payment = 120_000\nmax_day = 300_000\nmax_fee = 20_000\napprove_above = 50_000\n")
	g.start()
	if said := g.fails(); !strings.Contains(said, "another signer works on") {
		t.Errorf("a second signer on one folder says %s", said)
	}
	s := newServer(t, "")
	p := newPayer(t, s, g)

	p.becomes(p.pay(5), "processing", "")
	if today := g.list().Today; today < 10_000 {
		t.Errorf("the signer signed for %d satoshi", today)
	}

	// Above the cap: never, whoever asks.
	p.becomes(p.pay(61), "failed", "above the wallet's limit of 120000 for one payment")

	// The signer is killed: the payment waits, and goes on when it is back. It has
	// not forgotten what left before.
	before := g.list().Today
	g.kill()
	id := p.pay(10)
	p.becomes(id, "funded", "no signer answers at "+g.socket())
	g.start()
	if today := g.list().Today; today != before {
		t.Errorf("after a restart %d satoshi left today, before it %d", today, before)
	}
	p.becomes(id, "processing", "")

	p.twoApprove(g)
}

// twoApprove pays something that two people have to approve.
func (p *payer) twoApprove(g *signerProcess) {
	t := p.t
	id := p.pay(30)
	p.becomes(id, "funded", "two people have to approve: run `quittance signer approve")
	sees := g.list()
	if len(sees.Waiting) != 1 {
		t.Fatalf("%+v", sees)
	}
	digest := sees.Waiting[0].Digest[:16]
	approve := func(as, key string) []string {
		return []string{"approve", digest, "--as", as, "--key", g.key(key), "--yes"}
	}
	for range 2 {
		if said := g.ok(approve("ann", "ann")...); !strings.Contains(said, "noted; 1 agree") || !strings.Contains(said, "pays 60000 satoshi to "+p.pays) {
			t.Errorf("ann's approval says %s", said)
		}
	}
	for _, as := range []string{"bob", "eve"} {
		if said := g.fails(approve(as, "eve")...); !strings.Contains(said, "not the signature of bob") && !strings.Contains(said, "names no approver") {
			t.Errorf("a forged approval of %s says %s", as, said)
		}
	}
	g.kill()
	g.start()
	if now := g.list(); len(now.Waiting) != 1 || len(now.Waiting[0].Approved) != 1 || now.Waiting[0].Approved[0] != "ann" {
		t.Errorf("after a restart the signer knows %+v", now)
	}
	g.ok(approve("bob", "bob")...)
	p.becomes(id, "processing", "")
	if now := g.list(); len(now.Waiting) != 0 {
		t.Errorf("it waits still: %+v", now)
	}
}
