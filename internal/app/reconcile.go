package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// skip hands out every index up to a thousand beyond the highest that is known, to
// nobody, and has what is paid there found.
func (s *spender) skip(tx *store.Tx, m marks) error {
	index, change, err := tx.WalletMarks(s.wallet.ID)
	if err != nil {
		return err
	}
	toIndex, toChange := max(index, m.index)+skipped, max(change, m.change)+skipped
	if _, err := tx.ReserveIndices(s.wallet.ID, toIndex-index); err != nil {
		return err
	}
	if _, err := tx.ReserveChange(s.wallet.ID, toChange-change); err != nil {
		return err
	}
	for ; index < toIndex; index++ {
		_, dest, err := s.asset.Spending.Own(s.account(), chain.Path{Index: index})
		if err != nil {
			return err
		}
		if err := tx.AddAddress(s.asset.Chain, dest, store.AddressOwner{Asset: s.asset.Code, Wallet: s.wallet.ID, Index: index}, s.now()); err != nil {
			return err
		}
	}
	for ; change < toChange; change++ {
		_, dest, err := s.asset.Spending.Own(s.account(), chain.Path{Change: true, Index: change})
		if err != nil {
			return err
		}
		if err := tx.AddChangeAddress(store.ChangeAddress{Chain: s.asset.Chain, Destination: dest, Wallet: s.wallet.ID, Index: change, Created: s.now()}); err != nil {
			return err
		}
	}
	return nil
}

// Reconciled is what Reconcile found and did.
type Reconciled struct {
	// Recalled are the payments that were signed and that the database knows again.
	Recalled []string `json:"recalled"`
	// Due is what will leave once the lock is lifted: the resources of queued orders,
	// and payouts and refunds that wait. Some may have been withdrawn in the time that
	// was forgotten, so a person looks.
	Due []string `json:"due"`
}

// Reconcile teaches a database that was put back what its journal knows: every
// payment that was signed, with all attempts, so that none is made a second time. It
// may be repeated. The lock stays until a person lifts it.
func (a *App) Reconcile(ctx context.Context) (*Reconciled, error) {
	if a.Journal == nil {
		return nil, errors.New("there is no journal to reconcile with")
	}
	out := &Reconciled{Recalled: []string{}, Due: []string{}}
	for _, n := range a.recollect().transfers {
		var told []string
		done := false
		err := a.Store.Update(ctx, func(tx *store.Tx) (err error) {
			done, told, err = a.recall(tx, n)
			return err
		})
		if err != nil {
			return out, fmt.Errorf("transfer %s: %w", n.Transfer.ID, err)
		}
		if done {
			out.Recalled = append(out.Recalled, n.Transfer.ID)
		}
		a.tellEvents(told...)
	}
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		out.Due, err = due(tx)
		return err
	})
	return out, err
}

// due lists what waits to leave.
func due(tx *store.Tx) ([]string, error) {
	list := []string{}
	err := tx.EachOpenOrder(func(o *transfer.Order, left bool) error {
		if !left {
			list = append(list, fmt.Sprintf("%s %s: %s %s to %s", o.Kind, o.Resource, o.Value, o.Currency, o.Address))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	payouts, err := tx.NewPayouts()
	for _, p := range payouts {
		list = append(list, "payout "+p.ID+" that is new")
	}
	return list, err
}

// recall brings one transfer back as its journal has it. done is false when the
// database knew it.
func (a *App) recall(tx *store.Tx, n Note) (done bool, told []string, err error) {
	now := a.now()
	have, err := tx.Transfer(n.Transfer.ID)
	switch {
	case err == nil && len(have.Attempts) >= len(n.Transfer.Attempts):
		return false, nil, nil
	case err == nil:
		// It knows the payment, and not its replacement.
		have.Attempts = n.Transfer.Attempts
	case errors.Is(err, store.ErrNotFound):
		t := *n.Transfer
		t.State, t.Settled, t.Version, t.Booked, t.Foreign = transfer.Planned, false, 0, transfer.Booked{}, nil
		t.Problem, t.Tries, t.Asked, t.Current = "", 0, time.Time{}, 0
		for i, o := range n.Orders {
			id, err := a.recallOrder(tx, o, t.ID, now)
			if err != nil {
				return false, nil, fmt.Errorf("%s %s: %w", o.Kind, o.Resource, err)
			}
			for j := range t.Members {
				if t.Members[j].Order == n.Orders[i].ID {
					t.Members[j].Order = id
				}
			}
		}
		if err := tx.AddTransfer(&t); err != nil {
			return false, nil, err
		}
		have = &t
	default:
		return false, nil, err
	}
	if told, err = a.follow(tx, have, now); err != nil {
		return false, nil, err
	}
	return true, told, nil
}

// follow gives a recalled transfer its coins, and lets it go to where the chain has
// brought it meanwhile.
func (a *App) follow(tx *store.Tx, t *transfer.Transfer, now time.Time) (told []string, err error) {
	asset, ok := a.Asset(t.Asset)
	if !ok || asset.Spending == nil {
		return nil, fmt.Errorf("%s cannot be sent from here", t.Asset)
	}
	for i := range t.Attempts {
		at := &t.Attempts[i]
		at.Place, at.Seen = nil, false
		txid, err := asset.Spending.ID(at.Packet)
		if errors.Is(err, chain.ErrNoID) {
			txid, err = spentTogether(tx, t.Chain, at)
		}
		if err != nil {
			return nil, err
		}
		for _, in := range at.Inputs {
			c, err := tx.Coin(t.Chain, in.Outpoint)
			if errors.Is(err, store.ErrNotFound) {
				return nil, fmt.Errorf("it spends %s:%d, which the database does not know yet: let the server follow the chain to its tip, then repeat this", in.Txid, in.Vout)
			}
			if err != nil {
				return nil, err
			}
			if err := a.claimCoin(tx, c, t, now); err != nil {
				return nil, err
			}
			if c.SpentBy == txid {
				at.Txid, at.Seen, t.Current = txid, true, i
				if c.SpentIn.Hash != "" {
					at.Place = &transfer.Place{Txid: txid, Hash: c.SpentIn.Hash, Height: c.SpentIn.Height}
				}
			}
		}
	}
	tips, err := tx.Tips()
	if err != nil {
		return nil, err
	}
	return a.assessTransfer(tx, &moving{Transfer: t, dirty: true}, tips[t.Chain], now)
}

// spentTogether is the one transaction that spends all inputs of an attempt whose
// id cannot be known before it is signed, empty when there is none. That it is the
// attempt itself is told by the change, which comes back where the attempt sends it.
func spentTogether(tx *store.Tx, chainName string, at *transfer.Attempt) (string, error) {
	txid := ""
	for i, in := range at.Inputs {
		c, err := tx.Coin(chainName, in.Outpoint)
		if errors.Is(err, store.ErrNotFound) {
			return "", nil // what follows asks to let the server catch up
		}
		if err != nil || c.SpentBy == "" || i > 0 && c.SpentBy != txid {
			return "", err
		}
		txid = c.SpentBy
	}
	if at.Change < 0 {
		return "", fmt.Errorf("transaction %s spends its inputs, and without change nothing here tells whether it is the one: look at what it pays", txid)
	}
	change, err := tx.Coin(chainName, chain.Outpoint{Txid: txid, Vout: uint32(at.Change)})
	if errors.Is(err, store.ErrNotFound) || err == nil && !bytes.Equal(change.To, at.Outputs[at.Change].To) {
		return "", nil
	}
	return txid, err
}

// claimCoin gives a coin to a recalled transfer. That it was spent was taken for the
// merchant's own withdrawal until now.
func (a *App) claimCoin(tx *store.Tx, c *store.Coin, t *transfer.Transfer, now time.Time) error {
	if c.Transfer != "" && c.Transfer != t.ID {
		return fmt.Errorf("its input %s:%d belongs to transfer %s by now", c.Txid, c.Vout, c.Transfer)
	}
	if err := a.unbookStranger(tx, c, false, true, now); err != nil {
		return err
	}
	c.Transfer, c.Settled = t.ID, false
	return tx.SetCoin(c)
}

// recallOrder finds the order that pays what a forgotten one paid, or makes it anew
// with what the books have to hold for it, and returns its id.
func (a *App) recallOrder(tx *store.Tx, o *transfer.Order, transferID string, now time.Time) (string, error) {
	list, err := tx.OrdersOf(o.Resource)
	if err != nil {
		return "", err
	}
	for _, have := range list {
		same := have.ID == o.ID || have.Kind == o.Kind && o.Kind != transfer.Proof && have.State == transfer.Queued
		if !same {
			continue
		}
		if err := a.supersede(tx, have, transferID, now); err != nil {
			return "", err
		}
		have.Gross, have.Kept, have.Rates, have.To, have.Address = o.Gross, o.Kept, o.Rates, o.To, o.Address
		have.State, have.Transfer, have.Problem = transfer.Taken, transferID, ""
		return have.ID, tx.SetOrder(have)
	}
	made := *o
	made.State, made.Transfer, made.Problem, made.Version = transfer.Taken, transferID, "", 0
	if err := a.holdAgain(tx, &made, now); err != nil {
		return "", err
	}
	return made.ID, tx.AddOrder(&made)
}

// supersede gives up the transfer that an order is in, if that is another one than
// the journal put it in last.
func (a *App) supersede(tx *store.Tx, o *transfer.Order, transferID string, now time.Time) error {
	if o.State != transfer.Taken || o.Transfer == transferID {
		return nil
	}
	t, err := tx.Transfer(o.Transfer)
	if err != nil {
		return err
	}
	before := t.State
	if err := giveUp(tx, t, "its payments were given to be signed in transfer "+transferID+" later"); err != nil {
		return err
	}
	if _, err := a.transferMoved(tx, t, before, now); err != nil {
		return err
	}
	if err := tx.SetTransfer(t); err != nil {
		return err
	}
	back, err := tx.Order(o.ID)
	if err == nil {
		*o = *back
	}
	return err
}

func recalledKey(o *transfer.Order) string { return "recalled/" + o.ID }

// holdAgain reserves what a forgotten order takes. The money left whatever the books
// say, so they may show a deficit.
func (a *App) holdAgain(tx *store.Tx, o *transfer.Order, now time.Time) error {
	e := ledger.New(ledger.Reserve, recalledKey(o), o.Merchant, now)
	e.AllowDeficit = true
	line := func(code ledger.Code, text string) {
		e.Line(o.Currency, o.Value.Delta().Neg(), code, text).Credit(ledger.Reserved, o.Currency, o.Value)
	}
	switch o.Kind {
	case transfer.Payout:
		line(ledger.PayoutFunding, "PayoutRequest "+o.Resource)
		e.Refs = ledger.Refs{Payout: o.Resource}
		return a.fundAgain(tx, o, e, now)
	case transfer.Settlement:
		line(ledger.AccountSettlement, "Account Settlement "+o.Resource)
		e.Refs = ledger.Refs{Settlement: o.Resource}
	case transfer.Refund:
		return a.holdRefundAgain(tx, o, e, line, now)
	default:
		line(ledger.Custom, "Test amount to recipient "+o.Resource)
	}
	return a.post(tx, e)
}

// fundAgain funds a payout as the journal says it was, if the database knows it.
func (a *App) fundAgain(tx *store.Tx, o *transfer.Order, e *ledger.Entry, now time.Time) error {
	if err := a.post(tx, e); err != nil {
		return err
	}
	p, err := tx.Payout(o.Resource)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Status != payout.New {
		return nil
	}
	if err != nil {
		return err
	}
	p.State.Entry, p.State.Order, p.State.Asset, p.State.Problem, p.State.Held = e.ID, o.ID, o.Asset, "", ""
	if err := p.Move(payout.Fund, now); err != nil {
		return err
	}
	return a.savePayout(tx, p, now)
}

// holdRefundAgain takes a refund's money where it came from, and keeps the address
// that the buyer gave.
func (a *App) holdRefundAgain(tx *store.Tx, o *transfer.Order, e *ledger.Entry, line func(ledger.Code, string), now time.Time) error {
	e.Refs = ledger.Refs{Refund: o.Resource}
	r, err := tx.Refund(o.Resource)
	switch {
	case errors.Is(err, store.ErrNotFound):
		line(ledger.InvoiceRefund, "")
		return a.post(tx, e)
	case err != nil:
		return err
	case r.State.Entry != "":
		// It is held already: an immediate one.
	case r.Terms.FromCredit:
		line(ledger.InvoiceRefund, "")
		e.Refs.Invoice, e.Refs.Support = r.Invoice, r.Terms.Support
	default:
		e.Debit(ledger.Unapplied, o.Currency, o.Value).Credit(ledger.Reserved, o.Currency, o.Value)
		e.Refs.Invoice = r.Invoice
	}
	if len(e.Postings) > 0 {
		if err := a.post(tx, e); err != nil {
			return err
		}
		r.State.Entry = e.ID
	}
	if r.Status == refund.Preview {
		if err := r.Move(refund.Confirm); err != nil {
			return err
		}
	}
	r.State.Order, r.State.Address, r.State.To, r.State.Problem = o.ID, o.Address, o.To, ""
	return tx.SetRefund(r)
}
