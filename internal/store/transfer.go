package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/transfer"
)

const orderColumns = `id, merchant, wallet, asset, chain, kind, resource, state, transfer, not_until, created_at, version, body`

// orderBody is what an order holds besides what it is found by.
type orderBody struct {
	Address  string            `json:"address"`
	To       []byte            `json:"to"`
	Currency string            `json:"currency"`
	Value    json.Number       `json:"value"`
	Price    json.Number       `json:"price"`
	Priced   string            `json:"priceCurrency,omitempty"`
	Gross    json.Number       `json:"gross"`
	Kept     json.Number       `json:"kept"`
	Rates    map[string]string `json:"rates,omitempty"`
	Problem  string            `json:"problem,omitempty"`
	Most     int               `json:"most,omitempty"`
}

func orderText(o *transfer.Order) (string, error) {
	b, err := json.Marshal(orderBody{o.Address, o.To, o.Currency, json.Number(o.Value.String()), json.Number(o.Price.String()), o.PriceCurrency, json.Number(o.Gross.String()), json.Number(o.Kept.String()), o.Rates, o.Problem, o.Most})
	return string(b), err
}

// AddOrder stores a payment that has to leave.
func (tx *Tx) AddOrder(o *transfer.Order) error {
	body, err := orderText(o)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO spend_order (`+orderColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		o.ID, o.Merchant, o.Wallet, o.Asset, o.Chain, string(o.Kind), o.Resource, string(o.State), o.Transfer, ms(o.NotUntil), ms(o.Created), o.Version, body)
}

// SetOrder stores what may change of an order that was read in this transaction.
func (tx *Tx) SetOrder(o *transfer.Order) error {
	body, err := orderText(o)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE spend_order SET state = $3, transfer = $4, not_until = $5, body = $6, version = version + 1 WHERE id = $1 AND version = $2`,
		o.ID, o.Version, string(o.State), o.Transfer, ms(o.NotUntil), body)
	if err == nil {
		o.Version++
	}
	return err
}

// Order reads one order.
func (tx *Tx) Order(id string) (*transfer.Order, error) {
	list, err := tx.orders(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// QueuedOrders lists what waits to leave a wallet, oldest first.
func (tx *Tx) QueuedOrders(wallet string, now time.Time, limit int) ([]*transfer.Order, error) {
	return tx.orders(`wallet = $1 AND state = 'queued' AND not_until <= $2 ORDER BY created_at, id LIMIT $3`, wallet, ms(now), limit)
}

// OrdersOf lists the orders that pay a resource, oldest first.
func (tx *Tx) OrdersOf(resource string) ([]*transfer.Order, error) {
	return tx.orders(`resource = $1 ORDER BY created_at, id`, resource)
}

// OrdersIn lists the members of a transfer.
func (tx *Tx) OrdersIn(transferID string) ([]*transfer.Order, error) {
	return tx.orders(`transfer = $1 ORDER BY created_at, id`, transferID)
}

func (tx *Tx) orders(where string, args ...any) ([]*transfer.Order, error) {
	var out []*transfer.Order
	err := tx.each(`SELECT `+orderColumns+` FROM spend_order WHERE `+where, args, func(r sqldb.Rows) error {
		o, err := scanOrder(r)
		out = append(out, o)
		return err
	})
	return out, err
}

func scanOrder(r scanner) (*transfer.Order, error) {
	var o transfer.Order
	var body, kind, state string
	var until, created int64
	if err := r.Scan(&o.ID, &o.Merchant, &o.Wallet, &o.Asset, &o.Chain, &kind, &o.Resource, &state, &o.Transfer, &until, &created, &o.Version, &body); err != nil {
		return nil, err
	}
	o.Kind, o.State, o.NotUntil, o.Created = transfer.Kind(kind), transfer.OrderState(state), at(until), at(created)
	var b orderBody
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return nil, fmt.Errorf("order %s: %w", o.ID, err)
	}
	o.Address, o.To, o.Currency, o.PriceCurrency, o.Rates, o.Problem, o.Most = b.Address, b.To, b.Currency, b.Priced, b.Rates, b.Problem, b.Most
	for _, f := range []struct {
		from json.Number
		to   interface{ Scan(any) error }
	}{{b.Value, &o.Value}, {b.Price, &o.Price}, {b.Gross, &o.Gross}, {b.Kept, &o.Kept}} {
		if err := f.to.Scan(f.from.String()); err != nil {
			return nil, fmt.Errorf("order %s: %w", o.ID, err)
		}
	}
	return &o, nil
}

const transferColumns = `id, merchant, wallet, asset, chain, state, settled, created_at, version, body`

// AddTransfer stores a planned transaction.
func (tx *Tx) AddTransfer(t *transfer.Transfer) error {
	body, err := json.Marshal(&t.Body)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO transfer (`+transferColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		t.ID, t.Merchant, t.Wallet, t.Asset, t.Chain, string(t.State), flag(t.Settled), ms(t.Created), t.Version, string(body))
}

// SetTransfer stores what may change of a transfer that was read in this
// transaction. It reports ErrChanged when somebody else was first.
func (tx *Tx) SetTransfer(t *transfer.Transfer) error {
	body, err := json.Marshal(&t.Body)
	if err != nil {
		return err
	}
	err = tx.one(ErrChanged, `UPDATE transfer SET state = $3, settled = $4, body = $5, version = version + 1 WHERE id = $1 AND version = $2`,
		t.ID, t.Version, string(t.State), flag(t.Settled), string(body))
	if err != nil {
		return err
	}
	t.Version++
	for i := range t.Attempts {
		if id := t.Attempts[i].Txid; id != "" {
			if err := tx.ownTxid(t, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) ownTxid(t *transfer.Transfer, txid string) error {
	_, err := tx.exec(`INSERT INTO transfer_txid (chain, txid, transfer) VALUES ($1, $2, $3) ON CONFLICT (chain, txid) DO NOTHING`, t.Chain, txid, t.ID)
	return err
}

// Transfer reads one transfer.
func (tx *Tx) Transfer(id string) (*transfer.Transfer, error) {
	list, err := tx.transfers(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// TransferOf finds the transfer that a transaction is an attempt at.
func (tx *Tx) TransferOf(chainName, txid string) (*transfer.Transfer, error) {
	list, err := tx.transfers(`id = (SELECT transfer FROM transfer_txid WHERE chain = $1 AND txid = $2)`, chainName, txid)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// OpenTransfers lists the transfers of a chain that new blocks may still move.
func (tx *Tx) OpenTransfers(chainName string) ([]*transfer.Transfer, error) {
	return tx.transfers(`chain = $1 AND settled = 0 ORDER BY created_at, id`, chainName)
}

// UnfinishedTransfers lists what a wallet's spender still has to do something
// about, oldest first.
func (tx *Tx) UnfinishedTransfers(wallet string) ([]*transfer.Transfer, error) {
	return tx.transfers(`wallet = $1 AND state IN ('planned', 'exported', 'signed', 'sent', 'lost') AND settled = 0 ORDER BY created_at, id`, wallet)
}

// Transfers lists a wallet's transfers, newest first; with an empty wallet,
// everybody's.
func (tx *Tx) Transfers(wallet string, limit int) ([]*transfer.Transfer, error) {
	return tx.transfers(`(wallet = $1 OR $1 = '') ORDER BY created_at DESC, id LIMIT $2`, wallet, limit)
}

func (tx *Tx) transfers(where string, args ...any) ([]*transfer.Transfer, error) {
	var out []*transfer.Transfer
	err := tx.each(`SELECT `+transferColumns+` FROM transfer WHERE `+where, args, func(r sqldb.Rows) error {
		var t transfer.Transfer
		var state, body string
		var settled, created int64
		if err := r.Scan(&t.ID, &t.Merchant, &t.Wallet, &t.Asset, &t.Chain, &state, &settled, &created, &t.Version, &body); err != nil {
			return err
		}
		t.State, t.Settled, t.Created = transfer.State(state), settled == 1, at(created)
		out = append(out, &t)
		if err := json.Unmarshal([]byte(body), &t.Body); err != nil {
			return fmt.Errorf("transfer %s: %w", t.ID, err)
		}
		return nil
	})
	return out, err
}

// WalletsWithWork lists the wallets that have orders waiting or transfers
// unfinished.
func (tx *Tx) WalletsWithWork(now time.Time) ([]string, error) {
	return tx.ids(`SELECT wallet FROM spend_order WHERE state = 'queued' AND not_until <= $1
		UNION SELECT wallet FROM transfer WHERE settled = 0 AND state IN ('planned', 'signed', 'sent', 'lost')`, ms(now))
}
