package watch

import (
	"context"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
)

// probe asks how the waiting transactions stand that may be ours: they are few. One of
// which nothing can be learnt is trusted in nothing, and asked about again with the next
// reading: what can be taken back need only hide from one question.
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
			s = &chain.Standing{Unknown: true}
		}
		h.Tx.Standing = s
	}
}
