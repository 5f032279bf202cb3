package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/store"
)

// How many derivation indices of a wallet are taken at once. Taking them is one
// durable write, made before any of them is used; a restart skips what was left
// and never uses one twice. A busy wallet takes more at a time.
const (
	leastBlock = 20
	mostBlock  = 1000
	busyWithin = 2 * time.Second // a block used up this fast doubles the next
)

// indices are the reserved indices of one wallet.
type indices struct {
	mu        sync.Mutex
	next, end int64         // the block in use
	nextBlock [2]int64      // the block after it, when it is already taken
	size      int64         // of the next block to take
	taken     time.Time     // when the last block was taken
	taking    chan struct{} // closed when the taking in progress ends; nil when there is none
	err       error         // of the last taking
}

// nextIndex gives out the next index of a wallet. That it is taken is durable
// before anyone sees the address.
func (a *App) nextIndex(ctx context.Context, wallet string) (int64, error) {
	a.mu.Lock()
	ix := a.indices[wallet]
	if ix == nil {
		ix = &indices{size: leastBlock}
		a.indices[wallet] = ix
	}
	a.mu.Unlock()
	for {
		index, wait, ok := ix.take(func() { a.reserve(ctx, wallet, ix) })
		if ok {
			return index, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		ix.mu.Lock()
		err := ix.err
		ix.mu.Unlock()
		if err != nil {
			return 0, fmt.Errorf("reserve addresses: %w", err)
		}
	}
}

// take returns the next index. When a block runs low it has the next one taken
// meanwhile; when there is none, the caller waits for it.
func (ix *indices) take(reserve func()) (index int64, wait <-chan struct{}, ok bool) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.next == ix.end && ix.nextBlock[1] > 0 {
		ix.next, ix.end, ix.nextBlock = ix.nextBlock[0], ix.nextBlock[1], [2]int64{}
	}
	if ix.end-ix.next <= ix.size/2 && ix.nextBlock[1] == 0 && ix.taking == nil {
		ix.taking = make(chan struct{})
		go reserve()
	}
	if ix.next == ix.end {
		return 0, ix.taking, false
	}
	ix.next++
	return ix.next - 1, nil, true
}

func (a *App) reserve(ctx context.Context, wallet string, ix *indices) {
	// Others wait for the block too: it does not end with the first caller.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	ix.mu.Lock()
	if now := time.Now(); now.Sub(ix.taken) < busyWithin {
		ix.size = min(2*ix.size, mostBlock)
	} else {
		ix.size = leastBlock
	}
	size := ix.size
	ix.mu.Unlock()
	var first int64
	err := a.Store.Update(ctx, func(tx *store.Tx) (err error) {
		first, err = tx.ReserveIndices(wallet, size)
		return err
	})
	if err == nil {
		err = a.noteIndices(wallet, first+size, 0)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.err = err; err == nil {
		ix.nextBlock, ix.taken = [2]int64{first, first + size}, time.Now()
	}
	close(ix.taking)
	ix.taking = nil
}
