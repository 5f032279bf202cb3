package light

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcwallet/walletdb"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/headerfs"

	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

const (
	campaign = "QUITTANCE_CAMPAIGN" // set: the long forms of these tests
	bareDir  = "QUITTANCE_BARE_LIBRARY"
	barePeer = "QUITTANCE_BARE_PEER"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(bareDir); dir != "" {
		bare(dir, os.Getenv(barePeer))
		return
	}
	neutrino.QueryTimeout = 2 * time.Second // peers on this machine answer at once
	inviteWait, rejectWait, backWait = time.Second, 500*time.Millisecond, time.Second
	pinnedGather = 4 * time.Second
	os.Exit(m.Run())
}

// bare runs the library as it comes, without the client around it, until it has caught
// up with its peer; then it damages the store and waits.
func bare(dir, peer string) {
	db, err := openIndex(dir)
	if err != nil {
		panic(err)
	}
	s, err := neutrino.NewChainService(neutrino.Config{DataDir: dir, Database: db, ChainParams: chaincfg.RegressionNetParams, ConnectPeers: []string{peer}})
	if err != nil {
		panic(err)
	}
	if err := s.Start(context.Background()); err != nil {
		panic(err)
	}
	for len(s.Peers()) == 0 || !s.IsCurrent() {
		time.Sleep(10 * time.Millisecond)
	}
	if err := strand(db); err != nil {
		panic(err)
	}
	fmt.Println("stranded")
	time.Sleep(time.Minute)
}

// strand leaves the filter headers ending with a block that the index does not know:
// what the library itself does when one arrives while its block is taken back.
func strand(db walletdb.DB) error {
	return walletdb.Update(db, func(tx walletdb.ReadWriteTx) error {
		return tx.ReadWriteBucket(indexBucket).Put(filtersTip, make([]byte, 32))
	})
}

// The library panics on a rollback that fails, in a goroutine of its own, where nobody
// can recover it.
func TestTheLibraryAloneDiesOfARollbackThatFails(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bareDir+"="+t.TempDir(), barePeer+"="+b.Peer)
	out, err := cmd.StdoutPipe()
	must(t, err)
	var said strings.Builder
	cmd.Stderr = &said
	must(t, cmd.Start())
	line := make([]byte, len("stranded"))
	if _, err := out.Read(line); err != nil || string(line) != "stranded" {
		t.Fatalf("%q %v %s", line, err, said.String())
	}
	b.Reorg(2)
	err = cmd.Wait()
	if err == nil || !strings.Contains(said.String(), "panic: Rollback failed") {
		t.Fatalf("it went on: %v %s", err, said.String())
	}
}

// The same happens to the client: it opens the library again on stores that were put
// right, in the same process, and follows the new branch.
func TestTheClientSurvivesARollbackThatFails(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	script := scriptOf(t, payee)
	txid := b.Pay(payee, 30_000)
	b.Mine(5)
	f := follow(t, t.TempDir(), b.Peer)
	f.reaches(best(t, b))
	f.mu.RLock()
	must(t, strand(f.db))
	f.mu.RUnlock()
	b.Reorg(2)
	tip := f.reaches(best(t, b))
	if ids, _ := f.paying(1, tip.Height, script); !slices.Equal(ids, []string{txid}) {
		t.Errorf("found %v", ids)
	}
	if n := f.Status().Restarted; n != 1 {
		t.Errorf("the library was opened again %d times\n%s", n, f.log.all())
	}
	b.Mine(1)
	f.reaches(best(t, b))
}

// Something in the stores that no check finds kills the process again and again. After
// three times they are made anew.
func TestStoresThatKillEveryProcessAreGivenUp(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		db, mended, err := openStores(dir)
		must(t, err)
		if anew := strings.Contains(mended, "fetched anew"); anew != (i == 3) {
			t.Errorf("start %d: %q", i+1, mended)
		}
		must(t, db.Close())
	}
	must(t, stands(dir))
	db, mended, err := openStores(dir)
	must(t, err)
	must(t, db.Close())
	if mended != "" {
		t.Errorf("after a good start: %s", mended)
	}
}

// damages are what a crash, a full disk or a careless copy leave of the stores.
var damages = map[string]func(dir string) error{
	"nothing": func(string) error { return nil },
	"block headers written and not in the index": func(dir string) error {
		return appendTo(dir, headersFile, make([]byte, 3*headerfs.BlockHeaderSize+17))
	},
	"filter headers written and not in the index": func(dir string) error {
		return appendTo(dir, filtersFile, make([]byte, 2*headerfs.RegularFilterHeaderSize+5))
	},
	"block headers cut off and still in the index": func(dir string) error { return cut(dir, headersFile, 2*headerfs.BlockHeaderSize) },
	"a filter header cut off and still in the index": func(dir string) error {
		return cut(dir, filtersFile, headerfs.RegularFilterHeaderSize)
	},
	"filter headers that end with an unknown block": func(dir string) error {
		db, err := openIndex(dir)
		if err != nil {
			return err
		}
		defer db.Close()
		return strand(db)
	},
	"no block headers":   func(dir string) error { return os.Remove(filepath.Join(dir, headersFile)) },
	"no filter headers":  func(dir string) error { return os.Remove(filepath.Join(dir, filtersFile)) },
	"no index":           func(dir string) error { return os.Remove(filepath.Join(dir, indexFile)) },
	"an index cut short": func(dir string) error { return os.Truncate(filepath.Join(dir, indexFile), 10_000) },
	"an empty index":     func(dir string) error { return os.Truncate(filepath.Join(dir, indexFile), 0) },
	"an index of zeros": func(dir string) error {
		return os.WriteFile(filepath.Join(dir, indexFile), make([]byte, 1<<16), 0o600)
	},
	"another chain's block headers": func(dir string) error {
		f, err := os.OpenFile(filepath.Join(dir, headersFile), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteAt(make([]byte, 40), 400*headerfs.BlockHeaderSize)
		return err
	},
}

func appendTo(dir, name string, b []byte) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(b)
	return err
}

func cut(dir, name string, by int64) error {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()-by)
}

// Whatever a crash leaves of the stores, the client opens them, and finds what it
// found before.
func TestWhateverACrashLeavesOfTheStoresTheyCanBeOpened(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	script := scriptOf(t, payee)
	txid := b.Pay(payee, 30_000)
	b.Mine(5)
	dir := t.TempDir()
	f := follow(t, dir, b.Peer)
	f.reaches(best(t, b))
	must(t, f.Close())
	b.Reorg(3)
	want := best(t, b)
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			left := copyOf(t, dir)
			must(t, damage(left))
			f := follow(t, left, b.Peer)
			tip := f.reaches(want)
			if ids, _ := f.paying(1, tip.Height, script); !slices.Equal(ids, []string{txid}) {
				t.Errorf("found %v\n%s", ids, f.log.all())
			}
			if n := f.Status().Restarted; n > 0 {
				t.Errorf("the library was opened again %d times\n%s", n, f.log.all())
			}
			must(t, f.Close())
		})
	}
}
