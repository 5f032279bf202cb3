package paypro

import (
	"context"
	"errors"
	"testing"

	btcwire "github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
)

// looking is a network whose transactions are looked at as a node does: what it knows
// of one that waits are those before it, and whether they can be replaced.
type looking struct {
	*gate
	chain.Source
	deaf     bool
	conflict string // of this one, another node has a rival
}

func (l *looking) Probe(ctx context.Context, txid string) (*chain.Standing, error) {
	if l.deaf {
		return nil, errors.New("connection refused")
	}
	s := &chain.Standing{Nodes: 2, Holds: 2, Conflict: txid == l.conflict}
	for next := []string{txid}; len(next) > 0; next = next[1:] {
		tx, err := l.MempoolTx(ctx, next[0])
		if errors.Is(err, chain.ErrNotFound) && next[0] != txid {
			continue // it is mined
		}
		if err != nil {
			return nil, err
		}
		if next[0] != txid {
			s.Ancestors++
		}
		s.Replaceable = s.Replaceable || tx.Replaceable
		for _, o := range tx.Spends {
			next = append(next, o.Txid)
		}
	}
	return s, nil
}

// look has the server's payments looked at.
func (w *world) look() *looking {
	l := &looking{gate: w.gate, Source: w.chain}
	for i := range w.app.Assets {
		if w.app.Assets[i].Code == "BTC" {
			w.app.Assets[i].Sender = l
		}
	}
	return l
}

// A payment that is handed over is scored as one that is seen: its parent that can be
// replaced, a rival at another node, or that nobody can be asked, keep it from counting
// on sight.
func TestAHandedOverPaymentIsScoredLikeOneThatIsSeen(t *testing.T) {
	w := newWorld(t)
	l := w.look()
	fast := func(o *invoice.Order) { o.Speed = invoice.High }
	sure := w.invoice(fast)
	w.pay(sure, w.signed(sure)).ok()
	w.is(sure, invoice.Confirmed, due)

	// The parent can be replaced, the child does not say so, and the network has both.
	inv := w.invoice(fast)
	parent := w.draft(inv)
	parent.TxOut = []*btcwire.TxOut{btcwire.NewTxOut(coin-1000, w.ours)}
	parent.TxIn[0].Sequence = btcwire.MaxTxInSequenceNum - 2
	w.check(w.chain.Send(t.Context(), raw(w.signAt(parent, coin))))
	child := w.draft(inv)
	child.TxIn[0].PreviousOutPoint = btcwire.OutPoint{Hash: parent.TxHash()}
	child.TxOut[1].Value = coin - 1000 - due - 1000
	w.signAt(child, coin-1000)
	w.check(w.chain.Send(t.Context(), raw(child)))
	w.pay(inv, child).ok()
	w.is(inv, invoice.Paid, due)

	rival := w.invoice(fast)
	tx := w.signed(rival)
	l.conflict = tx.TxHash().String()
	w.pay(rival, tx).ok()
	w.is(rival, invoice.Paid, due)

	unseen := w.invoice(fast)
	l.deaf = true
	w.pay(unseen, w.signed(unseen)).ok()
	if got := w.read(unseen); got.Status == invoice.Confirmed {
		t.Errorf("a payment that nobody could look at counts: %+v", got.Credits)
	}
}
