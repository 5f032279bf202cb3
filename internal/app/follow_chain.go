package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// ErrCursorMoved means that the chain was followed by somebody else since the
// cursor was read. Nothing was applied.
var ErrCursorMoved = errors.New("app: the cursor of the chain moved meanwhile")

// Hit is a payment to a destination that is probably ours.
type Hit struct {
	Tx      *chain.Tx
	Payment *chain.Payment
}

// BlockHits is one block and what in it may be ours.
type BlockHits struct {
	Block  *chain.Block
	Hits   []Hit
	Spends []*chain.Tx // those that may spend a coin of ours
}

// Progress is what one reading of a chain brought: how the best chain moved and
// which unconfirmed transactions are new. It is applied whole or not at all.
type Progress struct {
	Chain string
	From  chain.Ref   // where the cursor is believed to stand
	Undo  []chain.Ref // blocks that left the best chain, highest first
	Base  chain.Ref   // where the cursor stands after Undo
	New   []BlockHits // blocks that joined it, lowest first
	// Unconfirmed holds new transactions of the mempool, Hits those of their
	// payments that may be ours.
	Unconfirmed []*chain.Tx
	Hits        []Hit
	Spends      []*chain.Tx // those that may spend a coin of ours
	// Dropped are transactions that the mempool no longer holds, for DropAfter.
	Dropped []string
	// ReadAt is when the reading began, before the mempool was listed. It is also
	// when unconfirmed payments count as first seen: a payment that made it into
	// a reading of before a deadline was in time, however long the reading took.
	ReadAt   time.Time
	Complete bool // whether it went up to the tip and the mempool
}

// FollowChain applies one reading of a chain: payments are recorded, reorganised
// blocks undone, replaced payments noticed, and every invoice that is concerned
// assessed once, against the final state.
func (a *App) FollowChain(ctx context.Context, p Progress) error {
	var touched []string
	if !p.empty() {
		now := a.now()
		err := a.Store.Update(ctx, func(tx *store.Tx) error {
			b := &batch{app: a, tx: tx, p: &p, now: now, open: map[string]*open{}, transfers: map[string]*moving{}}
			err := b.run()
			touched = b.touched
			if errors.Is(err, store.ErrExists) {
				// A payment that a wallet handed over is recorded as it is sent, and the
				// watcher may see it at the same moment: who comes second looks again.
				err = fmt.Errorf("%w: %w", store.ErrChanged, err)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if p.Complete {
		a.mu.Lock()
		a.readAt[p.Chain] = p.ReadAt
		a.mu.Unlock()
	}
	a.tellEvents(touched...)
	return nil
}

func (p *Progress) empty() bool {
	return len(p.Undo)+len(p.New)+len(p.Unconfirmed)+len(p.Hits)+len(p.Dropped) == 0
}

// batch is one reading on its way into the database; it lives in one transaction.
type batch struct {
	app     *App
	tx      *store.Tx
	p       *Progress
	now     time.Time
	open    map[string]*open
	touched []string
	added   int64 // outputs of ours that were not known

	transfers map[string]*moving
}

// open is an invoice being changed.
type open struct {
	inv     *invoice.Invoice
	changes []invoice.Change
	dirty   bool
}

func (b *batch) run() error {
	if err := b.undo(); err != nil {
		return err
	}
	if err := b.connect(); err != nil {
		return err
	}
	for _, h := range b.p.Hits {
		if err := b.see(h, nil); err != nil {
			return err
		}
	}
	if err := b.spends(b.p.Spends, chain.Ref{}); err != nil {
		return err
	}
	if err := b.conflicts(); err != nil {
		return err
	}
	for _, txid := range b.p.Dropped {
		if err := b.lose(txid); err != nil {
			return err
		}
	}
	if err := b.deepen(); err != nil {
		return err
	}
	if err := b.assess(); err != nil {
		return err
	}
	return b.assessTransfers()
}

// deepen opens the invoices whose payments a new tip lays deeper or less deep.
// Blocks that only join matter to those still waiting for confirmations.
func (b *batch) deepen() error {
	var ids []string
	var err error
	switch {
	case len(b.p.Undo) > 0:
		ids, err = b.tx.InvoicesWithOpenCredits(b.p.Chain)
	case len(b.p.New) > 0:
		ids, err = b.tx.InvoicesAwaitingDepth(b.p.Chain)
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := b.invoice(id); err != nil {
			return err
		}
	}
	if n := len(b.p.New); n > 0 {
		tip := b.p.New[n-1].Block.Height
		return errors.Join(
			b.tx.SettleCredits(b.p.Chain, tip-invoice.SettledDepth+1),
			b.tx.SettleCoins(b.p.Chain, tip-invoice.SettledDepth+1))
	}
	return nil
}

func (b *batch) invoice(id string) (*open, error) {
	if o, ok := b.open[id]; ok {
		return o, nil
	}
	inv, err := b.tx.Invoice(id)
	if err != nil {
		return nil, fmt.Errorf("invoice %s: %w", id, err)
	}
	o := &open{inv: inv}
	b.open[id] = o
	return o, nil
}

func (b *batch) undo() error {
	at := b.p.From
	for _, ref := range b.p.Undo {
		ids, err := b.tx.InvoicesInBlock(b.p.Chain, ref.Hash)
		if err != nil {
			return err
		}
		for _, id := range ids {
			o, err := b.invoice(id)
			if err != nil {
				return err
			}
			o.dirty = o.inv.Unmine(b.p.Chain, ref.Hash) || o.dirty
		}
		if err := b.undoCoins(ref.Hash); err != nil {
			return err
		}
	}
	if len(b.p.Undo) == 0 {
		return nil
	}
	return b.move(at, b.p.Base)
}

// move takes the cursor on. Trying again from where it no longer stands would
// be in vain, so that is not the error on which a transaction is repeated.
func (b *batch) move(from, to chain.Ref) error {
	err := b.tx.MoveCursor(b.p.Chain, from, to, b.now)
	if errors.Is(err, store.ErrChanged) {
		return ErrCursorMoved
	}
	return err
}

func (b *batch) connect() error {
	at := b.p.From
	if len(b.p.Undo) > 0 {
		at = b.p.Base
	}
	for _, n := range b.p.New {
		if n.Block.Prev != at.Hash || n.Block.Height != at.Height+1 {
			return fmt.Errorf("block %d does not follow block %d", n.Block.Height, at.Height)
		}
		for _, h := range n.Hits {
			if err := b.see(h, n.Block); err != nil {
				return err
			}
		}
		if err := b.spends(n.Spends, n.Block.Ref); err != nil {
			return err
		}
		if err := b.move(at, n.Block.Ref); err != nil {
			return err
		}
		at = n.Block.Ref
	}
	return nil
}

// see records one payment, if its destination is really ours.
func (b *batch) see(h Hit, block *chain.Block) error {
	owner, err := b.tx.Address(b.p.Chain, h.Payment.To)
	if errors.Is(err, store.ErrNotFound) {
		return b.seeChange(h, block)
	}
	if err != nil {
		return err
	}
	if owner.Asset != h.Payment.Asset {
		return nil
	}
	if err := b.seeCoin(h, owner, false, block); err != nil || owner.Invoice == "" {
		return err
	}
	o, err := b.invoice(owner.Invoice)
	if err != nil {
		return err
	}
	score, doubts := 0, []string(nil)
	if block == nil {
		score, doubts = b.app.score(h.Tx, h.Payment.Asset)
	}
	changed, kind := o.inv.See(invoice.Sighting{
		Chain: b.p.Chain, Outpoint: chain.Outpoint{Txid: h.Tx.ID, Vout: h.Payment.Vout}, Asset: h.Payment.Asset,
		Amount: h.Payment.Amount, Block: block, At: b.p.ReadAt.UTC().Truncate(time.Millisecond),
		Spends: h.Tx.Spends, LowFee: h.Tx.FeeRate > 0 && h.Tx.FeeRate < b.app.lowFeeRate(h.Payment.Asset),
		Score: score, Doubts: doubts,
	}, b.now)
	o.dirty = o.dirty || changed
	if kind != "" {
		o.changes = append(o.changes, invoice.Change{Kind: kind, To: o.inv.Status})
	}
	return nil
}

// conflicts looks for transactions that spend what a waiting payment spends:
// that payment can no longer confirm.
func (b *batch) conflicts() error {
	pending, err := b.tx.PendingTxs(b.p.Chain)
	if err != nil {
		return err
	}
	spenders := spenders{}
	for _, p := range pending {
		spenders.add(p.Txid, p.Spends)
	}
	// Payments that this very batch found or put back are not stored yet.
	for _, o := range b.open {
		for _, c := range o.inv.Credits {
			if c.Chain == b.p.Chain && c.State == invoice.Pending {
				spenders.add(c.Outpoint.Txid, c.Spends)
			}
		}
	}
	if len(spenders) == 0 {
		return nil
	}
	for _, n := range b.p.New {
		for i := range n.Block.Txs {
			if err := b.displace(&n.Block.Txs[i], spenders); err != nil {
				return err
			}
		}
	}
	for _, tx := range b.p.Unconfirmed {
		if err := b.displace(tx, spenders); err != nil {
			return err
		}
	}
	return nil
}

// spenders tells which waiting payments spend an outpoint. For a moment there
// can be two: one payment and what has just replaced it.
type spenders map[chain.Outpoint][]string

func (s spenders) add(txid string, spends []chain.Outpoint) {
	for _, o := range spends {
		if !slices.Contains(s[o], txid) {
			s[o] = append(s[o], txid)
		}
	}
}

func (b *batch) displace(tx *chain.Tx, waiting spenders) error {
	for _, s := range tx.Spends {
		for _, loser := range waiting[s] {
			if loser == tx.ID {
				continue
			}
			if err := b.lose(loser); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batch) lose(txid string) error {
	if err := b.loseCoins(txid); err != nil {
		return err
	}
	ids, err := b.tx.InvoicesOfTx(b.p.Chain, txid)
	if err != nil {
		return err
	}
	for id := range b.open {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		o, err := b.invoice(id)
		if err != nil {
			return err
		}
		if o.inv.Lose(b.p.Chain, txid) {
			o.dirty = true
			o.changes = append(o.changes, invoice.Change{Kind: invoice.PaymentGone, To: o.inv.Status})
		}
	}
	return nil
}

// assess lets every invoice that was opened take its steps and stores it.
func (b *batch) assess() error {
	tips, err := b.tx.Tips()
	if err != nil {
		return err
	}
	facts := b.app.facts(b.now, tips)
	// In a fixed order, so that two processes cannot wait for one another.
	for _, id := range slices.Sorted(maps.Keys(b.open)) {
		o := b.open[id]
		settled := settledCredits(o.inv)
		moved, err := o.inv.Assess(facts)
		if err != nil {
			return fmt.Errorf("invoice %s: %w", id, err)
		}
		b.touched = append(b.touched, id)
		if !o.dirty && len(moved) == 0 && settled == settledCredits(o.inv) && !o.inv.BooksDiffer(tips) {
			continue
		}
		if err := b.app.save(b.tx, o.inv, append(o.changes, moved...), b.now); err != nil {
			return err
		}
	}
	return nil
}

func settledCredits(inv *invoice.Invoice) (n int) {
	for i := range inv.Credits {
		if inv.Credits[i].Settled {
			n++
		}
	}
	return n
}

func (a *App) facts(now time.Time, tips map[string]int64) invoice.Facts {
	a.mu.Lock()
	defer a.mu.Unlock()
	read := make(map[string]time.Time, len(a.readAt))
	for k, v := range a.readAt {
		read[k] = v
	}
	followed := map[string]bool{}
	for i := range a.Assets {
		followed[a.Assets[i].Chain] = true
	}
	return invoice.Facts{Now: now, Tips: tips, ReadAt: read, Followed: followed}
}
