package coretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// debian is where Debian keeps the program; what it has on PATH writes into the home
// folder first.
const debian = "/usr/lib/litecoin/litecoind"

const (
	user, password = "judge", "of-regtest-only"
	startTime      = 60 * time.Second
	// founded is how many blocks there are at first: the coins of some are mature. A
	// block takes litecoind's miner some 30 ms.
	founded = 106
	// extended is the first block with an extension block, on regtest.
	extended = 432
)

// Node is a running litecoind.
type Node struct {
	URL  string // with user and password
	Peer string // host:port for other nodes

	t     testing.TB
	dir   string
	args  []string
	cmd   *exec.Cmd
	log   *bytes.Buffer
	ended chan struct{} // closed when the process is gone
	miner string        // an address of the wallet
}

// Start begins a chain of its own. Extra arguments go to litecoind.
func Start(t testing.TB, extra ...string) *Node {
	t.Helper()
	n := Empty(t, extra...)
	n.Call(nil, "createwallet", "purse")
	n.Call(&n.miner, "getnewaddress", "", "bech32")
	n.Mine(founded)
	return n
}

// Empty starts a node that knows no block but the first, and has no wallet.
func Empty(t testing.TB, extra ...string) *Node {
	t.Helper()
	n := &Node{t: t, dir: t.TempDir(), Peer: freeAddress(t)}
	rpc := freeAddress(t)
	_, port, _ := net.SplitHostPort(rpc)
	n.URL = fmt.Sprintf("http://%s:%s@%s", user, password, rpc)
	n.args = append([]string{
		"-regtest", "-server", "-txindex", "-fallbackfee=0.0002", "-datadir=" + n.dir, "-rpcuser=" + user, "-rpcpassword=" + password,
		"-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-rpcport=" + port, "-bind=" + n.Peer, "-listen=1", "-dnsseed=0",
		"-printtoconsole=1",
		// Connections that are kept open would hold up its end for half a minute.
		"-rpcservertimeout=2",
	}, extra...)
	n.run()
	t.Cleanup(func() {
		_ = n.cmd.Process.Kill()
		<-n.ended
	})
	return n
}

func (n *Node) run() {
	n.t.Helper()
	bin := debian
	if _, err := os.Stat(bin); err != nil {
		if bin, err = exec.LookPath("litecoind"); err != nil {
			n.t.Fatal("litecoind is not there: make test installs it where that is allowed; else install the package litecoind")
		}
	}
	n.log = &bytes.Buffer{}
	n.cmd = exec.Command(bin, n.args...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.ended = make(chan struct{})
	go func() {
		_ = n.cmd.Wait()
		close(n.ended)
	}()
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		select {
		case <-n.ended:
			n.t.Fatalf("litecoind ended at once: %s", n.log)
		default:
		}
		err := n.call(nil, "getblockcount")
		if err == nil {
			return
		}
		if time.Since(begun) > startTime {
			n.t.Fatalf("litecoind did not start: %v\n%s", err, n.log)
		}
	}
}

func (n *Node) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	<-n.ended
}

// Restart ends the node in order and starts it again, with extra arguments.
func (n *Node) Restart(extra ...string) {
	n.t.Helper()
	n.stop()
	args := n.args
	n.args = append(append([]string{}, args...), extra...)
	n.run()
	n.args = args
}

// Stop ends the node until it is started again.
func (n *Node) Stop() { n.stop() }

// Resume starts a node that was stopped.
func (n *Node) Resume() { n.run() }

// Call asks the node, and fails the test when it refuses.
func (n *Node) Call(out any, method string, params ...any) {
	n.t.Helper()
	if err := n.call(out, method, params...); err != nil {
		n.t.Fatalf("%s: %v", method, err)
	}
}

// once keeps no connection open.
var once = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (n *Node) call(out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	resp, err := once.Post(n.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	if answer.Error != nil {
		return errors.New(answer.Error.Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, out)
}

// Mine adds blocks and returns their hashes.
func (n *Node) Mine(blocks int) (hashes []string) {
	n.t.Helper()
	n.Call(&hashes, "generatetoaddress", blocks, n.miner)
	return hashes
}

// Extend mines on until there are extension blocks (MWEB, LIP 3). The first has to
// hold something, so the wallet moves a coin inside.
func (n *Node) Extend() {
	n.t.Helper()
	var height int
	n.Call(&height, "getblockcount")
	n.Mine(extended - 1 - height)
	var inside string
	n.Call(&inside, "getnewaddress", "", "mweb")
	n.Call(nil, "sendtoaddress", inside, 5)
	n.Mine(10)
}

// Reorg takes the last blocks off the chain and mines longer ones in their place.
// What was in them waits again, and is in the first of the new ones.
func (n *Node) Reorg(depth int) {
	n.t.Helper()
	var height int
	n.Call(&height, "getblockcount")
	var hash string
	n.Call(&hash, "getblockhash", height-depth+1)
	n.Call(nil, "invalidateblock", hash)
	// Another address, so that the blocks are not the same ones once more.
	n.Call(&n.miner, "getnewaddress", "", "bech32")
	n.Mine(depth + 1)
}

// Pay sends so many smallest units to an address and returns the transaction's id.
func (n *Node) Pay(address string, satoshi int64) (txid string) {
	n.t.Helper()
	n.Call(&txid, "sendtoaddress", address, json.Number(fmt.Sprintf("%d.%08d", satoshi/1e8, satoshi%1e8)))
	return txid
}

// Paid is what the node says a transaction gave an address, in smallest units, and
// how deep it lies.
func (n *Node) Paid(txid, address string) (amounts []int64, deep uint64) {
	n.t.Helper()
	var tx struct {
		Confirmations uint64
		Vout          []struct {
			Value        json.Number
			ScriptPubKey struct{ Addresses []string }
		}
	}
	n.Call(&tx, "getrawtransaction", txid, true)
	for _, o := range tx.Vout {
		for _, a := range o.ScriptPubKey.Addresses {
			if strings.EqualFold(a, address) {
				amounts = append(amounts, units(n.t, o.Value))
			}
		}
	}
	return amounts, tx.Confirmations
}

func units(t testing.TB, coins json.Number) int64 {
	r, ok := new(big.Rat).SetString(coins.String())
	if !ok {
		t.Fatalf("%s is not an amount", coins)
	}
	r.Mul(r, big.NewRat(1e8, 1))
	return r.Num().Int64()
}

// Folder is where the node keeps its data; its cookie is there, unless it was given
// a password.
func (n *Node) Folder() string { return filepath.Join(n.dir, "regtest") }

// freeAddress is a loopback address that nobody listens on now.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Wallet is the node with another wallet of its own in use.
func (n *Node) Wallet(name string) *Node { return &Node{URL: n.URL + "/wallet/" + name, t: n.t} }
