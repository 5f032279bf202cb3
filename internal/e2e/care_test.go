package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending/devicetest"
)

// oldWords is the seed of an old wallet; everybody knows it.
var oldWords = strings.Repeat("abandon ", 11) + "about"

// A wallet whose keys a hardware signer has is looked after through a node that is none
// of ours: imported by its descriptor, filled by the sweep of an old wallet, joined by
// a transaction that the device signs, and found again by the node's own wallet.
func TestAWalletIsLookedAfterThroughAnOutsideNode(t *testing.T) {
	t.Run("BTC", func(t *testing.T) { newCare(t, outsides["BTC"](t)).all(t) })
	t.Run("LTC", func(t *testing.T) {
		n := coretest.Start(t)
		c := newCare(t, litecoind{n})
		c.all(t)
		c.foundAgain(t, n)
	})
}

type care struct {
	s      *server
	o      outside
	device *devicetest.Device
}

func newCare(t *testing.T, o outside) *care {
	bin, err := build()
	must(t, err)
	s := &server{t: t, bin: bin, data: t.TempDir(), node: o.place(), extra: []string{"--node-poll", "100ms"}}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	seed := bytes.Repeat([]byte{21}, 32)
	acc, err := bitcoin.AccountFromSeed(seed, bitcoin.BIP84, o.coin(), 0)
	must(t, err)
	s.operator(nil, "merchant", "create", "Shop")
	var added struct {
		Origin           string
		ReceiveAddresses []string
	}
	s.operator(&added, "wallet", "add", "--asset", o.coin().Code, "--descriptor", acc.BothDescriptor())
	if first, _, err := acc.Address(0); err != nil || len(added.ReceiveAddresses) != 3 || added.ReceiveAddresses[0] != first || added.Origin != acc.Origin() {
		t.Fatalf("added %+v: %v", added, err)
	}
	return &care{s, o, devicetest.New(t, seed)}
}

func (c *care) all(t *testing.T) {
	c.sweeps(t)
	c.joins(t)
	c.verified(t)
}

// verified: every invariant holds, on the books and on the node's chain.
func (c *care) verified(t *testing.T) {
	t.Helper()
	out, err := exec.Command(c.s.bin, append([]string{"verify", "--node", c.s.node}, c.s.place()...)...).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("not checked")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// coinSeen is a coin as the operator sees it.
type coinSeen struct {
	Coin, Amount, From, Label string
	Confirmations             int64
	Booked                    bool
}

// coins waits until so many are in the books.
func (c *care) coins(t *testing.T, n int) (list []coinSeen) {
	t.Helper()
	until(t, "coins in the books", func() bool {
		list = nil
		c.s.operator(&list, "wallet", "coins")
		booked := 0
		for _, k := range list {
			if k.Booked {
				booked++
			}
		}
		return booked == n && len(list) == n
	})
	return list
}

// sweeps empties an old seed with coins of two kinds.
func (c *care) sweeps(t *testing.T) {
	seed, err := bitcoin.SeedFromMnemonic(oldWords, "")
	must(t, err)
	for _, kind := range []bitcoin.Kind{bitcoin.BIP44, bitcoin.BIP84} {
		acc, err := bitcoin.AccountFromSeed(seed, kind, c.o.coin(), 0)
		must(t, err)
		addr, _, err := acc.Change(2)
		must(t, err)
		c.o.pay(t, addr, 300_000)
	}
	c.o.mine(t, 1)
	type swept struct {
		Amount, Fee, Address, Txid, State string
		Inputs                            []struct{ Path string }
	}
	run := func(more ...string) (got swept) {
		t.Helper()
		cmd := exec.Command(c.s.bin, append(append([]string{"wallet", "sweep", "--json", "--asset", c.o.coin().Code, "--node", c.s.node}, c.s.place()...), more...)...)
		cmd.Stdin = strings.NewReader(oldWords + "\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, errorOutput(err))
		}
		must(t, json.Unmarshal(out, &got))
		return got
	}
	var born []string
	if _, blocks := c.o.(btcd); blocks { // which cannot search what is unspent
		cmd := exec.Command(c.s.bin, append([]string{"wallet", "sweep", "--node", c.s.node}, c.s.place()...)...)
		cmd.Stdin = strings.NewReader(oldWords)
		if out, err := cmd.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("say with --birthday")) {
			t.Errorf("without a birthday: %v\n%s", err, out)
		}
		born = []string{"--birthday", "1"}
	}
	if got := run(born...); got.State != "shown" || got.Txid != "" || len(got.Inputs) != 2 {
		t.Fatalf("without --yes: %+v", got)
	}
	got := run(append(born, "--yes", "--sweep-fee-rate", "30")...)
	sat, deep := c.o.paid(t, got.Txid, got.Address)
	if got.State != "sent" || len(sat) != 1 || satoshiText(sat[0]) != got.Amount || deep != 0 {
		t.Errorf("%+v; the node says that %v arrived", got, sat)
	}
	c.o.mine(t, 6)
	if k := c.coins(t, 1)[0]; k.Amount != got.Amount || k.From != "deposit" || k.Label != "swept from an old wallet" {
		t.Errorf("the coin is %+v", k)
	}
	cmd := exec.Command(c.s.bin, append(append([]string{"wallet", "sweep", "--asset", c.o.coin().Code, "--node", c.s.node}, c.s.place()...), born...)...)
	cmd.Stdin = strings.NewReader(oldWords)
	if out, err := cmd.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("nothing was found")) {
		t.Errorf("a second time: %v\n%s", err, out)
	}
}

func satoshiText(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// joins makes one coin of three; the device signs.
func (c *care) joins(t *testing.T) {
	for range 3 {
		var to struct{ Address string }
		c.s.operator(&to, "wallet", "deposit", "--asset", c.o.coin().Code)
		c.o.pay(t, to.Address, 200_000)
	}
	c.o.mine(t, 6)
	c.coins(t, 4)
	var joined struct{ Transfer, Why string }
	c.s.operator(&joined, "wallet", "consolidate", "--asset", c.o.coin().Code, "--max-fee-rate", "100", "--at-least", "3", "--node", c.s.node)
	if joined.Transfer == "" {
		t.Fatalf("nothing was joined: %s", joined.Why)
	}
	unsigned, signed := filepath.Join(t.TempDir(), "unsigned.psbt"), filepath.Join(t.TempDir(), "signed.psbt")
	c.s.operator(nil, "psbt", "export", joined.Transfer, "--out", unsigned)
	packet, err := os.ReadFile(unsigned)
	must(t, err)
	done, shown, err := c.device.Sign(packet)
	must(t, err)
	if len(shown.Payments) != 0 || shown.Fee <= 0 {
		t.Errorf("the device shows payments of %v and a fee of %d", shown.Payments, shown.Fee)
	}
	must(t, os.WriteFile(signed, done, 0o600))
	c.s.operator(nil, "psbt", "import", signed)
	state := func() string {
		var list []struct{ ID, State string }
		c.s.operator(&list, "transfer", "list")
		return list[0].State
	}
	until(t, "the transaction that joins coins to be sent", func() bool { return state() == "sent" })
	c.o.mine(t, 6)
	until(t, "the transaction that joins coins to be confirmed", func() bool { return state() == "confirmed" })
	list := c.coins(t, 2)
	c.s.operator(nil, "wallet", "label", "--asset", c.o.coin().Code, list[0].Coin, "mine")
}

// foundAgain: the node's own wallet finds all of it by what `wallet export` says. The
// node is built without the newer kind of wallet, and its older one takes the same
// descriptors, checksums, ranges and times (importmulti).
func (c *care) foundAgain(t *testing.T, n *coretest.Node) {
	var out []struct {
		HighestIndex      int64
		ImportDescriptors []map[string]any
	}
	c.s.operator(&out, "wallet", "export", "--node", c.s.node)
	requests := out[0].ImportDescriptors
	for _, r := range requests {
		delete(r, "active")
		r["watchonly"] = true
	}
	n.Call(nil, "createwallet", "again", true, true)
	again := n.Wallet("again")
	var imported []struct{ Success bool }
	again.Call(&imported, "importmulti", requests)
	for i, r := range imported {
		if !r.Success {
			t.Errorf("request %d was refused: %+v", i, imported)
		}
	}
	var there []struct{ Txid string }
	again.Call(&there, "listunspent")
	if list := c.coins(t, 2); len(there) != len(list) || out[0].HighestIndex < 3 {
		t.Errorf("the node's wallet finds %d coins, %d are there; the highest index is %d", len(there), len(list), out[0].HighestIndex)
	}
}

// The same on the running sandbox: its chain is in the server, so the commands ask it;
// no key leaves the command, and the server sends what was stored.
func TestAWalletIsLookedAfterInTheSandbox(t *testing.T) {
	s := newServer(t, "")
	seed, err := bitcoin.SeedFromMnemonic(oldWords, "")
	must(t, err)
	acc, err := bitcoin.AccountFromSeed(seed, bitcoin.BIP86, bitcoin.Regtest, 0)
	must(t, err)
	chain := &control.Client{URL: s.control}
	pay := func(address string) {
		t.Helper()
		_, err := chain.Do(t.Context(), "pay", control.Pay{Address: address, Amount: 100_000, FeeRate: 2})
		must(t, err)
	}
	mine := func(blocks int) {
		t.Helper()
		_, err := chain.Do(t.Context(), "mine", control.Mine{Blocks: blocks})
		must(t, err)
	}
	for _, i := range []uint32{0, 19, 38} {
		addr, _, err := acc.Address(i)
		must(t, err)
		pay(addr)
	}
	mine(1)
	cmd := exec.Command(s.bin, append([]string{"wallet", "sweep", "--json", "--yes"}, s.place()...)...)
	cmd.Stdin = strings.NewReader(oldWords)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errorOutput(err))
	}
	var swept struct {
		State, Txid string
		Inputs      []struct{ Path string }
	}
	must(t, json.Unmarshal(out, &swept))
	if swept.State != "kept" || len(swept.Inputs) != 3 {
		t.Errorf("swept %+v", swept)
	}
	c := &care{s: s}
	until(t, "the server to send the sweep", func() bool {
		var list []coinSeen
		s.operator(&list, "wallet", "coins")
		return len(list) == 1 && strings.HasPrefix(list[0].Coin, swept.Txid)
	})
	for range 3 {
		var to struct{ Address string }
		s.operator(&to, "wallet", "deposit")
		pay(to.Address)
	}
	mine(6)
	c.coins(t, 4)
	var joined struct{ Transfer, Why string }
	s.operator(&joined, "wallet", "consolidate", "--max-fee-rate", "0.5", "--at-least", "3")
	if joined.Transfer != "" || !strings.Contains(joined.Why, "0.500 is the most") {
		t.Errorf("at a rate that is never offered: %+v", joined)
	}
	s.operator(&joined, "wallet", "consolidate", "--at-least", "3")
	mine(6)
	c.coins(t, 2)
	s.verify(t)
}
