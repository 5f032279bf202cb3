package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const invoiceColumns = `id, merchant, api_token, token, guid, status, created_at, expires_at, has_credits, version, terms, state`

// InvoiceRows is a new invoice with its addresses, as they are stored. They are
// made before the transaction, because one engine has a single writer.
type InvoiceRows struct {
	invoice   []any
	addresses [][]any
}

// NewInvoiceRows encodes an invoice. destinations are what the chain itself
// uses, in the order of the options.
func NewInvoiceRows(inv *invoice.Invoice, destinations [][]byte) (*InvoiceRows, error) {
	terms, state, err := encode(inv)
	if err != nil {
		return nil, err
	}
	r := &InvoiceRows{invoice: []any{
		inv.ID, inv.Merchant, inv.APIToken, inv.Token, inv.GUID, string(inv.Status), inv.Terms.Order.OrderID, ms(inv.Created), ms(inv.Expires), ms(inv.Closes()),
		inv.Version, terms, state,
	}}
	for i, opt := range inv.Terms.Options {
		r.addresses = append(r.addresses, []any{
			opt.Chain, hex.EncodeToString(destinations[i]), inv.ID, opt.Asset, opt.Wallet, opt.Index, ms(inv.Created),
		})
	}
	return r, nil
}

// AddInvoiceRows stores a new invoice and its addresses.
func (tx *Tx) AddInvoiceRows(r *InvoiceRows) error {
	err := tx.one(ErrExists, `INSERT INTO invoice (id, merchant, api_token, token, guid, status, order_id, created_at, expires_at, closes_at, has_credits, version, terms, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13)`, r.invoice...)
	if err != nil {
		return err
	}
	for _, a := range r.addresses {
		err := tx.one(ErrExists, `INSERT INTO address (chain, destination, invoice, asset, wallet, idx, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`, a...)
		if err != nil {
			return err
		}
	}
	return nil
}

// AddAddress stores an address that no invoice was made for.
func (tx *Tx) AddAddress(chainName string, destination []byte, o AddressOwner, now time.Time) error {
	return tx.one(ErrExists, `INSERT INTO address (chain, destination, invoice, asset, wallet, idx, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		chainName, fmt.Sprintf("%x", destination), o.Invoice, o.Asset, o.Wallet, o.Index, ms(now))
}

// AddInvoice encodes and stores a new invoice.
func (tx *Tx) AddInvoice(inv *invoice.Invoice, destinations [][]byte) error {
	r, err := NewInvoiceRows(inv, destinations)
	if err != nil {
		return err
	}
	return tx.AddInvoiceRows(r)
}

func encode(inv *invoice.Invoice) (terms, state string, err error) {
	t, err := json.Marshal(&inv.Terms)
	if err != nil {
		return "", "", err
	}
	s, err := json.Marshal(&inv.State)
	return string(t), string(s), err
}

// SetInvoice stores what may change of an invoice that was read in this
// transaction, and its credits. It reports ErrChanged when somebody else was first.
func (tx *Tx) SetInvoice(inv *invoice.Invoice) error {
	_, state, err := encode(inv)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE invoice SET status = $3, has_credits = $4, state = $5, expires_at = $6, closes_at = $7, version = version + 1 WHERE id = $1 AND version = $2`,
		inv.ID, inv.Version, string(inv.Status), flag(len(inv.Credits) > 0), state, ms(inv.Expires), ms(inv.Closes()))
	if err != nil {
		return err
	}
	inv.Version++
	for i := range inv.Credits {
		if err := tx.setCredit(inv.ID, &inv.Credits[i]); err != nil {
			return err
		}
	}
	return nil
}

// Invoice reads an invoice with its credits.
func (tx *Tx) Invoice(id string) (*invoice.Invoice, error) {
	return tx.oneInvoice(`id = $1`, id)
}

// InvoiceByGUID reads the invoice that a token created under a guid.
func (tx *Tx) InvoiceByGUID(apiToken, guid string) (*invoice.Invoice, error) {
	return tx.oneInvoice(`api_token = $1 AND guid = $2`, apiToken, guid)
}

// InvoiceByMerchantGUID reads the newest invoice of a merchant with a guid,
// whichever of its tokens created it.
func (tx *Tx) InvoiceByMerchantGUID(merchantID, guid string) (*invoice.Invoice, error) {
	return tx.oneInvoice(`guid = $2 AND api_token IN (SELECT token FROM api_token WHERE merchant = $1) ORDER BY created_at DESC LIMIT 1`, merchantID, guid)
}

func (tx *Tx) oneInvoice(where string, args ...any) (*invoice.Invoice, error) {
	list, err := tx.invoices(where, args)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// invoices reads whole invoices. where may end with an order and a limit.
func (tx *Tx) invoices(where string, args []any) ([]*invoice.Invoice, error) {
	var out []*invoice.Invoice
	paid := map[string]*invoice.Invoice{}
	err := tx.each(`SELECT `+invoiceColumns+` FROM invoice WHERE `+where, args, func(r sqldb.Rows) error {
		inv, has, err := scanInvoice(r)
		if err != nil {
			return err
		}
		if has {
			paid[inv.ID] = inv
		}
		out = append(out, inv)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, tx.readCredits(paid)
}

func scanInvoice(r scanner) (inv *invoice.Invoice, hasCredits bool, err error) {
	inv = &invoice.Invoice{}
	var status, terms, state string
	var created, expires, has int64
	err = r.Scan(&inv.ID, &inv.Merchant, &inv.APIToken, &inv.Token, &inv.GUID, &status, &created, &expires, &has, &inv.Version, &terms, &state)
	if err != nil {
		return nil, false, err
	}
	inv.Status, inv.Created, inv.Expires = invoice.Status(status), at(created), at(expires)
	if err := json.Unmarshal([]byte(terms), &inv.Terms); err != nil {
		return nil, false, fmt.Errorf("terms of invoice %s: %w", inv.ID, err)
	}
	if err := json.Unmarshal([]byte(state), &inv.State); err != nil {
		return nil, false, fmt.Errorf("state of invoice %s: %w", inv.ID, err)
	}
	return inv, has == 1, nil
}

// AddressOwner is what an address was made for.
type AddressOwner struct {
	Invoice string
	Asset   string
	Wallet  string
	Index   int64
}

// Address finds what a destination on a chain was made for.
func (tx *Tx) Address(chainName string, destination []byte) (AddressOwner, error) {
	var o AddressOwner
	err := tx.row(`SELECT invoice, asset, wallet, idx FROM address WHERE chain = $1 AND destination = $2`,
		[]any{chainName, fmt.Sprintf("%x", destination)}, &o.Invoice, &o.Asset, &o.Wallet, &o.Index)
	return o, err
}

// Addresses calls visit for every destination of a chain that was created at or
// after a time. It is how the watcher fills its set: once from the beginning,
// then from shortly before its last look.
func (tx *Tx) Addresses(chainName string, from time.Time, visit func(destinationHex string)) error {
	return tx.each(`SELECT destination FROM address WHERE chain = $1 AND created_at >= $2
		UNION ALL SELECT destination FROM change_address WHERE chain = $1 AND created_at >= $2`, []any{chainName, ms(from)}, func(r sqldb.Rows) error {
		var d string
		if err := r.Scan(&d); err != nil {
			return err
		}
		visit(d)
		return nil
	})
}

// DueForExpiry lists unpaid invoices that are over, oldest first, after the first few.
func (tx *Tx) DueForExpiry(now time.Time, limit, skip int) ([]string, error) {
	return tx.ids(`SELECT id FROM invoice WHERE status = 'new' AND closes_at < $1 ORDER BY closes_at, id LIMIT $2 OFFSET $3`, ms(now), limit, skip)
}

// InvoicesWithOpenCredits lists invoices with a payment that blocks still move.
func (tx *Tx) InvoicesWithOpenCredits(chainName string) ([]string, error) {
	return tx.ids(`SELECT DISTINCT invoice FROM credit WHERE chain = $1 AND settled = 0`, chainName)
}

// InvoicesAwaitingDepth lists invoices that more confirmations of a payment
// they know may move on, or bring into the books.
func (tx *Tx) InvoicesAwaitingDepth(chainName string) ([]string, error) {
	return tx.ids(`SELECT DISTINCT c.invoice FROM credit c JOIN invoice i ON i.id = c.invoice
		WHERE c.chain = $1 AND c.settled = 0 AND (i.status IN ('paid', 'confirmed') OR c.state = 'mined' AND c.entry = '')`, chainName)
}

// InvoicesWaitingSince lists invoices whose payment waits unconfirmed since
// before a time, and that count on it.
func (tx *Tx) InvoicesWaitingSince(t time.Time) ([]string, error) {
	return tx.ids(`SELECT DISTINCT c.invoice FROM credit c JOIN invoice i ON i.id = c.invoice
		WHERE c.settled = 0 AND c.state = 'pending' AND c.first_seen < $1 AND i.status IN ('paid', 'confirmed')`, ms(t))
}

func (tx *Tx) ids(query string, args ...any) ([]string, error) {
	var out []string
	err := tx.each(query, args, func(r sqldb.Rows) error {
		var id string
		err := r.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}

// placeholders writes $from, $from+1 … for n values.
func placeholders(from, n int) string {
	p := make([]string, n)
	for i := range p {
		p[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(p, ", ")
}

// InvoicesByID reads several invoices; ids that do not exist are left out.
func (tx *Tx) InvoicesByID(ids []string) (map[string]*invoice.Invoice, error) {
	out := map[string]*invoice.Invoice{}
	for chunk := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), 500) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		list, err := tx.invoices(`id IN (`+placeholders(1, len(chunk))+`)`, args)
		if err != nil {
			return nil, err
		}
		for _, inv := range list {
			out[inv.ID] = inv
		}
	}
	return out, nil
}
