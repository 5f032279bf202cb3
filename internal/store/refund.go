package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const refundColumns = `id, merchant, invoice, api_token, token, guid, status, created_at, version, terms, state`

// AddRefund stores a new refund; a guid that the merchant used is ErrExists.
func (tx *Tx) AddRefund(r *refund.Refund) error {
	terms, err1 := json.Marshal(&r.Terms)
	state, err2 := json.Marshal(&r.State)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("encode refund: %w %w", err1, err2)
	}
	return tx.one(ErrExists, `INSERT INTO refund (`+refundColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.ID, r.Merchant, r.Invoice, r.APIToken, r.Token, r.GUID, string(r.Status), ms(r.Created), r.Version, string(terms), string(state))
}

// SetRefund stores what may change of a refund that was read in this transaction.
func (tx *Tx) SetRefund(r *refund.Refund) error {
	state, err := json.Marshal(&r.State)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE refund SET status = $3, state = $4, version = version + 1 WHERE id = $1 AND version = $2`,
		r.ID, r.Version, string(r.Status), string(state))
	if err == nil {
		r.Version++
	}
	return err
}

// Refund reads one refund.
func (tx *Tx) Refund(id string) (*refund.Refund, error) { return tx.oneRefund(`id = $1`, id) }

// RefundByGUID reads a merchant's refund by the guid it was created under.
func (tx *Tx) RefundByGUID(merchantID, guid string) (*refund.Refund, error) {
	return tx.oneRefund(`merchant = $1 AND guid = $2`, merchantID, guid)
}

func (tx *Tx) oneRefund(where string, args ...any) (*refund.Refund, error) {
	list, err := tx.refunds(where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// RefundsOf lists the refunds of an invoice, oldest first.
func (tx *Tx) RefundsOf(invoiceID string) ([]*refund.Refund, error) {
	return tx.refunds(`invoice = $1 ORDER BY created_at, id`, invoiceID)
}

// RefundsDue lists the ids of refunds whose buyers have said where to, and that have
// no order yet, oldest first. All of them: those of a merchant without money must not
// stand before another's. (Keys of the state that are empty are left out, and a
// quotation mark within a text is escaped.)
func (tx *Tx) RefundsDue() ([]string, error) {
	return tx.ids(`SELECT id FROM refund WHERE status = 'created' AND state LIKE '%"address":"%' AND state NOT LIKE '%"order":"%' ORDER BY created_at, id`)
}

// OpenRefunds lists a merchant's refunds that wait or are on their way.
func (tx *Tx) OpenRefunds(merchantID string) ([]*refund.Refund, error) {
	return tx.refunds(`merchant = $1 AND status IN ('created', 'pending') ORDER BY created_at, id`, merchantID)
}

// EachRefund calls visit for every refund.
func (tx *Tx) EachRefund(visit func(*refund.Refund) error) error {
	list, err := tx.refunds(`1 = 1 ORDER BY id`)
	for _, r := range list {
		if err := visit(r); err != nil {
			return err
		}
	}
	return err
}

func (tx *Tx) refunds(where string, args ...any) ([]*refund.Refund, error) {
	var out []*refund.Refund
	err := tx.each(`SELECT `+refundColumns+` FROM refund WHERE `+where, args, func(r sqldb.Rows) error {
		var f refund.Refund
		var created int64
		var terms, state string
		if err := r.Scan(&f.ID, &f.Merchant, &f.Invoice, &f.APIToken, &f.Token, &f.GUID, (*string)(&f.Status), &created, &f.Version, &terms, &state); err != nil {
			return err
		}
		f.Created = at(created)
		out = append(out, &f)
		if err := json.Unmarshal([]byte(terms), &f.Terms); err != nil {
			return fmt.Errorf("terms of refund %s: %w", f.ID, err)
		}
		if err := json.Unmarshal([]byte(state), &f.State); err != nil {
			return fmt.Errorf("state of refund %s: %w", f.ID, err)
		}
		return nil
	})
	return out, err
}

// Unapplied is what came in for an invoice and was applied to nothing.
type Unapplied struct {
	Invoice  string
	Merchant string
	Asset    string
	Amount   money.Units
	Reason   refund.Reason
	Decision string // empty: nobody decided yet
	Since    time.Time
}

// Held is the decision to wait for a person.
const Held = "held"

// SetUnapplied notes what of an invoice is not applied, or that nothing is.
func (tx *Tx) SetUnapplied(u Unapplied) error {
	if u.Amount.IsZero() {
		_, err := tx.exec(`DELETE FROM unapplied WHERE invoice = $1`, u.Invoice)
		return err
	}
	_, err := tx.exec(`INSERT INTO unapplied (invoice, merchant, asset, amount, reason, decision, since) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (invoice) DO UPDATE SET amount = excluded.amount, asset = excluded.asset, reason = excluded.reason,
			decision = CASE WHEN unapplied.amount = excluded.amount THEN unapplied.decision ELSE '' END`,
		u.Invoice, u.Merchant, u.Asset, u.Amount, string(u.Reason), u.Decision, ms(u.Since))
	return err
}

// DecideUnapplied notes a decision.
func (tx *Tx) DecideUnapplied(invoiceID, decision string) error {
	return tx.one(ErrNotFound, `UPDATE unapplied SET decision = $2 WHERE invoice = $1`, invoiceID, decision)
}

// UnappliedOf reads what of an invoice is not applied, or ErrNotFound.
func (tx *Tx) UnappliedOf(invoiceID string) (Unapplied, error) {
	list, err := tx.unapplied(`invoice = $1`, invoiceID)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Unapplied{}, err
	}
	return list[0], nil
}

// UndecidedPayments lists what nobody decided about yet, oldest first.
func (tx *Tx) UndecidedPayments(limit int) ([]Unapplied, error) {
	return tx.unapplied(`decision = '' ORDER BY since, invoice LIMIT $1`, limit)
}

// UnappliedPayments lists what of a merchant's payments is not applied, oldest
// first; with an empty id, everybody's.
func (tx *Tx) UnappliedPayments(merchantID string) ([]Unapplied, error) {
	return tx.unapplied(`(merchant = $1 OR $1 = '') ORDER BY since, invoice`, merchantID)
}

func (tx *Tx) unapplied(where string, args ...any) ([]Unapplied, error) {
	var out []Unapplied
	err := tx.each(`SELECT invoice, merchant, asset, amount, reason, decision, since FROM unapplied WHERE `+where, args, func(r sqldb.Rows) error {
		var u Unapplied
		var since int64
		err := r.Scan(&u.Invoice, &u.Merchant, &u.Asset, &u.Amount, (*string)(&u.Reason), &u.Decision, &since)
		u.Since = at(since)
		out = append(out, u)
		return err
	})
	return out, err
}

// RefundsByID reads several refunds; ids that do not exist are left out.
func (tx *Tx) RefundsByID(ids []string) (map[string]*refund.Refund, error) {
	out := map[string]*refund.Refund{}
	for chunk := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), 500) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		list, err := tx.refunds(`id IN (`+placeholders(1, len(chunk))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			out[r.ID] = r
		}
	}
	return out, nil
}
