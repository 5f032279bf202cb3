package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/subscription"
)

func noSubscription() *fault.Error { return fault.New(fault.NotFound, "Subscription not found") }

// CreateSubscription makes a subscription with the token of a merchant.
func (a *App) CreateSubscription(ctx context.Context, m *merchant.Merchant, t *merchant.Token, o subscription.Order) (*subscription.Subscription, error) {
	id, err1 := a.newID()
	token, err2 := a.newResourceToken()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s, err := subscription.New(id, m.ID, t.Token, token, o, a.now())
	if err != nil {
		return nil, err
	}
	return s, a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddSubscription(s) })
}

// Subscription reads a subscription by id.
func (a *App) Subscription(ctx context.Context, id string) (s *subscription.Subscription, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		s, err = tx.Subscription(id)
		return refine(err, noSubscription())
	})
	return s, err
}

// ListSubscriptions returns a merchant's, newest first; an empty status is all.
func (a *App) ListSubscriptions(ctx context.Context, merchantID, status string) (list []*subscription.Subscription, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Subscriptions(merchantID, status)
		return err
	})
	return list, err
}

// UpdateSubscription changes what later bills say and when they are made.
func (a *App) UpdateSubscription(ctx context.Context, id string, o subscription.Order) (s *subscription.Subscription, err error) {
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if s, err = tx.Subscription(id); err != nil {
			return refine(err, noSubscription())
		}
		if err := s.Change(o); err != nil {
			return err
		}
		return tx.SetSubscription(s)
	})
	return s, err
}

// dueAtOnce bounds what one look at the clock takes up.
const dueAtOnce = 500

// DeliverSubscriptions makes and mails the bills that are due, each in its own
// transaction. Another process may do the same at the same time. One that cannot
// be made does not hold up the others; all such errors are returned together.
func (a *App) DeliverSubscriptions(ctx context.Context) error {
	var due []string
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueSubscriptions(a.now(), dueAtOnce)
		return err
	})
	if err != nil {
		return err
	}
	var faults []error
	for _, id := range due {
		if err := a.deliverSubscription(ctx, id); err != nil {
			faults = append(faults, fmt.Errorf("subscription %s: %w", id, err))
		}
	}
	return errors.Join(faults...)
}

func (a *App) deliverSubscription(ctx context.Context, id string) error {
	now, made := a.now(), ""
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		made = ""
		s, err := tx.Subscription(id)
		if err != nil || !s.Due(now) {
			return err
		}
		terms, err := s.Deliver(now)
		if err != nil {
			return err
		}
		if err := a.nameItems(&terms); err != nil {
			return err
		}
		b, err := a.newBill(s.Merchant, s.APIToken, string(merchant.Full), terms, now)
		if err != nil {
			return err
		}
		b.State.From, s.State.Last = s.ID, b.ID
		// First of all: another process may have been faster.
		if err := tx.SetSubscription(s); err != nil {
			return err
		}
		made = b.ID
		if terms.NoEmail {
			return tx.AddBill(b)
		}
		if err := b.Deliver(now); err != nil {
			return err
		}
		b.State.Events++
		if err := tx.AddBill(b); err != nil {
			return err
		}
		return a.mailBill(tx, b, now)
	})
	if err == nil && made != "" {
		a.tellEvents(made)
	}
	return err
}
