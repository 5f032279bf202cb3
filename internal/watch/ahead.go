package watch

import (
	"context"

	"github.com/quittance/quittance/internal/chain"
)

// aheadBlocks is how many blocks are being coming while the ones before them are
// looked through: enough to keep a back end busy, and few in memory.
const aheadBlocks = 4

// coming is a block that is on its way.
type coming struct {
	block *chain.Block
	err   error
}

// ahead fetches the blocks of heights from..to, several at once, and hands them out in
// order. The caller ends the context when it wants no more.
func (r *reading) ahead(ctx context.Context, from, to int64) <-chan chan coming {
	queue := make(chan chan coming, aheadBlocks-1)
	go func() {
		defer close(queue)
		for height := from; height <= to; height++ {
			one := make(chan coming, 1)
			select {
			case queue <- one:
			case <-ctx.Done():
				return
			}
			go func() {
				b, err := r.block(ctx, height)
				one <- coming{b, err}
			}()
		}
	}()
	return queue
}
