package watch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// judge holds the server against a fresh one that knows the same merchant, wallet and
// invoices, stands where the first began, and sees only the chain as it is now.
//
// Two things the fresh one cannot know. They are inherent, and all that is passed over:
//
//   - When a payment was first seen waiting. It decides whether the payment was in time
//     and since when it waits, so where a history turns on it (history.clock) the fresh
//     server is shown each payment that is left at the time that the first one had
//     stored. Nowhere else: a payment's block proves its time to both.
//   - That there was a payment once. Of an invoice whose amount is not there the first
//     server says invalid (it failed to confirm), and the other one expired (none came).
//     Either takes a payment that is there after all.
func (s *stage) judge() {
	s.t.Helper()
	s.clock.forward(20 * time.Minute) // no window is open
	s.sync()
	fresh := s.fresh()
	ids := map[string]bool{}
	for _, w := range []*world{s.world, fresh} {
		for _, inv := range s.bought {
			for _, c := range w.read(inv).Credits {
				ids[c.Outpoint.Txid] = true
			}
		}
	}
	txids := slices.Sorted(maps.Keys(ids))
	if d := diff.Diff(s.standing(fresh, txids), s.standing(s.world, txids)); d != "" {
		s.t.Errorf("a fresh server (-) ends otherwise than this one (+):\n%s", d)
	}
	for name, w := range map[string]*world{"this server": s.world, "the fresh one": fresh} {
		_, err := w.app.Verify(s.ctx, app.VerifyOptions{Sources: map[string]chain.Source{s.coin.Code: s.line.node.source()}, Report: func(f app.Finding) {
			if f.Breach != "" {
				s.t.Errorf("%s: %s: %s", name, f.Name, f.Breach)
			}
		}})
		s.check(err)
		w.solvent()
	}
}

// fresh is the other server.
func (s *stage) fresh() *world {
	s.t.Helper()
	f := &world{
		t: s.t, ctx: s.ctx, dir: s.t.TempDir(), coin: s.coin, patient: true, clock: &clock{t: s.clock.now()}, rand: &random{r: rand.NewChaCha8([32]byte{9})},
		chain: s.line.chain, src: s.line.node.source(), sender: s.line.node.sender(), shop: s.shop, signer: s.signer,
	}
	wallets, err := s.app.Wallets(s.ctx, s.shop.ID)
	s.check(err)
	asset, _ := s.app.Asset(s.coin.Code)
	f.store, err = store.Open(s.ctx, "", f.dir)
	s.check(err)
	s.check(f.store.Update(s.ctx, func(tx *store.Tx) error {
		if err := f.furnish(tx, wallets[0], s.token); err != nil {
			return err
		}
		for _, made := range s.bought {
			inv := *made
			o := inv.Terms.Options[0]
			_, destination, err := asset.Keys.Address(wallets[0].XPub, wallets[0].Kind, o.Index)
			if err == nil {
				err = tx.AddInvoice(&inv, [][]byte{destination})
			}
			if err != nil {
				return err
			}
		}
		return tx.StartCursor(store.Cursor{Chain: s.coin.Code, Network: f.src.Network(), Genesis: f.src.Genesis(), Block: s.base, At: s.bought[0].Created})
	}))
	f.off()
	s.t.Cleanup(f.off)
	f.open()
	if s.history.clock && !s.platform.blind {
		s.retell(f)
	}
	f.watch.Source = f.src
	f.sync()
	return f
}

func (f *world) furnish(tx *store.Tx, w *merchant.Wallet, t *merchant.Token) error {
	for _, do := range []func() error{
		func() error { return tx.AddMerchant(f.shop) },
		func() error { return tx.AddWallet(w) },
		func() error { return tx.AddToken(t) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// retell shows a fresh server the payments that are left when the first one saw them.
func (s *stage) retell(f *world) {
	s.t.Helper()
	g := &glimpse{Source: f.src, base: s.base, waiting: map[string]*chain.Tx{}}
	there := s.there()
	var credits []invoice.Credit
	for _, inv := range s.bought {
		credits = append(credits, s.read(inv).Credits...)
	}
	slices.SortFunc(credits, func(a, b invoice.Credit) int { return a.FirstSeen.Compare(b.FirstSeen) })
	now := f.clock.now()
	f.watch.Source = g
	for _, c := range credits {
		if tx := there[c.Outpoint.Txid]; c.Live() && tx != nil {
			g.waiting[tx.ID] = tx
			f.clock.set(c.FirstSeen)
			f.sync()
		}
	}
	f.clock.set(now)
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// there is every transaction of the chain since the beginning, and what waits.
func (s *stage) there() map[string]*chain.Tx {
	s.t.Helper()
	src, found := s.line.node.source(), map[string]*chain.Tx{}
	tip, err := src.Tip(s.ctx)
	s.check(err)
	for h := s.base.Height + 1; h <= tip.Height; h++ {
		hash, err := src.HashAt(s.ctx, h)
		s.check(err)
		b, err := src.Block(s.ctx, hash)
		s.check(err)
		for i := range b.Txs {
			found[b.Txs[i].ID] = &b.Txs[i]
		}
	}
	ids, err := src.Mempool(s.ctx)
	s.check(err)
	for _, id := range ids {
		tx, err := src.MempoolTx(s.ctx, id)
		s.check(err)
		found[id] = tx
	}
	return found
}

// glimpse is a chain before anything of a history was mined.
type glimpse struct {
	chain.Source
	base    chain.Ref
	waiting map[string]*chain.Tx
}

func (g *glimpse) Tip(context.Context) (chain.Ref, error) { return g.base, nil }

func (g *glimpse) HashAt(ctx context.Context, height int64) (string, error) {
	if height > g.base.Height {
		return "", chain.ErrNotFound
	}
	return g.Source.HashAt(ctx, height)
}

func (g *glimpse) Mempool(context.Context) ([]string, error) {
	return slices.Collect(maps.Keys(g.waiting)), nil
}

func (g *glimpse) MempoolTx(_ context.Context, txid string) (*chain.Tx, error) {
	return g.waiting[txid], nil
}

// unsold is what is said of an invoice that was not paid, whatever happened to it.
const unsold = "expired or invalid"

// standing is where a server stands, in words.
func (s *stage) standing(w *world, txids []string) (all []string) {
	s.t.Helper()
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	at, err := w.app.Cursor(s.ctx, s.coin.Code)
	s.check(err)
	say("followed up to %v", at)
	for i, made := range s.bought {
		inv := w.read(made)
		under, over := inv.Difference()
		status := string(inv.Status)
		if paid, _ := inv.Applied(); paid.Cmp(inv.Terms.Options[0].Due) < 0 && (inv.Status == invoice.Expired || inv.Status == invoice.Invalid) {
			status = unsold
		}
		say("invoice %d is %s %q: received %s, %s under, %s over, late %v", i, status, inv.Exception(), inv.Received(), under, over, inv.HasLate())
		slices.SortFunc(inv.Credits, func(a, b invoice.Credit) int {
			return cmp.Or(cmp.Compare(a.Outpoint.Txid, b.Outpoint.Txid), cmp.Compare(a.Outpoint.Vout, b.Outpoint.Vout))
		})
		for _, c := range inv.Credits {
			if c.Live() {
				say("  %s:%d pays %s, %s in %q at %d, booked %v", c.Outpoint.Txid, c.Outpoint.Vout, c.Amount, c.State, c.BlockHash, c.Height, c.Entry != "")
			} else if c.Entry != "" {
				say("  %s:%d is gone and booked", c.Outpoint.Txid, c.Outpoint.Vout)
			}
		}
	}
	s.check(w.store.View(s.ctx, func(tx *store.Tx) error {
		for _, id := range txids {
			coins, err := tx.CoinsOf(s.coin.Code, id)
			if err != nil {
				return err
			}
			for _, c := range coins {
				if c.State != store.CoinGone {
					say("coin %s:%d of %s, %s in %v, spent by %q, booked in %v out %v", c.Txid, c.Vout, c.Amount, c.State, c.Block, c.SpentBy, c.In, c.Out)
				}
			}
		}
		list, err := tx.UnappliedPayments(s.shop.ID)
		slices.SortFunc(list, func(a, b store.Unapplied) int { return cmp.Compare(a.Invoice, b.Invoice) })
		for _, u := range list {
			say("not applied: %s of invoice %s, %s", u.Amount, u.Invoice, u.Reason)
		}
		return err
	}))
	books := w.balances()
	for _, name := range slices.Sorted(maps.Keys(books)) {
		say("account %s: %s", name, books[name])
	}
	return all
}
