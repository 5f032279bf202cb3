package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// victimDir names, in the environment of a child, the folder it shall work on
// until it is killed.
const victimDir = "SANDBOX_TEST_VICTIM_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		fmt.Println("failed", victim(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim pays, mines and reorganises, and says what it has done after each
// step: the tip and the txids that wait or are confirmed.
func victim(dir string) error {
	c, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	ctx := context.Background()
	for i := 0; ; i++ {
		txid, err := c.Pay(ctx, PayOptions{Outputs: []Output{{c.FaucetAddress(), 10_000}}})
		if err == nil {
			fmt.Println("paid", txid)
		}
		if err == nil && i%3 == 2 {
			_, err = c.Mine(ctx, 1)
		}
		if err == nil && i%7 == 6 {
			_, err = c.Reorg(ctx, 1+i%3, ReorgOptions{Unmined: i%2 == 0})
		}
		if err != nil {
			return err
		}
		ref, err := c.Tip(ctx)
		if err != nil {
			return err
		}
		fmt.Println("tip", ref.Hash, ref.Height)
	}
}

func TestWhatAKilledProcessReportedIsThere(t *testing.T) {
	dir := t.TempDir()
	for _, lines := range []int{3, 40, 17, 64} {
		paid, tip := runVictim(t, dir, lines)
		c := openAt(t, dir)
		// The victim may have gone on for a moment after its last report.
		if tipOf(t, c).Height < tip {
			t.Errorf("tip at %d, the killed process reported %d", tipOf(t, c).Height, tip)
		}
		waiting := mempoolOf(t, c)
		for _, txid := range paid {
			if !slices.Contains(waiting, txid) && confirmations(t, c, txid) == 0 {
				t.Errorf("payment %s is lost", txid)
			}
		}
		checkFaucet(t, c)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runVictim kills a child after it has reported so many lines, and returns what
// it paid and how high its chain was.
func runVictim(t *testing.T, dir string, lines int) (paid []string, tip int64) {
	t.Helper()
	cmd := exec.Command(must[string](t)(os.Executable()))
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for range lines {
		if !scanner.Scan() {
			t.Fatal("the child ended by itself")
		}
		fields := strings.Fields(scanner.Text())
		switch fields[0] {
		case "paid":
			paid = append(paid, fields[1])
		case "tip":
			if _, err := fmt.Sscan(fields[2], &tip); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal(scanner.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as it should be
	return paid, tip
}
