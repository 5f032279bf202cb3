package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// expireBatch bounds one transaction, and expirePages how many times as many invoices
// are looked at in one round for some that can end.
const (
	expireBatch = 100
	expirePages = 5
)

// CloseWindows moves the invoices whose time is over: unpaid ones expire, ones
// whose payment waits too long become invalid. A window closes only after the
// chain was read beyond it.
func (a *App) CloseWindows(ctx context.Context) error {
	for {
		now := a.now()
		ids, err := a.overdue(ctx, now)
		if err != nil || len(ids) == 0 {
			return err
		}
		moved, err := a.reassess(ctx, ids, now)
		if err != nil {
			moved, err = a.reassessEach(ctx, ids, now)
		}
		if err != nil || moved == 0 {
			return err
		}
	}
}

// overdue lists some of the invoices that an assessment at now would move. Most
// of the time there are none, and nothing has to be written.
func (a *App) overdue(ctx context.Context, now time.Time) (ids []string, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		late, err := tx.InvoicesWaitingSince(now.Add(-invoice.ConfirmWithin))
		if err != nil {
			return err
		}
		tips, err := tx.Tips()
		if err != nil {
			return err
		}
		facts := a.facts(now, tips)
		ids = movable(tx, late, facts)
		for range expirePages {
			due, err := tx.DueForExpiry(now, expireBatch, a.expirySkip(0))
			if err != nil {
				return err
			}
			ids = append(ids, movable(tx, due, facts)...)
			if len(due) < expireBatch {
				a.expirySkip(-1)
				break
			}
			if len(ids) > 0 {
				break
			}
			a.expirySkip(expireBatch)
		}
		return nil
	})
	return ids[:min(len(ids), expireBatch)], err
}

// expirySkip is how many of the oldest invoices are passed over, because they wait for a
// chain that is away: those behind them that do not must not wait with them. It moves on
// by more, or with -1 back to the beginning.
func (a *App) expirySkip(more int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.skipDue += more; more < 0 {
		a.skipDue = 0
	}
	return a.skipDue
}

// movable are the invoices that an assessment would move.
func movable(tx *store.Tx, ids []string, facts invoice.Facts) (list []string) {
	for _, id := range ids {
		inv, err := tx.Invoice(id)
		var changes []invoice.Change
		if err == nil {
			changes, err = inv.Assess(facts)
		}
		// One that cannot be assessed fails where it is named in the log.
		if err != nil || len(changes) > 0 {
			list = append(list, id)
		}
	}
	return list
}

// reassessEach keeps one invoice that cannot be moved from holding up the rest.
func (a *App) reassessEach(ctx context.Context, ids []string, now time.Time) (moved int, failed error) {
	for _, id := range ids {
		n, err := a.reassess(ctx, []string{id}, now)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("invoice %s: %w", id, err))
		}
		moved += n
	}
	return moved, failed
}

// reassess lets invoices take their steps in one transaction and reports how
// many did.
func (a *App) reassess(ctx context.Context, ids []string, now time.Time) (int, error) {
	var moved []string
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		moved = moved[:0]
		tips, err := tx.Tips()
		if err != nil {
			return err
		}
		facts := a.facts(now, tips)
		for _, id := range ids {
			inv, err := tx.Invoice(id)
			if err != nil {
				return err
			}
			changes, err := inv.Assess(facts)
			if err != nil {
				return err
			}
			if len(changes) == 0 {
				continue
			}
			if err := a.save(tx, inv, changes, now); err != nil {
				return err
			}
			moved = append(moved, id)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	a.tellEvents(moved...)
	return len(moved), nil
}

// Maintain does the small jobs that no request waits for.
func (a *App) Maintain(ctx context.Context) error {
	var ids []string
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.Merchants()
		for _, m := range list {
			ids = append(ids, m.ID)
		}
		return err
	})
	for _, id := range ids {
		for n := 1; n > 0 && err == nil; {
			err = a.Store.Update(ctx, func(tx *store.Tx) (err error) {
				n, err = tx.MarkInvoices(id, a.now(), 50)
				return err
			})
		}
	}
	return err
}
