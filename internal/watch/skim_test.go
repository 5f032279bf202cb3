package watch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
)

// skimmed is the sandbox chain as a client sees it that has block filters and no
// mempool. Its filters never match by chance.
type skimmed struct {
	chain.Source
	beforeHeaders func()
	afterHeaders  func()
	afterSkim     func()
	reads         atomic.Int64 // blocks that were read whole
	outputs       map[chain.Outpoint][]byte
}

func (s *skimmed) Mempool(context.Context) ([]string, error) { return nil, chain.ErrNoMempool }

func (s *skimmed) Block(ctx context.Context, hash string) (*chain.Block, error) {
	s.reads.Add(1)
	return s.Source.Block(ctx, hash)
}

// once runs a hook a single time.
func once(f *func()) {
	if g := *f; g != nil {
		*f = nil
		g()
	}
}

func (s *skimmed) Headers(ctx context.Context, from, to int64) (list []*chain.Block, err error) {
	once(&s.beforeHeaders)
	for height := from; height <= to; height++ {
		hash, err := s.Source.HashAt(ctx, height)
		if err != nil {
			return nil, err
		}
		b, err := s.Source.Block(ctx, hash)
		if err != nil {
			return nil, err
		}
		list = append(list, &chain.Block{Ref: b.Ref, Prev: b.Prev, Time: b.Time})
	}
	once(&s.afterHeaders)
	return list, nil
}

// index remembers what outputs pay, of the blocks down to one that is known.
func (s *skimmed) index(ctx context.Context, b *chain.Block) error {
	if s.outputs == nil {
		s.outputs = map[chain.Outpoint][]byte{}
	}
	for {
		if _, known := s.outputs[chain.Outpoint{Txid: b.Txs[0].ID}]; known || b.Height == 0 {
			return nil
		}
		for _, tx := range b.Txs {
			for _, p := range tx.Payments {
				s.outputs[chain.Outpoint{Txid: tx.ID, Vout: p.Vout}] = p.To
			}
		}
		var err error
		if b, err = s.Source.Block(ctx, b.Prev); err != nil {
			return err
		}
	}
}

func (s *skimmed) Skim(ctx context.Context, blocks []*chain.Block, to chain.Destinations) ([]bool, error) {
	want := map[string]bool{}
	for _, r := range to {
		for at := 0; at < len(r.Bytes); at += r.Width {
			want[string(r.Bytes[at:at+r.Width])] = true
		}
	}
	hits := make([]bool, len(blocks))
	for i, known := range blocks {
		b, err := s.Source.Block(ctx, known.Hash)
		if err != nil {
			return nil, err
		}
		if err := s.index(ctx, b); err != nil {
			return nil, err
		}
		for _, tx := range b.Txs {
			for _, p := range tx.Payments {
				hits[i] = hits[i] || want[string(p.To)]
			}
			for _, o := range tx.Spends {
				hits[i] = hits[i] || want[string(s.outputs[o])]
			}
		}
	}
	once(&s.afterSkim)
	return hits, nil
}

// skimmedWorld is a server whose chain is skimmed.
func skimmedWorld(t testing.TB) (*world, *skimmed) {
	w := newWorld(t)
	src := &skimmed{Source: w.chain}
	w.src = src
	w.watch = w.newWatch(w.app, src)
	w.sync()
	return w, src
}

func TestOnlyBlocksThatConcernUsAreRead(t *testing.T) {
	w, src := skimmedWorld(t)
	inv := w.invoice(invoice.Medium)
	w.mine(5)
	w.pay(inv, due)
	w.mine(60)
	src.reads.Store(0)
	w.sync()
	w.atTip()
	w.is(inv, invoice.Complete, due)
	if n := src.reads.Load(); n != 1 {
		t.Errorf("%d of 65 blocks were read for one payment", n)
	}
}

// Addresses come to be at any moment of a reading, in this process and in others, and
// are paid at once. None is missed, whichever block took the payment.
func TestAnAddressMadeWhileBlocksAreSkimmedIsNotMissed(t *testing.T) {
	moments := map[string]func(*skimmed) *func(){
		"before the headers are known": func(s *skimmed) *func() { return &s.beforeHeaders },
		"after the headers are known":  func(s *skimmed) *func() { return &s.afterHeaders },
		"after they were skimmed":      func(s *skimmed) *func() { return &s.afterSkim },
	}
	for name, moment := range moments {
		for _, elsewhere := range []bool{false, true} {
			for _, replaced := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, by another process: %v, in a block that replaces the tip: %v", name, elsewhere, replaced), func(t *testing.T) {
					w, src := skimmedWorld(t)
					w.mine(3)
					var inv *invoice.Invoice
					*moment(src) = func() {
						here := w.app
						if elsewhere {
							w.app = w.newApp()
						}
						inv = w.invoice(invoice.Medium)
						w.app = here
						w.pay(inv, due)
						if replaced {
							// Another block at the height that is being read takes it.
							w.reorg(1, sandbox.ReorgOptions{})
						}
						w.mine(1)
					}
					w.sync()
					w.sync()
					w.atTip()
					if inv == nil {
						t.Fatal("the moment never came")
					}
					w.is(inv, invoice.Confirmed, due)
				})
			}
		}
	}
}

// A block takes a payment back, and another one spends the payer's coins elsewhere.
// It pays none of our addresses; it is noticed all the same.
func TestADoubleSpendAfterAReorganisationIsNoticedWithoutAMempool(t *testing.T) {
	w, _ := skimmedWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	w.reorg(1, sandbox.ReorgOptions{Unmined: true})
	w.sync()
	_, _, err := w.chain.ConflictInBlock(w.ctx, txid, sandbox.ReplaceOptions{})
	w.check(err)
	w.sync()
	w.is(inv, invoice.Invalid, 0)
}

// verifyMined compares the mined payments with the chain itself, and sees that none
// waits that can confirm no more.
func (g *gambler) verifyMined() {
	g.t.Helper()
	g.sync()
	g.atTip()
	spent := map[chain.Outpoint]string{}
	tip, err := g.chain.Tip(g.ctx)
	g.check(err)
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := g.chain.HashAt(g.ctx, h)
		g.check(err)
		b, err := g.chain.Block(g.ctx, hash)
		g.check(err)
		for _, tx := range b.Txs {
			for _, o := range tx.Spends {
				spent[o] = tx.ID
			}
		}
	}
	for _, inv := range g.invs {
		script, _, err := g.app.Assets[0].Spending.Own(chain.Account{XPub: g.signer.XPub(), Kind: "bip84"}, chain.Path{Index: inv.Terms.Options[0].Index})
		g.check(err)
		dest, err := g.app.Assets[0].Spending.Destination(script)
		g.check(err)
		want := slices.DeleteFunc(g.truth(map[string]bool{}, func(to []byte) bool { return string(to) == string(dest) }), func(s string) bool {
			return s[len(s)-len("waiting"):] == "waiting"
		})
		var got []string
		for _, c := range g.read(inv).Credits {
			switch {
			case c.State == invoice.Mined && c.Live():
				got = append(got, fmt.Sprintf("%s:%d %s in %s", c.Outpoint.Txid, c.Outpoint.Vout, c.Amount, c.BlockHash))
			case c.Live():
				for _, o := range c.Spends {
					if by := spent[o]; by != "" && by != c.Outpoint.Txid {
						g.t.Errorf("payment %v waits, but %s spends its coins", c.Outpoint, by)
					}
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			g.t.Errorf("invoice %s is credited with %v, the chain holds %v", inv.ID, got, want)
		}
	}
}

func TestWhateverHappensASkimmedChainGivesTheSameCredits(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			w, _ := skimmedWorld(t)
			g := &gambler{world: w, dice: rand.New(rand.NewPCG(seed, 2))}
			tip, err := g.chain.Tip(g.ctx)
			g.check(err)
			g.base = tip.Height
			g.mine(10)
			for range 4 {
				for range 25 {
					g.step()
				}
				g.verifyMined()
			}
		})
	}
}

var _ chain.Skimmer = (*skimmed)(nil)
