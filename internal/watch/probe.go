package watch

import (
	"context"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
)

// probe asks how the waiting transactions stand that may be ours: they are few. Where
// nothing can be learnt, what they show themselves has to do.
func (r *reading) probe(ctx context.Context, hits []app.Hit) {
	source, ok := r.w.Source.(chain.Prober)
	if !ok {
		return
	}
	for _, h := range hits {
		if h.Tx.Standing != nil {
			continue // it pays several of ours
		}
		s, err := source.Probe(ctx, h.Tx.ID)
		if err != nil {
			r.w.Log.Warn("how a payment stands could not be asked", "chain", r.w.Source.Chain(), "transaction", h.Tx.ID, "error", err)
			continue
		}
		h.Tx.Standing = s
	}
}
