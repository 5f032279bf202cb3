package store

import (
	"encoding/json"
	"fmt"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const billColumns = `id, merchant, api_token, token, status, created_at, version, terms, state`

// AddBill stores a new bill.
func (tx *Tx) AddBill(b *bill.Bill) error {
	terms, state, err := encodeParts(&b.Terms, &b.State)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO bill (`+billColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		b.ID, b.Merchant, b.APIToken, b.Token, string(b.Status), ms(b.Created), b.Version, terms, state)
}

// SetBill stores what may change of a bill that was read in this transaction. It
// reports ErrChanged when somebody else was first.
func (tx *Tx) SetBill(b *bill.Bill) error {
	terms, state, err := encodeParts(&b.Terms, &b.State)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE bill SET status = $3, terms = $4, state = $5, version = version + 1 WHERE id = $1 AND version = $2`,
		b.ID, b.Version, string(b.Status), terms, state)
	if err == nil {
		b.Version++
	}
	return err
}

// Bill reads one bill.
func (tx *Tx) Bill(id string) (*bill.Bill, error) {
	return only(tx.bills(`id = $1`, id))
}

// Bills lists a merchant's bills, newest first; an empty status is all.
func (tx *Tx) Bills(merchantID, status string) ([]*bill.Bill, error) {
	return tx.bills(`merchant = $1 AND ($2 = '' OR status = $2) ORDER BY created_at DESC, id DESC`, merchantID, status)
}

func (tx *Tx) bills(where string, args ...any) (out []*bill.Bill, err error) {
	err = tx.each(`SELECT `+billColumns+` FROM bill WHERE `+where, args, func(r sqldb.Rows) error {
		b := &bill.Bill{}
		var status, terms, state string
		var created int64
		if err := r.Scan(&b.ID, &b.Merchant, &b.APIToken, &b.Token, &status, &created, &b.Version, &terms, &state); err != nil {
			return err
		}
		b.Status, b.Created = bill.Status(status), at(created)
		out = append(out, b)
		return decodeParts("bill "+b.ID, terms, state, &b.Terms, &b.State)
	})
	return out, err
}

// encodeParts writes the two parts of a resource: what was asked for and what
// came of it.
func encodeParts(terms, state any) (string, string, error) {
	t, err := json.Marshal(terms)
	if err != nil {
		return "", "", err
	}
	s, err := json.Marshal(state)
	return string(t), string(s), err
}

func decodeParts(what, terms, state string, toTerms, toState any) error {
	if err := json.Unmarshal([]byte(terms), toTerms); err != nil {
		return fmt.Errorf("terms of %s: %w", what, err)
	}
	if err := json.Unmarshal([]byte(state), toState); err != nil {
		return fmt.Errorf("state of %s: %w", what, err)
	}
	return nil
}

// only is the one row of a list, or ErrNotFound.
func only[T any](list []*T, err error) (*T, error) {
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}
