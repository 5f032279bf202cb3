package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// Balance is an account's balance: positive is a debit.
func (tx *Tx) Balance(merchantID, name, asset string) (money.Delta, error) {
	var d money.Delta
	err := tx.row(`SELECT balance FROM ledger_account WHERE id = $1`, []any{accountID(merchantID, name, asset)}, &d)
	if errors.Is(err, ErrNotFound) {
		return money.Delta{}, nil
	}
	return d, err
}

// Account is one account with its balance.
type Account struct {
	Merchant string
	Name     string
	Asset    string
	Balance  money.Delta
	Postings int64
}

// Accounts lists a merchant's accounts; with an empty id, everybody's.
func (tx *Tx) Accounts(merchantID string) ([]Account, error) {
	var out []Account
	err := tx.each(`SELECT merchant, name, asset, balance, postings FROM ledger_account WHERE merchant = $1 OR $1 = '' ORDER BY id`, []any{merchantID}, func(r sqldb.Rows) error {
		var a Account
		err := r.Scan(&a.Merchant, &a.Name, &a.Asset, &a.Balance, &a.Postings)
		out = append(out, a)
		return err
	})
	return out, err
}

// Entry reads one entry with its postings.
func (tx *Tx) Entry(id string) (*ledger.Entry, error) { return tx.oneEntry(`id = $1`, id) }

// EntryByKey reads the entry that books a fact.
func (tx *Tx) EntryByKey(key string) (*ledger.Entry, error) { return tx.oneEntry(`key = $1`, key) }

func (tx *Tx) oneEntry(where string, args ...any) (*ledger.Entry, error) {
	var found *ledger.Entry
	err := tx.entries(where+` ORDER BY merchant, n`, args, func(e *ledger.Entry) error {
		found = e
		return json.Unmarshal([]byte(e.StoredRefs), &e.Refs)
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	return found, err
}

// Entries calls visit for a merchant's entries after number n, in order, at most
// limit of them. Of what they refer to only StoredRefs is there: this is how all of
// the books are read.
func (tx *Tx) Entries(merchantID string, after int64, limit int, visit func(*ledger.Entry) error) error {
	return tx.entries(`merchant = $1 AND n > $2 AND n <= $3 ORDER BY n`, []any{merchantID, after, after + int64(limit)}, visit)
}

// entries reads entries, then their postings in the same order, so that two
// queries do.
func (tx *Tx) entries(where string, args []any, visit func(*ledger.Entry) error) error {
	var list []*ledger.Entry
	byN := map[string]map[int64]*ledger.Entry{}
	err := tx.each(`SELECT merchant, n, id, kind, key, reverses, at, refs, prev, hash FROM ledger_entry WHERE `+where, args, func(r sqldb.Rows) error {
		var e ledger.Entry
		var reverses sql.NullString
		var t int64
		if err := r.Scan(&e.Merchant, &e.N, &e.ID, (*string)(&e.Kind), &e.Key, &reverses, &t, &e.StoredRefs, &e.Prev, &e.Hash); err != nil {
			return err
		}
		e.Reverses, e.At = reverses.String, at(t)
		list = append(list, &e)
		if byN[e.Merchant] == nil {
			byN[e.Merchant] = map[int64]*ledger.Entry{}
		}
		byN[e.Merchant][e.N] = &e
		return nil
	})
	if err != nil || len(list) == 0 {
		return err
	}
	for merchantID, entries := range byN {
		if err := tx.fillPostings(merchantID, entries); err != nil {
			return err
		}
	}
	for _, e := range list {
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) fillPostings(merchantID string, entries map[int64]*ledger.Entry) error {
	lo, hi := int64(1)<<62, int64(0)
	for n := range entries {
		lo, hi = min(lo, n), max(hi, n)
	}
	return tx.each(`SELECT n, account, asset, amount, code, text FROM ledger_posting WHERE merchant = $1 AND n >= $2 AND n <= $3 ORDER BY n, i`,
		[]any{merchantID, lo, hi}, func(r sqldb.Rows) error {
			var n int64
			var p ledger.Posting
			if err := r.Scan(&n, &p.Account, &p.Asset, &p.Amount, (*int64)(&p.Code), &p.Text); err != nil {
				return err
			}
			if e := entries[n]; e != nil {
				e.Postings = append(e.Postings, p)
			}
			return nil
		})
}

// Line is one line of what the API calls a ledger.
type Line struct {
	ID     string
	Entry  string
	Asset  string
	Amount money.Delta // to the merchant: positive is a credit
	Code   ledger.Code
	Text   string
	Refs   ledger.Refs
	At     time.Time
}

// LineFilter chooses lines of a merchant's ledger in one asset.
type LineFilter struct {
	Merchant string
	Asset    string
	From, To time.Time // both inclusive; zero: no bound
	Limit    int       // 0: all
	Offset   int
}

// Lines lists the lines of a ledger, oldest first.
func (tx *Tx) Lines(f LineFilter) ([]Line, error) {
	to, limit := int64(1)<<62, int64(1)<<62
	if !f.To.IsZero() {
		to = ms(f.To)
	}
	if f.Limit > 0 {
		limit = int64(f.Limit)
	}
	return tx.lines(`p.merchant = $1 AND p.asset = $2 AND p.code <> 0 AND p.at >= $3 AND p.at <= $4 ORDER BY p.at, p.n, p.i LIMIT $5 OFFSET $6`,
		f.Merchant, f.Asset, ms(f.From), to, limit, f.Offset)
}

func (tx *Tx) lines(where string, args ...any) ([]Line, error) {
	var out []Line
	err := tx.each(`SELECT e.id, p.i, p.asset, p.amount, p.code, p.text, e.refs, p.at FROM ledger_posting p
		JOIN ledger_entry e ON e.merchant = p.merchant AND e.n = p.n WHERE `+where, args, func(r sqldb.Rows) error {
		var l Line
		var i, t int64
		var refs string
		if err := r.Scan(&l.Entry, &i, &l.Asset, &l.Amount, (*int64)(&l.Code), &l.Text, &refs, &t); err != nil {
			return err
		}
		l.Amount, l.At, l.ID = l.Amount.Neg(), at(t), lineID(l.Entry, i)
		err := json.Unmarshal([]byte(refs), &l.Refs)
		out = append(out, l)
		return err
	})
	return out, err
}

// lineID names a line: the first of an entry has the entry's own id.
func lineID(entry string, i int64) string {
	return fmt.Sprintf("%s%d", entry, i)
}

// LedgerMerchants lists who has books, with the number of entries.
func (tx *Tx) LedgerMerchants() (map[string]int64, error) {
	out := map[string]int64{}
	err := tx.each(`SELECT merchant, n FROM ledger_head`, nil, func(r sqldb.Rows) error {
		var id string
		var n int64
		err := r.Scan(&id, &n)
		out[id] = n
		return err
	})
	return out, err
}
