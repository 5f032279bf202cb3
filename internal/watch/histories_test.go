package watch

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/store/pgtest"
)

type sandboxChain = sandbox.Chain

// inside is the sandbox chain read in the process, also once it was opened anew.
type inside struct{ *sandboxChain }

func (n *inside) show(c *sandbox.Chain) { n.sandboxChain = c }
func (n *inside) source() chain.Source  { return n }
func (n *inside) sender() chain.Sender  { return n }
func (n *inside) empty()                {}

// light is the same without a mempool, skimmed instead of read.
type light struct{ inside }

func (n *light) source() chain.Source { return &skimmed{Source: &n.inside} }

func foreignChain(s *stage) chain.Source { return foreign{s.line.node.source()} }

var (
	inProcess = platform{
		name: "sandbox", coin: bitcoin.Regtest, wrong: foreignChain, says: "check the network setting",
		node: func(s *stage) node { return &inside{s.line.chain} },
	}
	inProcessLight = platform{
		name: "sandbox without a mempool", coin: bitcoin.Regtest, blind: true, wrong: foreignChain, says: "check the network setting",
		node: func(s *stage) node { return &light{inside{s.line.chain}} },
	}
)

// seedOf is what the randomness of a history begins with: as told, or always the same.
func seedOf(t *testing.T, usual uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv("QUITTANCE_SEED"), 10, 64); err == nil {
		return n
	}
	return usual
}

// play plays a history and judges its end.
func play(t *testing.T, p platform, db string, h history, seed uint64) {
	s := newStage(t, p, db, h, seed)
	h.play(s)
	s.judge()
}

// Whatever the chain, its nodes and payers do, a server ends where a fresh one stands
// that saw only the end of it: with a mempool and without one, on both engines.
func TestHistoriesEndRight(t *testing.T) {
	for _, h := range histories() {
		t.Run(h.name, func(t *testing.T) {
			for _, p := range []platform{inProcess, inProcessLight} {
				if h.pool && p.blind {
					continue // nothing is seen of it there
				}
				t.Run(p.name, func(t *testing.T) { t.Parallel(); play(t, p, "", h, seedOf(t, 1)) })
			}
			if h.heavy {
				t.Run("on PostgreSQL", func(t *testing.T) { t.Parallel(); play(t, inProcess, pgtest.Open(t), h, seedOf(t, 1)) })
			}
		})
	}
}

func (e *echo) Tip(ctx context.Context) (chain.Ref, error) {
	tip, err := e.Source.Tip(ctx)
	if err != nil || e.lag == 0 {
		return tip, err
	}
	hash, err := e.Source.HashAt(ctx, tip.Height-e.lag)
	return chain.Ref{Hash: hash, Height: tip.Height - e.lag}, err
}

func (e *echo) Mempool(ctx context.Context) (ids []string, err error) {
	if e.blind {
		return nil, chain.ErrNoMempool
	}
	now, err := e.Source.Mempool(ctx)
	if e.said == nil {
		e.said = map[string]*chain.Tx{}
	}
	for _, id := range now {
		if tx, err := e.Source.MempoolTx(ctx, id); err == nil {
			e.said[id] = tx
		}
	}
	for id := range e.said {
		ids = append(ids, id)
	}
	return ids, err
}

func (e *echo) MempoolTx(_ context.Context, txid string) (*chain.Tx, error) {
	if tx := e.said[txid]; tx != nil {
		return tx, nil
	}
	return nil, chain.ErrNotFound
}

// errPruned is what a node says of a block that it has thrown away.
var errPruned = errors.New("block not available (pruned data)")

// pruned is a node without its blocks.
type pruned struct{ chain.Source }

func (pruned) Block(context.Context, string) (*chain.Block, error) { return nil, errPruned }
