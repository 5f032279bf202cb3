package watch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
)

// gambler does random things to a chain and the invoices on it.
type gambler struct {
	*world
	dice *rand.Rand
	base int64 // height of the foundation, which cannot be cut
	invs []*invoice.Invoice
	txs  []string
}

func (g *gambler) step() {
	g.t.Helper()
	switch g.dice.IntN(13) {
	case 0, 1:
		g.invs = append(g.invs, g.invoice([]invoice.Speed{invoice.High, invoice.Medium, invoice.Low}[g.dice.IntN(3)]))
	case 2, 3:
		if len(g.invs) > 0 {
			inv := g.invs[g.dice.IntN(len(g.invs))]
			g.txs = append(g.txs, g.pay(inv, []uint64{due, due / 2, due / 4}[g.dice.IntN(3)]))
		}
	case 4:
		g.swap()
	case 5, 6:
		g.mine(1 + g.dice.IntN(4))
	case 7:
		g.rewrite()
	case 8:
		g.off()
		if g.dice.IntN(2) == 0 {
			g.mine(1 + g.dice.IntN(60))
		}
		g.rewrite()
		g.on()
	case 9:
		g.clock.forward(time.Duration(g.dice.IntN(25)) * time.Minute)
	case 10:
		g.cut()
	default:
		g.sync()
	}
}

// swap replaces or double-spends a payment that still waits.
func (g *gambler) swap() {
	g.t.Helper()
	if len(g.txs) == 0 {
		return
	}
	txid, opts := g.txs[g.dice.IntN(len(g.txs))], sandbox.ReplaceOptions{}
	if g.dice.IntN(2) == 0 {
		opts = sandbox.ReplaceOptions{To: g.invs[g.dice.IntN(len(g.invs))].Terms.Options[0].Address, Amount: due}
	}
	var id string
	var err error
	if g.dice.IntN(3) == 0 {
		id, _, err = g.chain.ConflictInBlock(g.ctx, txid, opts)
	} else {
		id, err = g.chain.Replace(g.ctx, txid, opts)
	}
	if err == nil {
		g.txs = append(g.txs, id)
	} else if !errors.Is(err, chain.ErrNotFound) && !errors.Is(err, sandbox.ErrNotOurs) {
		g.t.Logf("not replaced: %v", err)
	}
}

func (g *gambler) rewrite() {
	g.t.Helper()
	depth := 1 + g.dice.IntN(5)
	g.reorg(depth, sandbox.ReorgOptions{Unmined: g.dice.IntN(2) == 0, Extra: g.dice.IntN(2)})
}

// cut takes blocks off the tip.
func (g *gambler) cut() {
	g.t.Helper()
	tip, err := g.chain.Tip(g.ctx)
	g.check(err)
	if most := int(tip.Height - g.base); most > 0 {
		_, err = g.chain.Invalidate(g.ctx, 1+g.dice.IntN(min(most, 4)))
		g.check(err)
	}
}

// truth is what the best chain and the mempool hold for an invoice. It notes
// all transactions that exist.
func (g *gambler) truth(exists map[string]bool, script func([]byte) bool) (list []string) {
	g.t.Helper()
	note := func(tx *chain.Tx, where string) {
		exists[tx.ID] = true
		for _, p := range tx.Payments {
			if script(p.To) {
				list = append(list, fmt.Sprintf("%s:%d %s %s", tx.ID, p.Vout, p.Amount, where))
			}
		}
	}
	tip, err := g.chain.Tip(g.ctx)
	g.check(err)
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := g.chain.HashAt(g.ctx, h)
		g.check(err)
		b, err := g.chain.Block(g.ctx, hash)
		g.check(err)
		for i := range b.Txs {
			note(&b.Txs[i], fmt.Sprintf("in %s", hash))
		}
	}
	ids, err := g.chain.Mempool(g.ctx)
	g.check(err)
	for _, id := range ids {
		tx, err := g.chain.MempoolTx(g.ctx, id)
		g.check(err)
		note(tx, "waiting")
	}
	slices.Sort(list)
	return list
}

// verify compares every invoice with the chain itself.
func (g *gambler) verify() {
	g.t.Helper()
	g.sync()
	g.atTip()
	owners := map[string]string{}
	for _, inv := range g.invs {
		o := inv.Terms.Options[0]
		asset, _ := g.app.Asset("BTC")
		wallets, err := g.app.Wallets(g.ctx, g.shop.ID)
		g.check(err)
		_, dest, err := asset.Keys.Address(wallets[0].XPub, wallets[0].Kind, o.Index)
		g.check(err)
		exists := map[string]bool{}
		want := g.truth(exists, func(to []byte) bool { return string(to) == string(dest) })
		var got []string
		for _, c := range g.read(inv).Credits {
			if owner, taken := owners[fmt.Sprint(c.Outpoint)]; taken {
				g.t.Errorf("%v is credited to %s and %s", c.Outpoint, owner, inv.ID)
			}
			owners[fmt.Sprint(c.Outpoint)] = inv.ID
			where := "waiting"
			if c.State == invoice.Mined {
				where = "in " + c.BlockHash
			}
			// One whose parent was replaced is waited for an hour.
			orphan := c.State == invoice.Pending && slices.ContainsFunc(c.Spends, func(o chain.Outpoint) bool { return !exists[o.Txid] })
			if c.Live() && !orphan {
				got = append(got, fmt.Sprintf("%s:%d %s %s", c.Outpoint.Txid, c.Outpoint.Vout, c.Amount, where))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			g.t.Errorf("invoice %s is credited with %v, the chain holds %v", inv.ID, got, want)
		}
		g.told(inv) // numbered without gaps
	}
}

func TestWhateverHappensTheCreditsAreWhatTheChainHolds(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			g := &gambler{world: newWorld(t), dice: rand.New(rand.NewPCG(seed, 1))}
			tip, err := g.chain.Tip(g.ctx)
			g.check(err)
			g.base = tip.Height
			g.mine(10)
			for range 4 {
				for range 25 {
					g.step()
				}
				g.verify()
			}
		})
	}
}
