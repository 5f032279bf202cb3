package app

import (
	"errors"
	"time"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// transferMoved tells what a transfer pays that it took a step, in the same
// transaction, and returns the resources concerned.
func (a *App) transferMoved(tx *store.Tx, t *transfer.Transfer, before transfer.State, now time.Time) (told []string, err error) {
	orders, err := tx.OrdersIn(t.ID)
	if err != nil {
		return nil, err
	}
	if t.State == transfer.Dropped && len(orders) > 1 {
		return nil, requeue(tx, orders, t.Problem)
	}
	for _, o := range orders {
		switch t.State {
		case transfer.Confirmed:
			o.State = transfer.Done
		case transfer.Dropped:
			o.State, o.Problem = transfer.Failed, t.Problem
		default:
			o.State = transfer.Taken
		}
		if err := tx.SetOrder(o); err != nil {
			return nil, err
		}
		if err := a.orderMoved(tx, o, t, now); err != nil {
			return nil, err
		}
		told = append(told, o.Resource)
	}
	return told, nil
}

// requeue puts the members of a batch that nobody will sign back into the queue, in
// smaller parts: what is refused may be one of them. What they pay is not told, it
// waits as before.
func requeue(tx *store.Tx, orders []*transfer.Order, why string) error {
	for _, o := range orders {
		o.Requeue(len(orders), "it is tried again with fewer others: "+why)
		if err := tx.SetOrder(o); err != nil {
			return err
		}
	}
	return nil
}

// orderMoved hands a step on to what an order pays.
func (a *App) orderMoved(tx *store.Tx, o *transfer.Order, t *transfer.Transfer, now time.Time) (err error) {
	switch o.Kind {
	case transfer.Refund:
		err = a.refundMoved(tx, o, t, now)
	case transfer.Payout:
		err = a.payoutMoved(tx, o, t, now)
	case transfer.Settlement:
		err = a.settlementMoved(tx, o, t, now)
	case transfer.Proof:
		return a.proofMoved(tx, o, t, now)
	}
	if errors.Is(err, store.ErrNotFound) {
		// A database that was put back may have forgotten what it paid; see Reconcile.
		if _, kerr := tx.EntryByKey(recalledKey(o)); kerr == nil {
			return nil
		}
	}
	return err
}
