package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// The official Node SDK, unmodified, pairs, asks, creates, reads, lists, updates,
// cancels, pays, refunds, pays out, settles, bills and resends, on both engines;
// in the end the books are right.
func TestOfficialNodeSDK(t *testing.T) {
	requireNode(t)
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, database(t))
			for _, judge := range []string{"judge", "refunds", "payouts", "books"} {
				t.Run(judge, func(t *testing.T) { runNode(t, s, judge+".test.mjs") })
			}
			s.verify(t)
		})
	}
}

// runNode runs a file of node tests against a server.
func runNode(t *testing.T, s *server, file string, env ...string) {
	t.Helper()
	place, err := json.Marshal(s.place())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--test", "--test-reporter=spec", file)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "QUITTANCE_URL="+s.url, "QUITTANCE_CONTROL="+s.control, "QUITTANCE_BIN="+s.bin, "QUITTANCE_PLACE="+string(place))
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s\nserver log:\n%s", file, err, out, s.log)
	}
	t.Logf("%s", out)
}

func requireNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is not on PATH: install Node.js 20 or newer; make test does it where that is allowed")
	}
	if _, err := os.Stat("node/node_modules/bitpay-sdk"); err != nil {
		t.Fatal("the SDK is not installed: run `npm ci` in internal/e2e/node, or make test")
	}
}
