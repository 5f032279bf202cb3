package store

import (
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/subscription"
)

const subscriptionColumns = `id, merchant, api_token, token, status, created_at, next_delivery, version, terms, state`

// AddSubscription stores a new subscription.
func (tx *Tx) AddSubscription(s *subscription.Subscription) error {
	terms, state, err := encodeParts(&s.Terms, &s.State)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO subscription (`+subscriptionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		s.ID, s.Merchant, s.APIToken, s.Token, string(s.Status), ms(s.Created), ms(s.Next), s.Version, terms, state)
}

// SetSubscription stores what may change of a subscription that was read in this
// transaction. It reports ErrChanged when somebody else was first.
func (tx *Tx) SetSubscription(s *subscription.Subscription) error {
	terms, state, err := encodeParts(&s.Terms, &s.State)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE subscription SET status = $3, next_delivery = $4, terms = $5, state = $6, version = version + 1 WHERE id = $1 AND version = $2`,
		s.ID, s.Version, string(s.Status), ms(s.Next), terms, state)
	if err == nil {
		s.Version++
	}
	return err
}

// Subscription reads one subscription.
func (tx *Tx) Subscription(id string) (*subscription.Subscription, error) {
	return only(tx.subscriptions(`id = $1`, id))
}

// Subscriptions lists a merchant's, newest first; an empty status is all.
func (tx *Tx) Subscriptions(merchantID, status string) ([]*subscription.Subscription, error) {
	return tx.subscriptions(`merchant = $1 AND ($2 = '' OR status = $2) ORDER BY created_at DESC, id DESC`, merchantID, status)
}

// DueSubscriptions lists active subscriptions whose next delivery has come,
// longest due first.
func (tx *Tx) DueSubscriptions(now time.Time, limit int) ([]string, error) {
	return tx.ids(`SELECT id FROM subscription WHERE status = 'active' AND next_delivery <= $1 ORDER BY next_delivery, id LIMIT $2`, ms(now), limit)
}

func (tx *Tx) subscriptions(where string, args ...any) (out []*subscription.Subscription, err error) {
	err = tx.each(`SELECT `+subscriptionColumns+` FROM subscription WHERE `+where, args, func(r sqldb.Rows) error {
		s := &subscription.Subscription{}
		var status, terms, state string
		var created, next int64
		if err := r.Scan(&s.ID, &s.Merchant, &s.APIToken, &s.Token, &status, &created, &next, &s.Version, &terms, &state); err != nil {
			return err
		}
		s.Status, s.Created, s.Next = subscription.Status(status), at(created), at(next)
		out = append(out, s)
		return decodeParts("subscription "+s.ID, terms, state, &s.Terms, &s.State)
	})
	return out, err
}
