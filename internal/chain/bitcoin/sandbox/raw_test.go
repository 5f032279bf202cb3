package sandbox

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/chain"
)

// What waits and what is mined can be read as it goes over the network, and shown to
// another chain: here, to the same one after its mempool was lost.
func TestTransactionsAndBlocksAreReadAsTheyGoOverTheNetwork(t *testing.T) {
	c := openAt(t, t.TempDir())
	address, _ := newShop(t).address(t, 0)
	for range 3 {
		pay(t, c, address, 5_000_000_000-1000, true) // each needs the change of the one before
	}
	waiting := must[[][]byte](t)(c.RawMempool(t.Context()))
	ids := mempoolOf(t, c)
	old := mine(t, c, 1)[0]
	raw := must[[]byte](t)(c.RawBlock(t.Context(), old.Hash))
	for _, tx := range waiting {
		if !bytes.Contains(raw, tx) {
			t.Error("a transaction that waited is not in the block")
		}
	}
	must[[]chain.Ref](t)(c.Reorg(t.Context(), 1, ReorgOptions{Drop: ids}))
	for _, tx := range waiting {
		must[string](t)(c.Broadcast(t.Context(), tx))
	}
	if again := mempoolOf(t, c); len(again) != 3 || strings.Join(again, "") != strings.Join(ids, "") {
		t.Errorf("%v wait, not %v", again, ids)
	}
	if again := must[[]byte](t)(c.RawBlock(t.Context(), old.Hash)); !bytes.Equal(again, raw) {
		t.Error("a block that left the chain is another one")
	}
	if _, err := c.RawBlock(t.Context(), strings.Repeat("ab", 32)); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("a block that never was: %v", err)
	}
}
