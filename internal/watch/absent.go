package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/app"
)

// absence remembers since when payments that wait are missing from the mempool,
// by txid. A conflict is noticed at once; this is for payments that were evicted
// without one, such as the child of a transaction that was replaced.
type absence map[string]time.Time

// dropped lists what has been missing for app.DropAfter. listed is the mempool at
// a time, waiting what invoices count on.
func (a absence) dropped(waiting, listed []string, at time.Time) (list []string) {
	present := make(map[string]bool, len(waiting))
	for _, id := range waiting {
		present[id] = false
	}
	for _, id := range listed {
		if _, ours := present[id]; ours {
			present[id] = true
		}
	}
	for id := range a {
		if here, ours := present[id]; here || !ours {
			delete(a, id)
		}
	}
	for _, id := range waiting {
		if present[id] {
			continue
		}
		since, known := a[id]
		if !known {
			a[id], since = at, at
		}
		if at.Sub(since) >= app.DropAfter {
			list = append(list, id)
		}
	}
	return list
}

// drop finds the payments that this reading gives up.
func (r *reading) drop(ctx context.Context) error {
	if !r.pooled && r.w.skim == nil {
		return nil
	}
	// Where nothing is known of a mempool, a payment waits only because its block left
	// the chain. It has as long to be mined again.
	waiting, err := r.w.App.WaitingTxs(ctx, r.w.Source.Chain())
	if err != nil {
		return fmt.Errorf("read what waits: %w", err)
	}
	r.dropped = r.w.absent.dropped(waiting, r.listed, r.at)
	return nil
}
