package btcdtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/rpcclient"
)

const (
	// env names the program, where it is not built by make test.
	env       = "QUITTANCE_TEST_BTCD"
	user      = "judge"
	password  = "of-regtest-only"
	startTime = 60 * time.Second
	// founded is how many blocks there are at first: segregated witness is active,
	// and the coins of the first of them are mature.
	founded = 450
)

// Node is a running btcd with a miner's purse.
type Node struct {
	*rpcclient.Client
	URL  string // with user and password
	Peer string // host:port for other nodes

	t    testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	next int64 // the first block whose reward was not spent
}

// Start begins a chain of its own. Extra arguments go to btcd.
func Start(t testing.TB, extra ...string) *Node {
	t.Helper()
	n := StartEmpty(t, extra...)
	n.Mine(founded)
	return n
}

// StartEmpty starts a node that has no blocks yet, to be joined with another.
func StartEmpty(t testing.TB, extra ...string) *Node {
	t.Helper()
	n := &Node{t: t, dir: t.TempDir(), next: 1}
	rpc := freeAddress(t)
	n.Peer = freeAddress(t)
	n.URL = fmt.Sprintf("http://%s:%s@%s", user, password, rpc)
	n.args = append([]string{
		"--regtest", "--notls", "--txindex", "--datadir=" + filepath.Join(n.dir, "data"), "--logdir=" + filepath.Join(n.dir, "log"), "--configfile=" + filepath.Join(n.dir, "none"),
		"--rpcuser=" + user, "--rpcpass=" + password, "--rpclisten=" + rpc, "--listen=" + n.Peer, "--miningaddr=" + minerAddress(), "--rpcmaxclients=100",
		"--nodnsseed", "--nobanning", "--trickleinterval=100ms",
	}, extra...)
	n.run()
	t.Cleanup(n.stop)
	return n
}

// run starts the node. On regtest btcd begins with an empty chain each time.
func (n *Node) run() {
	n.t.Helper()
	bin, err := program()
	if err != nil {
		n.t.Fatal(err)
	}
	n.log = &bytes.Buffer{}
	n.cmd = exec.Command(bin, n.args...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.Client, err = rpcclient.New(&rpcclient.ConnConfig{Host: hostOf(n.args), User: user, Pass: password, HTTPPostMode: true, DisableTLS: true}, nil)
	n.check(err)
	for begun := time.Now(); ; {
		_, err := n.GetBlockCount()
		if err == nil {
			return
		}
		if time.Since(begun) > startTime {
			n.t.Fatalf("btcd did not start: %v\n%s", err, n.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (n *Node) stop() {
	n.Shutdown()
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	_ = n.cmd.Wait()
}

// Restart ends the node and starts it again: on regtest, with no blocks.
func (n *Node) Restart() {
	n.t.Helper()
	n.stop()
	n.next = 1
	n.run()
}

// Mine adds blocks and returns the hashes.
func (n *Node) Mine(blocks uint32) []*chainhash.Hash {
	n.t.Helper()
	list, err := n.Generate(blocks)
	n.check(err)
	return list
}

// Reorg takes the last blocks off the chain and mines longer ones in their place.
// What was in them waits again.
func (n *Node) Reorg(depth int64) {
	n.t.Helper()
	tip, err := n.GetBlockCount()
	n.check(err)
	hash, err := n.GetBlockHash(tip - depth + 1)
	n.check(err)
	n.check(n.InvalidateBlock(hash))
	n.Mine(uint32(depth) + 1)
}

func (n *Node) check(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func hostOf(args []string) string {
	for _, a := range args {
		if len(a) > 12 && a[:12] == "--rpclisten=" {
			return a[12:]
		}
	}
	return ""
}

// program finds btcd: as told, as make test builds it, or on PATH.
func program() (string, error) {
	if given := os.Getenv(env); given != "" {
		return given, nil
	}
	_, file, _, _ := runtime.Caller(0)
	built := filepath.Join(filepath.Dir(file), "../../../../../.cache/bin/btcd")
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	if found, err := exec.LookPath("btcd"); err == nil {
		return found, nil
	}
	return "", errors.New("btcd is not there: make test builds it, or say where it is with " + env)
}

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
