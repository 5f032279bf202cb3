package store

import (
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// SetCoinLabel stores what an operator calls a coin; an empty label takes it away.
func (tx *Tx) SetCoinLabel(chainName string, o chain.Outpoint, label string, now time.Time) error {
	if label == "" {
		_, err := tx.exec(`DELETE FROM coin_label WHERE chain = $1 AND txid = $2 AND vout = $3`, chainName, o.Txid, int64(o.Vout))
		return err
	}
	return tx.one(ErrChanged, `INSERT INTO coin_label (chain, txid, vout, label, labelled_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (chain, txid, vout) DO UPDATE SET label = $4, labelled_at = $5`, chainName, o.Txid, int64(o.Vout), label, ms(now))
}

// CoinLabels reads the labels of a chain's coins.
func (tx *Tx) CoinLabels(chainName string) (map[chain.Outpoint]string, error) {
	out := map[chain.Outpoint]string{}
	err := tx.each(`SELECT txid, vout, label FROM coin_label WHERE chain = $1`, []any{chainName}, func(r sqldb.Rows) error {
		var o chain.Outpoint
		var vout int64
		var label string
		err := r.Scan(&o.Txid, &vout, &label)
		o.Vout = uint32(vout)
		out[o] = label
		return err
	})
	return out, err
}

// UnspentCoins lists a wallet's coins that exist and that nothing spends, in the
// books or not yet.
func (tx *Tx) UnspentCoins(wallet string) ([]*Coin, error) {
	return tx.coins(`wallet = $1 AND spent_by = '' AND state <> 'gone' AND booked_out = 0`, wallet)
}
