package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const settlementColumns = `id, merchant, token, currency, status, created_at, from_n, to_n, version, terms, state`

// AddSettlement stores a closed period; one that was closed already is ErrExists.
func (tx *Tx) AddSettlement(s *settlement.Settlement) error {
	terms, err1 := json.Marshal(&s.Terms)
	state, err2 := json.Marshal(&s.State)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO settlement (`+settlementColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		s.ID, s.Merchant, s.Token, s.Currency, string(s.Status), ms(s.Created), s.Terms.From, s.Terms.To, s.Version, string(terms), string(state))
}

// SetSettlement stores what may change of a settlement that was read in this
// transaction.
func (tx *Tx) SetSettlement(s *settlement.Settlement) error {
	state, err := json.Marshal(&s.State)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE settlement SET status = $3, state = $4, version = version + 1 WHERE id = $1 AND version = $2`,
		s.ID, s.Version, string(s.Status), string(state))
	if err == nil {
		s.Version++
	}
	return err
}

// Settlement reads one settlement.
func (tx *Tx) Settlement(id string) (*settlement.Settlement, error) {
	return tx.oneSettlement(`id = $1`, id)
}

// LastSettlement reads the settlement that closed the latest period of a ledger.
func (tx *Tx) LastSettlement(merchantID, currency string) (*settlement.Settlement, error) {
	return tx.oneSettlement(`merchant = $1 AND currency = $2 ORDER BY to_n DESC LIMIT 1`, merchantID, currency)
}

func (tx *Tx) oneSettlement(where string, args ...any) (*settlement.Settlement, error) {
	list, err := tx.settlements(where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// SettlementFilter chooses settlements; zero fields choose all.
type SettlementFilter struct {
	Merchant string
	Currency string
	Status   settlement.Status
	From, To time.Time // by creation, both inclusive
	Limit    int
	Offset   int
}

// ListSettlements returns one page, newest first.
func (tx *Tx) ListSettlements(f SettlementFilter) ([]*settlement.Settlement, error) {
	to := int64(1) << 62
	if !f.To.IsZero() {
		to = ms(f.To)
	}
	return tx.settlements(`(merchant = $1 OR $1 = '') AND (currency = $2 OR $2 = '') AND (status = $3 OR $3 = '') AND created_at >= $4 AND created_at <= $5
		ORDER BY created_at DESC, id DESC LIMIT $6 OFFSET $7`, f.Merchant, f.Currency, string(f.Status), ms(f.From), to, f.Limit, f.Offset)
}

func (tx *Tx) settlements(where string, args ...any) ([]*settlement.Settlement, error) {
	var out []*settlement.Settlement
	err := tx.each(`SELECT `+settlementColumns+` FROM settlement WHERE `+where, args, func(r sqldb.Rows) error {
		var s settlement.Settlement
		var created, from, to int64
		var terms, state string
		if err := r.Scan(&s.ID, &s.Merchant, &s.Token, &s.Currency, (*string)(&s.Status), &created, &from, &to, &s.Version, &terms, &state); err != nil {
			return err
		}
		s.Created = at(created)
		out = append(out, &s)
		if err := errors.Join(json.Unmarshal([]byte(terms), &s.Terms), json.Unmarshal([]byte(state), &s.State)); err != nil {
			return fmt.Errorf("settlement %s: %w", s.ID, err)
		}
		return nil
	})
	return out, err
}

// PeriodSum adds up the lines of a ledger after an entry number up to a time,
// and tells the number and time of the last entry taken in. A zero time means all.
// Entries count by their numbers: the first one after the time ends the period,
// even if a clock that lagged gave a later one an earlier time.
func (tx *Tx) PeriodSum(merchantID, currency string, after int64, until time.Time) (sum money.Delta, last int64, closing time.Time, err error) {
	to := int64(1) << 62
	if !until.IsZero() {
		to = ms(until)
	}
	last = after
	ended := false
	err = tx.each(`SELECT n, amount, at FROM ledger_posting WHERE merchant = $1 AND asset = $2 AND code <> 0 AND n > $3 ORDER BY n, i`,
		[]any{merchantID, currency, after}, func(r sqldb.Rows) error {
			var d money.Delta
			var n, t int64
			if err := r.Scan(&n, &d, &t); err != nil {
				return err
			}
			if ended = ended || t > to; ended {
				return nil
			}
			last = n
			closing = at(t)
			var err error
			sum, err = sum.Sub(d) // a credit to the merchant is a negative posting
			return err
		})
	return sum, last, closing, err
}

// PeriodLines lists the lines of a ledger with entry numbers after one and up to
// another, in order.
func (tx *Tx) PeriodLines(merchantID, currency string, after, to int64) ([]Line, error) {
	return tx.lines(`p.merchant = $1 AND p.asset = $2 AND p.code <> 0 AND p.n > $3 AND p.n <= $4 ORDER BY p.n, p.i`, merchantID, currency, after, to)
}
