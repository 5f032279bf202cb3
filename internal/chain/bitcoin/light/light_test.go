package light

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// A client that starts from nothing finds a payment among hundreds of blocks without
// reading the others, follows new ones, and after a restart goes on without fetching
// its headers again.
func TestItFollowsTheChainFromItsFirstStartThroughARestart(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	script := scriptOf(t, payee)
	txid := b.Pay(payee, 70_000)
	b.Mine(20)
	dir := t.TempDir()
	f := follow(t, dir, b.Peer)
	tip := f.reaches(best(t, b))
	if tip.Height != 470 {
		t.Fatalf("the tip is at %d", tip.Height)
	}
	ids, read := f.paying(1, tip.Height, script)
	if !slices.Equal(ids, []string{txid}) || read > 2 {
		t.Errorf("found %v in %d blocks that were read; %s pays", ids, read, txid)
	}
	genesis, err := f.HashAt(t.Context(), 0)
	must(t, err)
	if genesis != f.Genesis() {
		t.Errorf("block 0 is %s", genesis)
	}
	if _, err := f.HashAt(t.Context(), 471); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("a block above the tip: %v", err)
	}
	if _, err := f.Mempool(t.Context()); !errors.Is(err, chain.ErrNoMempool) {
		t.Errorf("a mempool: %v", err)
	}
	begin, err := f.Begin(t.Context())
	must(t, err)
	if begin.Height != 0 {
		t.Errorf("blocks of this minute are to be looked at, from %d", begin.Height)
	}

	second := b.Pay(payee, 80_000)
	f.reaches(b.Mine(1)[0].String())
	if ids, _ := f.paying(471, 471, script); !slices.Equal(ids, []string{second}) {
		t.Errorf("the new block holds %v", ids)
	}
	// What made a coin is read from its block, for signers that check amounts by it.
	raw, err := f.Origin(t.Context(), second, best(t, b))
	must(t, err)
	if made, err := btcutil.NewTxFromBytes(raw); err != nil || made.Hash().String() != second {
		t.Errorf("the transaction that made the coin: %v", err)
	}
	for _, at := range []string{"", genesis} {
		if _, err := f.Origin(t.Context(), second, at); !errors.Is(err, chain.ErrNotFound) {
			t.Errorf("it is not in block %q: %v", at, err)
		}
	}
	must(t, f.Close())

	b.Mine(3)
	again := follow(t, dir, b.Peer)
	again.reaches(best(t, b))
	if again.log.count("put right") > 0 {
		t.Errorf("an orderly stop left something to put right:\n%s", again.log.all())
	}
	if ids, _ := again.paying(1, 474, script); !slices.Equal(ids, []string{txid, second}) {
		t.Errorf("after a restart: %v", ids)
	}
	st := again.Status()
	if !st.Synced || st.Headers != 474 || st.Filters != 474 || st.Peers != 1 || st.Compared != 1 || len(st.Alarms) > 0 {
		t.Errorf("the state is %+v", st)
	}
}

// Without peers nothing is said about the tip: deadlines must not be held against
// what was known yesterday.
func TestWithoutPeersThereIsNoTip(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	dir := t.TempDir()
	f := follow(t, dir, b.Peer)
	f.reaches(best(t, b))
	must(t, f.Close())
	alone := follow(t, dir, "127.0.0.1:1")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if tip, err := alone.Tip(ctx); !errors.Is(err, chain.ErrSyncing) {
		t.Errorf("a tip without peers: %v %v", tip, err)
	}
	if err := alone.Send(ctx, raw(t, b.Payment(payee, 5000))); err == nil || errors.As(err, new(*chain.Rejected)) {
		t.Errorf("sent to nobody: %v", err)
	}
}
