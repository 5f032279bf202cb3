package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// InvoiceFilter chooses invoices of a merchant; zero fields choose all.
type InvoiceFilter struct {
	Merchant string
	From, To time.Time // by creation, both inclusive
	Status   invoice.Status
	OrderID  string
	Limit    int
	Offset   int
}

// ListInvoices returns one page, newest first.
//
// A page by dates alone is found from the nearest mark (see MarkInvoices), so
// that one far down costs no more than the first. With a status or an order id
// the offset is counted off.
func (tx *Tx) ListInvoices(f InvoiceFilter) ([]*invoice.Invoice, error) {
	if f.Status == "" && f.OrderID == "" && f.Offset >= markEvery {
		return tx.deepPage(f)
	}
	where, args := f.where()
	args = append(args, f.Limit, f.Offset)
	n := len(args)
	return tx.invoices(fmt.Sprintf(`%s ORDER BY created_at DESC, id DESC LIMIT $%d OFFSET $%d`, where, n-1, n), args)
}

func (f InvoiceFilter) where() (string, []any) {
	conds, args := []string{`merchant = $1`}, []any{f.Merchant}
	add := func(cond string, arg any) {
		args = append(args, arg)
		conds = append(conds, fmt.Sprintf(cond, len(args)))
	}
	if !f.From.IsZero() {
		add(`created_at >= $%d`, ms(f.From))
	}
	if !f.To.IsZero() {
		add(`created_at <= $%d`, ms(f.To))
	}
	if f.Status != "" {
		add(`status = $%d`, string(f.Status))
	}
	if f.OrderID != "" {
		add(`order_id = $%d`, f.OrderID)
	}
	return strings.Join(conds, ` AND `), args
}

// markEvery is the distance of two marks in invoices; a variable so that a test
// needs few of them.
var markEvery = 1000

// markAge is how old an invoice must be before it may carry a mark: by then
// none with an earlier time can still be committed.
const markAge = time.Minute

type mark struct {
	n, created int64
	id         string
}

// deepPage turns the offset from the newest into a rank from the oldest, which
// never changes, and starts at the mark below it.
func (tx *Tx) deepPage(f InvoiceFilter) ([]*invoice.Invoice, error) {
	above, err := tx.rank(f.Merchant, f.To, true)
	if err != nil {
		return nil, err
	}
	below, err := tx.rank(f.Merchant, f.From, false)
	if err != nil {
		return nil, err
	}
	newest := above - int64(f.Offset) // ranks below newest, not below `below`, are on the page
	if newest <= below {
		return nil, nil
	}
	m, err := tx.markBelow(f.Merchant, newest-1)
	if err != nil {
		return nil, err
	}
	// The row at the top of the page bounds it from above, closer than To does; an
	// index range takes one upper bound only.
	f.To = time.Time{}
	where, args := f.where()
	var top mark
	err = tx.row(`SELECT created_at, id FROM invoice WHERE merchant = $1 AND (created_at, id) >= ($2, $3) ORDER BY created_at, id LIMIT 1 OFFSET $4`,
		[]any{f.Merchant, m.created, m.id, newest - 1 - m.n}, &top.created, &top.id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n := len(args)
	args = append(args, top.created, top.id, f.Limit)
	return tx.invoices(fmt.Sprintf(`%s AND (created_at, id) <= ($%d, $%d) ORDER BY created_at DESC, id DESC LIMIT $%d`, where, n+1, n+2, n+3), args)
}

// rank counts a merchant's invoices created before t (or, inclusive, up to t).
// A zero t with inclusive counts all, without it none.
func (tx *Tx) rank(merchantID string, t time.Time, inclusive bool) (int64, error) {
	var m mark
	cond, args := `created_at < $2`, []any{merchantID, ms(t)}
	switch {
	case t.IsZero() && !inclusive:
		return 0, nil
	case t.IsZero():
		args[1] = int64(1) << 62
	case inclusive:
		cond = `created_at <= $2`
	}
	err := tx.row(`SELECT n, created_at, id FROM invoice_mark WHERE merchant = $1 AND `+cond+` ORDER BY n DESC LIMIT 1`, args, &m.n, &m.created, &m.id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	var more int64
	err = tx.row(`SELECT count(*) FROM invoice WHERE merchant = $1 AND `+cond+` AND (created_at, id) >= ($3, $4)`,
		append(args, m.created, m.id), &more)
	return m.n + more, err
}

func (tx *Tx) markBelow(merchantID string, rank int64) (mark, error) {
	var m mark
	err := tx.row(`SELECT n, created_at, id FROM invoice_mark WHERE merchant = $1 AND n <= $2 ORDER BY n DESC LIMIT 1`,
		[]any{merchantID, rank}, &m.n, &m.created, &m.id)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return m, err
}

// MarkInvoices adds the next marks of a merchant's list, at most limit of them,
// and reports how many. Invoices are never deleted, so a mark stays true.
func (tx *Tx) MarkInvoices(merchantID string, now time.Time, limit int) (int, error) {
	last, err := tx.markBelow(merchantID, 1<<62)
	if err != nil {
		return 0, err
	}
	var found []mark
	n := int64(0)
	err = tx.each(`SELECT created_at, id FROM invoice WHERE merchant = $1 AND (created_at, id) >= ($2, $3) AND created_at < $4
		ORDER BY created_at, id LIMIT $5`,
		[]any{merchantID, last.created, last.id, ms(now.Add(-markAge)), limit*markEvery + 1}, func(r sqldb.Rows) error {
			m := mark{n: last.n + n}
			if err := r.Scan(&m.created, &m.id); err != nil {
				return err
			}
			if n > 0 && n%int64(markEvery) == 0 {
				found = append(found, m)
			}
			n++
			return nil
		})
	if err != nil {
		return 0, err
	}
	for _, m := range found {
		if err := tx.one(ErrChanged, `INSERT INTO invoice_mark (merchant, n, created_at, id) VALUES ($1, $2, $3, $4)`, merchantID, m.n, m.created, m.id); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
