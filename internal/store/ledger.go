package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// Post books entries, in order. It gives them their numbers and hashes and moves
// the balances. A fact that is booked already is ErrExists; an account that would
// be overdrawn is a *ledger.Insufficient; an entry that does not add up is
// ledger.ErrUnbalanced. Then nothing of the operation stays.
func (tx *Tx) Post(entries ...*ledger.Entry) error {
	byMerchant := map[string][]*ledger.Entry{}
	for _, e := range entries {
		if err := e.Check(); err != nil {
			return err
		}
		byMerchant[e.Merchant] = append(byMerchant[e.Merchant], e)
	}
	for _, id := range slices.Sorted(maps.Keys(byMerchant)) {
		if err := tx.postFor(id, byMerchant[id]); err != nil {
			return err
		}
	}
	return nil
}

// account is a balance being moved.
type account struct {
	name, asset string
	balance     money.Delta
	postings    int64
}

func accountID(merchantID, name, asset string) string { return merchantID + "/" + name + "/" + asset }

func (tx *Tx) postFor(merchantID string, entries []*ledger.Entry) error {
	head := struct {
		n    int64
		hash string
	}{}
	err := tx.row(`SELECT n, hash FROM ledger_head WHERE merchant = $1`, []any{merchantID}, &head.n, &head.hash)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	first := head.n
	accounts, err := tx.accountsOf(merchantID, entries)
	if err != nil {
		return err
	}
	rows, lines := make([]any, 0, 10*len(entries)), make([]any, 0, 20*len(entries))
	for _, e := range entries {
		if err := e.Seal(head.n+1, head.hash); err != nil {
			return err
		}
		head.n, head.hash = e.N, e.Hash
		refs, err := json.Marshal(e.Refs)
		if err != nil {
			return err
		}
		rows = append(rows, e.Merchant, e.N, e.ID, string(e.Kind), e.Key, sql.NullString{String: e.Reverses, Valid: e.Reverses != ""}, ms(e.At), string(refs), e.Prev, e.Hash)
		if lines, err = move(accounts, e, lines); err != nil {
			return err
		}
	}
	// The head comes first: who posts for the merchant at the same time waits
	// here, and starts over.
	if err := tx.setHead(merchantID, first, head.n, head.hash); err != nil {
		return err
	}
	if err := tx.insert(`ledger_entry (merchant, n, id, kind, key, reverses, at, refs, prev, hash)`, 10, rows); err != nil {
		return err
	}
	if err := tx.insert(`ledger_posting (merchant, n, i, account, asset, amount, balance, code, text, at)`, 10, lines); err != nil {
		return err
	}
	return tx.setAccounts(merchantID, accounts)
}

func (tx *Tx) setHead(merchantID string, from, n int64, hash string) error {
	if from == 0 {
		return tx.one(ErrChanged, `INSERT INTO ledger_head (merchant, n, hash) VALUES ($1, $2, $3) ON CONFLICT (merchant) DO NOTHING`, merchantID, n, hash)
	}
	return tx.one(ErrChanged, `UPDATE ledger_head SET n = $3, hash = $4 WHERE merchant = $1 AND n = $2`, merchantID, from, n, hash)
}

// move applies an entry's postings to the balances and appends their rows.
func move(accounts map[string]*account, e *ledger.Entry, rows []any) ([]any, error) {
	before := map[*account]money.Delta{}
	for i, p := range e.Postings {
		a := accounts[accountID(e.Merchant, p.Account, p.Asset)]
		if _, seen := before[a]; !seen {
			before[a] = a.balance
		}
		var err error
		if a.balance, err = a.balance.Add(p.Amount); err != nil {
			return nil, fmt.Errorf("balance of %s: %w", p.Account, err)
		}
		a.postings++
		rows = append(rows, e.Merchant, e.N, int64(i), p.Account, p.Asset, p.Amount, a.balance, int64(p.Code), p.Text, ms(e.At))
	}
	if e.AllowDeficit {
		return rows, nil
	}
	for a, was := range before {
		if ledger.Overdrawn(a.name, a.balance.Sign()) && a.balance.Abs().Cmp(was.Abs()) > 0 || ledger.Overdrawn(a.name, a.balance.Sign()) && !ledger.Overdrawn(a.name, was.Sign()) {
			moved, _ := a.balance.Sub(was)
			return nil, &ledger.Insufficient{Account: a.name, Asset: a.asset, Have: had(a.name, was), Need: moved.Abs()}
		}
	}
	return rows, nil
}

// had is what could be taken from an account; nothing from one that is overdrawn.
func had(name string, balance money.Delta) money.Units {
	if ledger.Overdrawn(name, balance.Sign()) {
		return money.Units{}
	}
	return balance.Abs()
}

// rowsAtOnce keeps a statement below the engines' limits on parameters.
const rowsAtOnce = 1000

func (tx *Tx) insert(into string, columns int, args []any) error {
	for chunk := range slices.Chunk(args, columns*rowsAtOnce) {
		n := len(chunk) / columns
		affected, err := tx.exec(`INSERT INTO `+into+` VALUES `+tuples(columns, n), chunk...)
		switch {
		case errors.Is(err, sqldb.ErrUnique):
			return fmt.Errorf("%w: %w", ErrExists, err)
		case err != nil:
			return err
		case affected != int64(n):
			return ErrChanged
		}
	}
	return nil
}

func tuples(columns, rows int) string {
	list := make([]string, rows)
	for i := range list {
		list[i] = "(" + placeholders(1+i*columns, columns) + ")"
	}
	return strings.Join(list, ", ")
}

func (tx *Tx) accountsOf(merchantID string, entries []*ledger.Entry) (map[string]*account, error) {
	accounts := map[string]*account{}
	for _, e := range entries {
		for _, p := range e.Postings {
			accounts[accountID(merchantID, p.Account, p.Asset)] = &account{name: p.Account, asset: p.Asset}
		}
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(accounts)), rowsAtOnce) {
		args := make([]any, len(ids))
		for i, id := range ids {
			args[i] = id
		}
		err := tx.each(`SELECT id, balance, postings FROM ledger_account WHERE id IN (`+placeholders(1, len(ids))+`)`, args, func(r sqldb.Rows) error {
			var id string
			var a account
			if err := r.Scan(&id, &a.balance, &a.postings); err != nil {
				return err
			}
			accounts[id].balance, accounts[id].postings = a.balance, a.postings
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

func (tx *Tx) setAccounts(merchantID string, accounts map[string]*account) error {
	args := make([]any, 0, 6*len(accounts))
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		a := accounts[id]
		args = append(args, id, merchantID, a.name, a.asset, a.balance, a.postings)
	}
	for chunk := range slices.Chunk(args, 6*rowsAtOnce) {
		_, err := tx.exec(`INSERT INTO ledger_account (id, merchant, name, asset, balance, postings) VALUES `+tuples(6, len(chunk)/6)+`
			ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, postings = excluded.postings`, chunk...)
		if err != nil {
			return err
		}
	}
	return nil
}
