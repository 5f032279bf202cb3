package store

import (
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/transfer"
)

// UnmatchedReceipts counts the receipts that stand, and names one that no payment
// points to, or a payment that points to none.
func (tx *Tx) UnmatchedReceipts() (n int64, bad string, err error) {
	const standing = `ledger_entry e WHERE e.kind = 'receipt' AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses = e.id)`
	if err := tx.row(`SELECT count(*) FROM `+standing, nil, &n); err != nil {
		return n, "", err
	}
	var key string
	err = tx.row(`SELECT e.key FROM `+standing+` AND (SELECT count(*) FROM credit c WHERE c.entry = e.id) <> 1 LIMIT 1`, nil, &key)
	if err == nil {
		return n, "receipt " + key + " is not that of one payment", nil
	}
	if !errors.Is(err, ErrNotFound) {
		return n, "", err
	}
	var txid string
	err = tx.row(`SELECT txid FROM credit WHERE entry <> '' AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = credit.entry AND e.kind = 'receipt'
		AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses = e.id)) LIMIT 1`, nil, &txid)
	if errors.Is(err, ErrNotFound) {
		return n, "", nil
	}
	return n, "payment " + txid + " says that it is booked, and no receipt stands for it", err
}

// BookedCredits calls visit for each payment that is in the books.
func (tx *Tx) BookedCredits(visit func(*invoice.Credit) error) error {
	return tx.each(`SELECT `+creditColumns+` FROM credit WHERE entry <> ''`, nil, func(r sqldb.Rows) error {
		_, c, err := scanCredit(r)
		if err != nil {
			return err
		}
		return visit(&c)
	})
}

// NewestAddresses calls visit for the addresses that were made last.
func (tx *Tx) NewestAddresses(limit int, visit func(destination string, o AddressOwner) error) error {
	return tx.each(`SELECT destination, invoice, asset, wallet, idx FROM address ORDER BY created_at DESC LIMIT $1`, []any{limit}, func(r sqldb.Rows) error {
		var d string
		var o AddressOwner
		if err := r.Scan(&d, &o.Invoice, &o.Asset, &o.Wallet, &o.Index); err != nil {
			return err
		}
		return visit(d, o)
	})
}

// EachTransfer calls visit for every transfer.
func (tx *Tx) EachTransfer(visit func(*transfer.Transfer) error) error {
	list, err := tx.transfers(`1 = 1 ORDER BY created_at, id`)
	for _, t := range list {
		if err := visit(t); err != nil {
			return err
		}
	}
	return err
}

// EachOpenOrder calls visit for each order that is not finished; left says that
// what it takes has left the reserve.
func (tx *Tx) EachOpenOrder(visit func(o *transfer.Order, left bool) error) error {
	gone := map[string]bool{}
	if err := tx.EachTransfer(func(t *transfer.Transfer) error { gone[t.ID] = t.Booked.Sent; return nil }); err != nil {
		return err
	}
	list, err := tx.orders(`state IN ('queued', 'taken') ORDER BY id`)
	for _, o := range list {
		if err := visit(o, gone[o.Transfer]); err != nil {
			return err
		}
	}
	return err
}

// EachHeld calls add for what is reserved without an order so far: immediate
// refunds that wait for an address, and settlements that the bank has.
func (tx *Tx) EachHeld(add func(merchantID, asset string, u money.Units)) error {
	held := func(entry string) error {
		e, err := tx.Entry(entry)
		if err != nil {
			return fmt.Errorf("entry %s: %w", entry, err)
		}
		for _, p := range e.Postings {
			if p.Account == "reserved" && p.Amount.Sign() < 0 {
				add(e.Merchant, p.Asset, p.Amount.Abs())
			}
		}
		return nil
	}
	refunds, err := tx.refunds(`status = 'created' ORDER BY id`)
	if err != nil {
		return err
	}
	for _, r := range refunds {
		if r.State.Entry != "" && r.State.Order == "" {
			if err := held(r.State.Entry); err != nil {
				return err
			}
		}
	}
	settlements, err := tx.settlements(`status = 'new' ORDER BY id`)
	for _, s := range settlements {
		if s.State.Order == "" {
			if err := held(s.State.Entry); err != nil {
				return err
			}
		}
	}
	return err
}

// EachRefunded calls visit for each invoice that gave money back, or will, with
// how much in which asset.
func (tx *Tx) EachRefunded(visit func(invoiceID, asset string, back money.Units) error) error {
	list, err := tx.refunds(`status IN ('created', 'pending', 'success') ORDER BY invoice`)
	if err != nil {
		return err
	}
	for len(list) > 0 {
		first, back := list[0], money.Units{}
		n := 0
		for n < len(list) && list[n].Invoice == first.Invoice {
			if list[n].Terms.Asset == first.Terms.Asset {
				back, _ = back.Add(list[n].Terms.Net()) // each was checked against what came in
			}
			n++
		}
		if err := visit(first.Invoice, first.Terms.Asset, back); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// RepeatedGUIDs counts the guids and names one that is there twice.
func (tx *Tx) RepeatedGUIDs() (n int64, bad string, err error) {
	for _, table := range []struct{ name, owner string }{{"invoice", "api_token"}, {"refund", "merchant"}} {
		var rows int64
		if err := tx.row(`SELECT count(*) FROM `+table.name, nil, &rows); err != nil {
			return n, bad, err
		}
		n += rows
		var guid string
		err := tx.row(`SELECT guid FROM `+table.name+` GROUP BY `+table.owner+`, guid HAVING count(*) > 1 LIMIT 1`, nil, &guid)
		if err == nil {
			bad = table.name + "s share the guid " + guid
		} else if !errors.Is(err, ErrNotFound) {
			return n, bad, err
		}
	}
	return n, bad, nil
}

// StrayDeliveries counts the deliveries and names one whose event belongs to
// another merchant than its lane.
func (tx *Tx) StrayDeliveries() (n int64, bad string, err error) {
	if err := tx.row(`SELECT count(*) FROM delivery`, nil, &n); err != nil {
		return n, "", err
	}
	var id string
	err = tx.row(`SELECT d.id FROM delivery d JOIN lane l ON l.id = d.lane JOIN event e ON e.id = d.event WHERE e.merchant <> l.merchant LIMIT 1`, nil, &id)
	if errors.Is(err, ErrNotFound) {
		return n, "", nil
	}
	return n, "delivery " + id + " tells one merchant about another's", err
}

// EventGaps counts the resources with events and names one whose numbers have a gap.
func (tx *Tx) EventGaps() (n int64, bad string, err error) {
	if err := tx.row(`SELECT count(*) FROM (SELECT DISTINCT resource FROM event) r`, nil, &n); err != nil {
		return n, "", err
	}
	var resource string
	err = tx.row(`SELECT resource FROM event GROUP BY resource HAVING count(*) <> max(seq) OR min(seq) <> 1 LIMIT 1`, nil, &resource)
	if errors.Is(err, ErrNotFound) {
		return n, "", nil
	}
	return n, "the events of " + resource + " have a gap", err
}
