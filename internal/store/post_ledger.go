package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// bulk is a statement that stores several rows at once.
type bulk struct {
	into    string
	columns int
	then    string
}

var (
	intoEntry   = bulk{`ledger_entry (merchant, n, id, kind, key, reverses, at, refs, prev, hash)`, 10, ``}
	intoPosting = bulk{`ledger_posting (merchant, n, i, account, asset, amount, balance, code, text, at)`, 10, ``}
	intoHead    = bulk{`ledger_head (merchant, n, hash)`, 3, ` ON CONFLICT (merchant) DO UPDATE SET n = excluded.n, hash = excluded.hash`}
	intoAccount = bulk{`ledger_account (id, merchant, name, asset, balance, postings)`, 6,
		` ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, postings = excluded.postings`}
)

// rowsAtOnce keeps a statement below the engines' limits on parameters (32,766
// on SQLite, 65,535 on PostgreSQL). Statements have 1, 2, 4 … rows, so that the
// engines keep few of them prepared.
const rowsAtOnce = 128

// upTo is the greatest power of two not above n and rowsAtOnce.
func upTo(n int) int {
	size := rowsAtOnce
	for size > n {
		size /= 2
	}
	return size
}

var statements sync.Map // of statement to its text

type statement struct {
	into string
	rows int
}

func (b bulk) text(n int) string {
	key := statement{b.into, n}
	if known, ok := statements.Load(key); ok {
		return known.(string)
	}
	tuples := make([]string, n)
	for i := range tuples {
		tuples[i] = "(" + placeholders(1+i*b.columns, b.columns) + ")"
	}
	text := `INSERT INTO ` + b.into + ` VALUES ` + strings.Join(tuples, ", ") + b.then
	statements.Store(key, text)
	return text
}

func (tx *Tx) insert(b bulk, args []any) error {
	for len(args) > 0 {
		n := upTo(len(args) / b.columns)
		affected, err := tx.exec(b.text(n), args[:n*b.columns]...)
		switch {
		case errors.Is(err, sqldb.ErrUnique):
			return fmt.Errorf("%w: %w", ErrExists, err)
		case err != nil:
			return err
		case affected != int64(n):
			return ErrChanged
		}
		args = args[n*b.columns:]
	}
	return nil
}

// accountsOf reads a merchant's head and the accounts that entries move, in one
// statement.
func (tx *Tx) accountsOf(merchantID string, entries []*ledger.Entry) (last head, accounts map[string]*account, err error) {
	accounts = map[string]*account{}
	for _, e := range entries {
		for _, p := range e.Postings {
			if id := accountID(merchantID, p.Account, p.Asset); accounts[id] == nil {
				accounts[id] = &account{name: p.Account, asset: p.Asset}
			}
		}
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(accounts)), rowsAtOnce) {
		args := []any{merchantID}
		for _, id := range ids {
			args = append(args, id)
		}
		for n := len(ids); n != upTo(n); n++ {
			args = append(args, ids[0]) // again, so that few lengths occur
		}
		err := tx.each(`SELECT '', hash, n FROM ledger_head WHERE merchant = $1
			UNION ALL SELECT id, balance, postings FROM ledger_account WHERE id IN (`+placeholders(2, len(args)-1)+`)`, args, func(r sqldb.Rows) error {
			var id, text string
			var n int64
			err := r.Scan(&id, &text, &n)
			if err != nil {
				return err
			}
			if id == "" {
				last = head{n, text}
				return nil
			}
			a := accounts[id]
			a.postings = n
			a.balance, err = money.ParseDelta(text)
			return err
		})
		if err != nil {
			return last, nil, err
		}
	}
	return last, accounts, nil
}

func (tx *Tx) setAccounts(merchantID string, accounts map[string]*account) error {
	args := make([]any, 0, 6*len(accounts))
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		a := accounts[id]
		args = append(args, id, merchantID, a.name, a.asset, a.balance.String(), a.postings)
	}
	return tx.insert(intoAccount, args)
}
