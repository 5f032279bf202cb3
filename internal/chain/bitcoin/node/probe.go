package node

import (
	"context"
	"errors"

	"github.com/quittance/quittance/internal/chain"
)

// soon is within how many blocks a payment is expected to be mined when its fee is
// called usual.
const soon = 6

// maxAncestors is how many transactions nodes let a waiting one build upon.
const maxAncestors = 25

// Probe asks every node how a transaction that waits stands. The first node's word
// counts for its fee and its ancestors; the others say whether they have it, or one
// that conflicts.
func (n *Node) Probe(ctx context.Context, txid string) (*chain.Standing, error) {
	tx, err := n.MempoolTx(ctx, txid)
	if err != nil {
		return nil, err
	}
	s := &chain.Standing{Replaceable: tx.Replaceable, FeeRate: tx.FeeRate}
	if err := n.standing(ctx, txid, s); err != nil {
		return nil, err
	}
	var pool struct{ FullRBF bool }
	if err := n.call(ctx, &pool, "getmempoolinfo"); err == nil {
		s.Unsignalled = pool.FullRBF && n.chain.Replaceable
	}
	if rate, err := n.FeeRate(ctx, soon); err == nil {
		s.UsualRate = float64(rate) / 1000
	}
	for _, e := range n.inTurn() {
		if e.resting(n.now()) || n.check(ctx, e) != nil {
			continue // it has no say at present
		}
		has, rival, err := e.opinion(ctx, tx)
		if err != nil {
			continue
		}
		s.Nodes++
		if has {
			s.Holds++
		}
		s.Conflict = s.Conflict || rival
	}
	if s.Nodes == 0 {
		return nil, errors.New("no node says whether it has the transaction, or one that conflicts")
	}
	return s, nil
}

// standing reads ancestors, and whether one of them can be replaced.
func (n *Node) standing(ctx context.Context, txid string, s *chain.Standing) error {
	var entry struct {
		AncestorCount int
		Replaceable   bool `json:"bip125-replaceable"`
	}
	err := n.call(ctx, &entry, "getmempoolentry", txid)
	switch {
	case err == nil:
		s.Ancestors = max(0, entry.AncestorCount-1)
		s.Replaceable = s.Replaceable || entry.Replaceable
		return nil
	case isCode(err, codeNotFound):
		return chain.ErrNotFound
	case !unsupported(err):
		return err
	}
	// btcd and bchd tell of all at once only.
	var all map[string]struct{ Depends []string }
	if err := n.call(ctx, &all, "getrawmempool", true); err != nil {
		return err
	}
	seen, next := map[string]bool{}, []string{txid}
	for len(next) > 0 && len(seen) < maxAncestors {
		id := next[0]
		next = next[1:]
		for _, parent := range all[id].Depends {
			if seen[parent] {
				continue
			}
			seen[parent] = true
			next = append(next, parent)
			if tx, err := n.MempoolTx(ctx, parent); err == nil {
				s.Replaceable = s.Replaceable || tx.Replaceable
			}
		}
	}
	s.Ancestors = len(seen)
	return nil
}

// opinion is whether a node has a transaction, and whether it has one that spends
// the same.
func (e *endpoint) opinion(ctx context.Context, tx *chain.Tx) (has, rival bool, err error) {
	_, err = e.raw(ctx, "getrawtransaction", tx.ID, 0)
	if err != nil && !errors.Is(err, chain.ErrNotFound) {
		return false, false, err
	}
	has = err == nil
	inputs := make([]map[string]any, len(tx.Spends))
	for i, o := range tx.Spends {
		inputs[i] = map[string]any{"txid": o.Txid, "vout": o.Vout}
	}
	var spenders []struct{ SpendingTxid string }
	if err := e.call(ctx, &spenders, "gettxspendingprevout", inputs); err != nil {
		if unsupported(err) {
			err = nil
		}
		return has, false, err
	}
	for _, s := range spenders {
		rival = rival || s.SpendingTxid != "" && s.SpendingTxid != tx.ID
	}
	return has, rival, nil
}
