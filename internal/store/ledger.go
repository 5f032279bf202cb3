package store

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
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

// head is the last entry of a merchant's chain.
type head struct {
	n    int64
	hash string
}

func (tx *Tx) postFor(merchantID string, entries []*ledger.Entry) error {
	if b, ok := tx.buffer(); ok {
		return b.post(tx, merchantID, entries)
	}
	if err := tx.c.Queue("ledger/" + merchantID); err != nil {
		return err
	}
	last, accounts, err := tx.accountsOf(merchantID, entries)
	if err != nil {
		return err
	}
	first := last.n
	rows, lines, last, err := seal(last, accounts, entries)
	if err != nil {
		return err
	}
	// The head comes first: who posts for the merchant at the same time waits
	// here, and starts over.
	if err := tx.setHead(merchantID, first, last); err != nil {
		return err
	}
	if err := tx.insert(intoEntry, rows); err != nil {
		return err
	}
	if err := tx.insert(intoPosting, lines); err != nil {
		return err
	}
	return tx.setAccounts(merchantID, accounts)
}

// seal gives entries their places behind the last one, moves the balances and
// returns the rows of the entries and of their postings.
func seal(last head, accounts map[string]*account, entries []*ledger.Entry) (rows, lines []any, to head, err error) {
	rows, lines = make([]any, 0, 10*len(entries)), make([]any, 0, 20*len(entries))
	for _, e := range entries {
		refs, err := e.Seal(last.n+1, last.hash)
		if err != nil {
			return nil, nil, last, err
		}
		last = head{e.N, e.Hash}
		rows = append(rows, e.Merchant, e.N, e.ID, string(e.Kind), e.Key, sql.NullString{String: e.Reverses, Valid: e.Reverses != ""}, ms(e.At), refs, e.Prev, e.Hash)
		if lines, err = move(accounts, e, lines); err != nil {
			return nil, nil, last, err
		}
	}
	return rows, lines, last, nil
}

func (tx *Tx) setHead(merchantID string, from int64, to head) error {
	if from == 0 {
		return tx.one(ErrChanged, `INSERT INTO ledger_head (merchant, n, hash) VALUES ($1, $2, $3) ON CONFLICT (merchant) DO NOTHING`, merchantID, to.n, to.hash)
	}
	return tx.one(ErrChanged, `UPDATE ledger_head SET n = $3, hash = $4 WHERE merchant = $1 AND n = $2`, merchantID, from, to.n, to.hash)
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
		rows = append(rows, e.Merchant, e.N, int64(i), p.Account, p.Asset, p.Amount.String(), a.balance.String(), int64(p.Code), p.Text, ms(e.At))
	}
	if e.AllowDeficit {
		return rows, nil
	}
	for a, was := range before {
		over := ledger.Overdrawn(a.name, a.balance.Sign())
		if over && (a.balance.Abs().Cmp(was.Abs()) > 0 || !ledger.Overdrawn(a.name, was.Sign())) {
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
