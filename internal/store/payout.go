package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const payoutColumns = `id, merchant, api_token, token, grp, status, created_at, version, terms, state`

// AddPayout stores a new payout.
func (tx *Tx) AddPayout(p *payout.Payout) error {
	terms, err1 := json.Marshal(&p.Terms)
	state, err2 := json.Marshal(&p.State)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO payout (`+payoutColumns+`, recipient, reference, digest)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		p.ID, p.Merchant, p.APIToken, p.Token, p.Group, string(p.Status), ms(p.Created), p.Version, string(terms), string(state),
		p.Terms.Recipient, p.Terms.Reference, p.Terms.Digest())
}

// SetPayout stores what may change of a payout that was read in this transaction.
func (tx *Tx) SetPayout(p *payout.Payout) error {
	state, err := json.Marshal(&p.State)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE payout SET status = $3, state = $4, version = version + 1 WHERE id = $1 AND version = $2`,
		p.ID, p.Version, string(p.Status), string(state))
	if err == nil {
		p.Version++
	}
	return err
}

// Payout reads one payout.
func (tx *Tx) Payout(id string) (*payout.Payout, error) {
	list, err := tx.payouts(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// PayoutsLike lists a merchant's payouts with a content, made at a time or later,
// that were neither cancelled nor failed; newest first.
func (tx *Tx) PayoutsLike(merchantID, digest string, since time.Time) ([]*payout.Payout, error) {
	return tx.payouts(`merchant = $1 AND digest = $2 AND created_at >= $3 AND status NOT IN ('cancelled', 'failed') ORDER BY created_at DESC, id`,
		merchantID, digest, ms(since))
}

// NewPayouts lists the payouts that wait to be funded, oldest first.
func (tx *Tx) NewPayouts() ([]*payout.Payout, error) {
	return tx.payouts(`status = 'new' ORDER BY created_at, id`)
}

// HasNewPayouts reports whether payouts to a recipient still wait.
func (tx *Tx) HasNewPayouts(recipientID string) (bool, error) {
	list, err := tx.ids(`SELECT id FROM payout WHERE recipient = $1 AND status = 'new' LIMIT 1`, recipientID)
	return len(list) > 0, err
}

// PayoutGroup lists the members of a group, in the order they were asked for.
func (tx *Tx) PayoutGroup(group string) ([]*payout.Payout, error) {
	return tx.payouts(`grp = $1 ORDER BY created_at, id`, group)
}

// PayoutFilter chooses payouts; zero fields choose all.
type PayoutFilter struct {
	Merchant  string
	Status    payout.Status
	Reference string
	Group     string
	From, To  time.Time // by creation, both inclusive
	Limit     int
	Offset    int
}

// ListPayouts returns one page, newest first.
func (tx *Tx) ListPayouts(f PayoutFilter) ([]*payout.Payout, error) {
	to := int64(1) << 62
	if !f.To.IsZero() {
		to = ms(f.To)
	}
	return tx.payouts(`(merchant = $1 OR $1 = '') AND (status = $2 OR $2 = '') AND (reference = $3 OR $3 = '') AND (grp = $4 OR $4 = '')
		AND created_at >= $5 AND created_at <= $6 ORDER BY created_at DESC, id DESC LIMIT $7 OFFSET $8`,
		f.Merchant, string(f.Status), f.Reference, f.Group, ms(f.From), to, f.Limit, f.Offset)
}

func (tx *Tx) payouts(where string, args ...any) ([]*payout.Payout, error) {
	var out []*payout.Payout
	err := tx.each(`SELECT `+payoutColumns+` FROM payout WHERE `+where, args, func(r sqldb.Rows) error {
		var p payout.Payout
		var created int64
		var terms, state string
		if err := r.Scan(&p.ID, &p.Merchant, &p.APIToken, &p.Token, &p.Group, (*string)(&p.Status), &created, &p.Version, &terms, &state); err != nil {
			return err
		}
		p.Created = at(created)
		out = append(out, &p)
		if err := errors.Join(json.Unmarshal([]byte(terms), &p.Terms), json.Unmarshal([]byte(state), &p.State)); err != nil {
			return fmt.Errorf("payout %s: %w", p.ID, err)
		}
		return nil
	})
	return out, err
}

// MoneyRequest is what a signed request for money out made.
type MoneyRequest struct {
	Signature string
	Resources []string
	At        time.Time
}

// AddMoneyRequest notes what a signed request made; the same signature again is
// ErrExists.
func (tx *Tx) AddMoneyRequest(m MoneyRequest) error {
	b, err := json.Marshal(m.Resources)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO money_request (signature, resources, created_at) VALUES ($1, $2, $3)`, m.Signature, string(b), ms(m.At))
}

// MoneyRequest reads what a signature made, or ErrNotFound.
func (tx *Tx) MoneyRequest(signature string) (m MoneyRequest, err error) {
	var b string
	var t int64
	m.Signature = signature
	if err = tx.row(`SELECT resources, created_at FROM money_request WHERE signature = $1`, []any{signature}, &b, &t); err != nil {
		return m, err
	}
	m.At = at(t)
	return m, json.Unmarshal([]byte(b), &m.Resources)
}

// Approver may release payments out.
type Approver struct {
	KeyHash  string
	Merchant string
	Name     string
	Created  time.Time
}

// AddApprover stores an approver; a name that the merchant has is ErrExists.
func (tx *Tx) AddApprover(a Approver) error {
	return tx.one(ErrExists, `INSERT INTO approver (key_hash, merchant, name, created_at) VALUES ($1, $2, $3, $4)`, a.KeyHash, a.Merchant, a.Name, ms(a.Created))
}

// Approver reads the approver whose key hashes to keyHash.
func (tx *Tx) Approver(keyHash string) (a Approver, err error) {
	var t int64
	a.KeyHash = keyHash
	err = tx.row(`SELECT merchant, name, created_at FROM approver WHERE key_hash = $1`, []any{keyHash}, &a.Merchant, &a.Name, &t)
	a.Created = at(t)
	return a, err
}
