package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/node"
	"github.com/quittance/quittance/internal/store"
)

// behindWorse is how many blocks the server may be behind its node before it is worth
// a word.
const behindWorse = 3

// Node looks at the nodes of one chain: whether they answer, whether they are on the
// right chain, in sync and with peers, what they say about fees, and how far behind
// them the server is.
func Node(ctx context.Context, n *node.Node, st *store.Store, now time.Time) (list []Finding) {
	err := n.Check(ctx)
	var wrong *node.WrongChain
	if errors.As(err, &wrong) {
		return []Finding{broken("correct --node or --network", "%s: %v", n.Chain(), err)}
	}
	if err != nil {
		return []Finding{broken("start the node, and check address, user, password and rpcallowip", "%s: no node answers: %v", n.Chain(), err)}
	}
	for _, e := range n.Endpoints() {
		if e.Err != nil {
			list = append(list, worse("it is done without at present; see to it before the others fail", "%s: the node %s does not answer: %v", n.Chain(), e.Name, e.Err))
		}
	}
	h, err := n.Health(ctx)
	if err != nil {
		return append(list, broken("look at the node's log", "%s: the node cannot say how it is: %v", n.Chain(), err))
	}
	list = append(list, health(n, h, now)...)
	return append(list, followed(ctx, n.Chain(), h.Tip, st))
}

func health(n *node.Node, h *node.Health, now time.Time) (list []Finding) {
	live := n.Network() != "regtest"
	switch age := now.Sub(h.TipTime); {
	case h.Syncing:
		list = append(list, broken("wait for it; nothing is lost, it is found afterwards", "%s: the node still reads the chain (block %d of %d)", n.Chain(), h.Tip.Height, h.Headers))
	case live && age > 2*time.Hour:
		list = append(list, worse("check its peers and its clock", "%s: the node's last block is %s old", n.Chain(), age.Round(time.Minute)))
	default:
		list = append(list, fine("%s: the node is at block %d", n.Chain(), h.Tip.Height))
	}
	if live && h.Peers == 0 {
		list = append(list, broken("connect it to the network", "%s: the node has no peers: it sees neither blocks nor payments", n.Chain()))
	}
	if h.Pruned {
		list = append(list, worse("keep the node running, or give a second one that keeps its blocks", "%s: the node throws old blocks away (pruned): what happens while it is down longer than that cannot be read any more", n.Chain()))
	}
	if h.Estimate == 0 {
		list = append(list, worse("on a new node this passes after some hours; --node-fee is taken meanwhile", "%s: the node has no estimate of fees; %d satoshi per 1,000 virtual bytes are taken", n.Chain(), h.Fallback))
	} else {
		list = append(list, fine("%s: a payment out costs %d satoshi per 1,000 virtual bytes", n.Chain(), h.Estimate))
	}
	return list
}

// followed says how far behind its node the database is.
func followed(ctx context.Context, code string, tip chain.Ref, st *store.Store) Finding {
	var c store.Cursor
	err := st.View(ctx, func(tx *store.Tx) (err error) {
		c, err = tx.Cursor(code)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return worse("start the server", "%s: no server has followed this chain here yet", code)
	}
	if err != nil {
		return broken("look at the database", "%s: how far it was followed cannot be read: %v", code, err)
	}
	if behind := tip.Height - c.Block.Height; behind > behindWorse {
		return worse("see that the server runs; it reads several blocks a second", "%s: the server is %d blocks behind its node", code, behind)
	}
	return fine("%s: the server has followed it to block %d", code, c.Block.Height)
}
