package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// handOver bounds how long a wallet waits for the network; past it the payment is
// kept and sent again.
const handOver = 10 * time.Second

// TakePayment takes a signed payment from a wallet: it is stored, handed to the
// network and recorded as seen, in this order. The same payment again is fine and
// changes nothing.
//
// A crash after it was stored is made good by SendKeptPayments: the wallet has handed
// its payment over and may be gone.
func (a *App) TakePayment(ctx context.Context, id string, h HandedOver) error {
	s, err := a.Invoice(ctx, id)
	if err != nil {
		return err
	}
	p, err := a.readPayment(s.Invoice, h)
	if err != nil {
		// An invoice that is over has the first word: what is wrong with a payment of
		// it does not matter.
		if over := takesPayments(s.Invoice, a.now()); over != nil {
			return over
		}
		return err
	}
	if !p.Signed {
		return badPayment("The transaction is not signed")
	}
	posted, err := a.keepPayment(ctx, s.Invoice, p)
	if err != nil || posted.State == store.Sent {
		return err
	}
	if err := a.at("posted/kept"); err != nil {
		return err
	}
	// Whoever hangs up now has paid all the same.
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), handOver)
	defer done()
	return a.sendPosted(ctx, posted, p)
}

// keepPayment stores a payment that is about to be sent, unless it is known.
func (a *App) keepPayment(ctx context.Context, inv *invoice.Invoice, p *offered) (posted store.PostedPayment, err error) {
	posted, err = a.knownPayment(ctx, inv, p)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return posted, err
	}
	if err := takesPayments(inv, a.now()); err != nil {
		return posted, err
	}
	if err := p.exact(inv); err != nil {
		return posted, err
	}
	if err := a.oneAtATime(ctx, inv.ID, p.ID); err != nil {
		return posted, err
	}
	if err := a.inspect(ctx, inv, p, true); err != nil {
		return posted, err
	}
	fresh := store.PostedPayment{Chain: p.asset.Chain, Txid: p.ID, Invoice: inv.ID, Raw: p.Raw, State: store.Kept, At: a.now()}
	err = a.changeIn(ctx, inv.ID, func(tx *store.Tx, inv *invoice.Invoice) error {
		posted = fresh
		return keepOnce(tx, inv, p, &posted)
	})
	return posted, err
}

// keepOnce stores a payment, or finds it stored: another one may have come while the
// chain was asked, or this one.
func keepOnce(tx *store.Tx, inv *invoice.Invoice, p *offered, posted *store.PostedPayment) error {
	known, err := tx.PostedPayment(posted.Chain, posted.Txid, posted.Invoice)
	switch {
	case err == nil && known.State != store.Refused:
		*posted = known
		return nil
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	if err := takesPayments(inv, posted.At); err != nil {
		return err
	}
	if err := p.exact(inv); err != nil {
		return err
	}
	if err := otherTaken(tx, inv.ID, p.ID); err != nil {
		return err
	}
	inv.State.Posted = append(slices.Clone(inv.State.Posted), p.ID)
	err = tx.KeepPosted(*posted)
	if errors.Is(err, store.ErrExists) {
		err = store.ErrChanged
	}
	return err
}

// changeIn changes an invoice together with what belongs to it. Nobody is told:
// nothing of it shows.
func (a *App) changeIn(ctx context.Context, id string, do func(tx *store.Tx, inv *invoice.Invoice) error) error {
	now := a.now()
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invoice(id)
		if err != nil {
			return refine(err, notFound())
		}
		if err := do(tx, inv); err != nil {
			return err
		}
		return a.save(tx, inv, nil, now)
	})
}

// knownPayment finds a payment that was taken before, or that the chain has shown
// already; ErrNotFound where there is none.
func (a *App) knownPayment(ctx context.Context, inv *invoice.Invoice, p *offered) (posted store.PostedPayment, err error) {
	mine := func(c invoice.Credit) bool { return c.Chain == p.asset.Chain && c.Outpoint.Txid == p.ID }
	if i := slices.IndexFunc(inv.Credits, mine); i >= 0 {
		if !inv.Credits[i].Live() {
			return posted, badPayment("This payment was taken before, and another transaction has since spent its coins")
		}
		return store.PostedPayment{State: store.Sent}, nil
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		posted, err = tx.PostedPayment(p.asset.Chain, p.ID, inv.ID)
		return err
	})
	if err == nil && posted.State == store.Refused {
		err = store.ErrNotFound
	}
	return posted, err
}

// sendPosted hands the stored bytes to the network and stores what came of it.
func (a *App) sendPosted(ctx context.Context, posted store.PostedPayment, p *offered) error {
	err := p.asset.Sender.Send(ctx, posted.Raw)
	if stop := a.at("posted/sent"); stop != nil {
		return stop
	}
	if refused := (*chain.Rejected)(nil); errors.As(err, &refused) {
		return errors.Join(a.dropPosted(ctx, posted),
			fault.Access(http.StatusInternalServerError, "The network does not take the transaction: %s. Nothing was paid", refused.Reason))
	}
	if err != nil {
		a.Log.Error("a wallet's payment may not have reached the network; it is sent again", "invoice", posted.Invoice, "txid", posted.Txid, "error", err)
		return fault.Access(http.StatusInternalServerError, "It is not known yet whether the network has the transaction. Send this same transaction again, and make no other")
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error { return tx.EndPosted(posted, store.Sent) })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !p.asset.Unconfirmed {
		return nil
	}
	// Recorded as the watcher would, which need not come by first.
	if source, ok := p.asset.Sender.(chain.Prober); ok {
		p.Standing, err = source.Probe(ctx, p.ID)
		if err != nil {
			a.Log.Warn("how a wallet's payment stands could not be asked; the watcher asks again", "invoice", posted.Invoice, "txid", posted.Txid, "error", err)
			p.Standing = &chain.Standing{Unknown: true}
		}
	}
	err = a.FollowChain(ctx, Progress{Chain: posted.Chain, Unconfirmed: []*chain.Tx{&p.Tx}, Hits: []Hit{{Tx: &p.Tx, Payment: p.pays}}, ReadAt: posted.At})
	if err != nil {
		a.Log.Warn("a wallet's payment was sent and is not recorded yet; the watcher will", "invoice", posted.Invoice, "txid", posted.Txid, "error", err)
	}
	return nil
}

// dropPosted gives up a payment that the network does not take.
func (a *App) dropPosted(ctx context.Context, posted store.PostedPayment) error {
	err := a.changeIn(ctx, posted.Invoice, func(tx *store.Tx, inv *invoice.Invoice) error {
		if err := tx.EndPosted(posted, store.Refused); err != nil {
			return err
		}
		inv.State.Posted = slices.DeleteFunc(slices.Clone(inv.State.Posted), func(txid string) bool { return txid == posted.Txid })
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil // somebody else has found out
	}
	return err
}

// keptFor is how long a kept payment is left to whoever stored it.
const keptFor = 15 * time.Second

// SendKeptPayments sends what was stored and, as far as is known, not sent: the
// server stopped in between, or the network did not answer. A payment of an invoice
// that takes none any more is given up.
func (a *App) SendKeptPayments(ctx context.Context) error {
	var list []store.PostedPayment
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.KeptPayments(a.now().Add(-keptFor), 100)
		return err
	})
	for _, p := range list {
		if e := a.sendKept(ctx, p); e != nil {
			err = errors.Join(err, fmt.Errorf("payment %s of invoice %s: %w", p.Txid, p.Invoice, e))
		}
	}
	return err
}

func (a *App) sendKept(ctx context.Context, p store.PostedPayment) error {
	s, err := a.Invoice(ctx, p.Invoice)
	if err != nil {
		return err
	}
	shown := slices.ContainsFunc(s.Credits, func(c invoice.Credit) bool { return c.Chain == p.Chain && c.Outpoint.Txid == p.Txid && c.Live() })
	if !shown && takesPayments(s.Invoice, a.now()) != nil {
		a.Log.Warn("a wallet's payment is not sent any more: its invoice is over", "invoice", p.Invoice, "txid", p.Txid)
		return a.dropPosted(ctx, p)
	}
	for i := range s.Terms.Options {
		o := &s.Terms.Options[i]
		if o.Chain != p.Chain {
			continue
		}
		var read *offered
		read, err = a.readPayment(s.Invoice, HandedOver{Chain: p.Chain, Currency: o.Asset, Transactions: []HandedTx{{Hex: hex.EncodeToString(p.Raw)}}})
		if err == nil {
			return a.sendPosted(ctx, p, read)
		}
	}
	return err
}
