package store

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const creditColumns = `chain, txid, vout, invoice, asset, amount, state, first_seen, received_at, block_hash, height, low_fee, spends, settled, entry, bookings, score, doubts`

// setCredit stores a payment. Its outpoint is the key: it can belong to one
// invoice only, ever.
func (tx *Tx) setCredit(invoiceID string, c *invoice.Credit) error {
	spends, err := json.Marshal(c.Spends)
	if err != nil {
		return err
	}
	doubts, err := json.Marshal(c.Doubts)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO credit (`+creditColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (chain, txid, vout) DO UPDATE SET state = excluded.state, first_seen = excluded.first_seen,
			block_hash = excluded.block_hash, height = excluded.height, settled = excluded.settled, entry = excluded.entry, bookings = excluded.bookings,
			score = excluded.score, doubts = excluded.doubts
		WHERE credit.invoice = excluded.invoice`,
		c.Chain, c.Outpoint.Txid, int64(c.Outpoint.Vout), invoiceID, c.Asset, c.Amount.String(), string(c.State), ms(c.FirstSeen), ms(c.Received),
		c.BlockHash, c.Height, flag(c.LowFee), string(spends), flag(c.Settled), c.Entry, c.Bookings, c.Score, string(doubts))
}

// readCredits fills in the payments of the given invoices.
func (tx *Tx) readCredits(of map[string]*invoice.Invoice) error {
	for ids := range slices.Chunk(slices.Collect(maps.Keys(of)), 100) {
		args := make([]any, len(ids))
		for i, id := range ids {
			args[i] = id
		}
		err := tx.each(`SELECT `+creditColumns+` FROM credit WHERE invoice IN (`+placeholders(1, len(ids))+`) ORDER BY received_at, txid, vout`, args,
			func(r sqldb.Rows) error {
				id, c, err := scanCredit(r)
				if err != nil {
					return err
				}
				of[id].Credits = append(of[id].Credits, c)
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

func scanCredit(r scanner) (string, invoice.Credit, error) {
	var c invoice.Credit
	var id, state, spends, doubts string
	var vout, seen, received, low, settled int64
	err := r.Scan(&c.Chain, &c.Outpoint.Txid, &vout, &id, &c.Asset, &c.Amount, &state, &seen, &received, &c.BlockHash, &c.Height, &low, &spends, &settled, &c.Entry, &c.Bookings, &c.Score, &doubts)
	if err != nil {
		return "", c, err
	}
	c.Outpoint.Vout, c.State = uint32(vout), invoice.CreditState(state)
	c.FirstSeen, c.Received, c.LowFee, c.Settled = at(seen), at(received), low == 1, settled == 1
	return id, c, errors.Join(json.Unmarshal([]byte(spends), &c.Spends), json.Unmarshal([]byte(doubts), &c.Doubts))
}

// PendingTx is an unconfirmed transaction that some invoice counts on.
type PendingTx struct {
	Txid   string
	Spends []chain.Outpoint
}

// PendingTxs lists the unconfirmed transactions of a chain that invoices know.
func (tx *Tx) PendingTxs(chainName string) ([]PendingTx, error) {
	var out []PendingTx
	err := tx.each(`SELECT DISTINCT txid, spends FROM credit WHERE chain = $1 AND settled = 0 AND state = 'pending'`, []any{chainName},
		func(r sqldb.Rows) error {
			var p PendingTx
			var spends string
			if err := r.Scan(&p.Txid, &spends); err != nil {
				return err
			}
			out = append(out, p)
			return json.Unmarshal([]byte(spends), &out[len(out)-1].Spends)
		})
	return out, err
}

// SettleCredits marks the payments mined at a height or below as deep enough
// that blocks no longer look at them.
func (tx *Tx) SettleCredits(chainName string, height int64) error {
	_, err := tx.exec(`UPDATE credit SET settled = 1 WHERE chain = $1 AND settled = 0 AND state = 'mined' AND height <= $2`, chainName, height)
	return err
}

// InvoicesOfTx lists the invoices that a transaction pays.
func (tx *Tx) InvoicesOfTx(chainName, txid string) ([]string, error) {
	return tx.ids(`SELECT DISTINCT invoice FROM credit WHERE chain = $1 AND txid = $2`, chainName, txid)
}

// InvoicesInBlock lists the invoices with a payment mined in a block.
func (tx *Tx) InvoicesInBlock(chainName, hash string) ([]string, error) {
	return tx.ids(`SELECT DISTINCT invoice FROM credit WHERE chain = $1 AND block_hash = $2`, chainName, hash)
}
