package bchdtest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/rpcclient"
)

const (
	// env names the program, where it is not built by make test.
	env            = "QUITTANCE_TEST_BCHD"
	user, password = "judge", "of-regtest-only"
	startTime      = 60 * time.Second
	founded        = 110 // blocks at first: the rewards of some are mature
)

// Node is a running bchd.
type Node struct {
	*rpcclient.Client
	URL string // with user and password

	t    testing.TB
	next int64 // the first block whose reward was not spent
}

// Start begins a chain of its own. Extra arguments go to bchd.
func Start(t testing.TB, extra ...string) *Node {
	t.Helper()
	n := &Node{t: t, next: 1}
	bin, err := program()
	n.check(err)
	dir, rpc := t.TempDir(), freeAddress(t)
	n.URL = fmt.Sprintf("http://%s:%s@%s", user, password, rpc)
	args := append([]string{
		"--regtest", "--notls", "--txindex", "--datadir=" + filepath.Join(dir, "data"), "--logdir=" + filepath.Join(dir, "log"), "--configfile=" + filepath.Join(dir, "none"),
		"--rpcuser=" + user, "--rpcpass=" + password, "--rpclisten=" + rpc, "--listen=" + freeAddress(t), "--miningaddr=" + minerAddress, "--rpcmaxclients=100", "--nodnsseed",
	}, extra...)
	log := &bytes.Buffer{}
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = log, log
	n.check(cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	n.Client, err = rpcclient.New(&rpcclient.ConnConfig{Host: rpc, User: user, Pass: password, HTTPPostMode: true, DisableTLS: true}, nil)
	n.check(err)
	t.Cleanup(n.Shutdown)
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err = n.GetBlockCount(); err == nil {
			break
		}
		if time.Since(begun) > startTime {
			t.Fatalf("bchd did not start: %v\n%s", err, log)
		}
	}
	n.Mine(founded)
	return n
}

func (n *Node) check(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// Mine adds blocks and returns the hashes.
func (n *Node) Mine(blocks int) []*chainhash.Hash {
	n.t.Helper()
	list, err := n.Generate(uint32(blocks))
	n.check(err)
	return list
}

// Reorg takes the last blocks off the chain and mines longer ones in their place.
// What was in them waits again.
func (n *Node) Reorg(depth int) {
	n.t.Helper()
	tip, err := n.GetBlockCount()
	n.check(err)
	hash, err := n.GetBlockHash(tip - int64(depth) + 1)
	n.check(err)
	n.check(n.InvalidateBlock(hash))
	n.Mine(depth + 1)
}

// Pay sends so many satoshi to an output script and returns the transaction's id.
func (n *Node) Pay(script []byte, satoshi int64) string {
	n.t.Helper()
	answer, err := n.RawRequest("sendrawtransaction", params(n.t, hex.EncodeToString(n.payment(script, satoshi))))
	n.check(err)
	return strings.Trim(string(answer), `"`)
}

// Paid is what the node says a transaction gave an address, in satoshi, and how deep
// it lies. How an address is written is the node's own word.
func (n *Node) Paid(txid, address string) (amounts []int64, deep uint64) {
	n.t.Helper()
	hash, err := chainhash.NewHashFromStr(txid)
	n.check(err)
	tx, err := n.GetRawTransactionVerbose(hash)
	n.check(err)
	for _, o := range tx.Vout {
		for _, a := range o.ScriptPubKey.Addresses {
			if strings.HasSuffix(address, a) { // some nodes leave the prefix away
				amounts = append(amounts, int64(math.Round(o.Value*1e8)))
			}
		}
	}
	return amounts, tx.Confirmations
}

// program finds bchd: as told, as make test builds it, or on PATH.
func program() (string, error) {
	if given := os.Getenv(env); given != "" {
		return given, nil
	}
	_, file, _, _ := runtime.Caller(0)
	built := filepath.Join(filepath.Dir(file), "../../../../../.cache/bin/bchd")
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	if found, err := exec.LookPath("bchd"); err == nil {
		return found, nil
	}
	return "", errors.New("bchd is not there: make test builds it, or say where it is with " + env)
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
