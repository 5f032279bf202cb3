package store

import (
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// Cursor is how far a chain has been followed.
type Cursor struct {
	Chain   string
	Network string
	Genesis string
	Block   chain.Ref
	At      time.Time
}

// Cursor reads how far a chain has been followed.
func (tx *Tx) Cursor(chainName string) (Cursor, error) {
	c := Cursor{Chain: chainName}
	var t int64
	err := tx.row(`SELECT network, genesis, height, hash, at FROM chain_cursor WHERE chain = $1`, []any{chainName},
		&c.Network, &c.Genesis, &c.Block.Height, &c.Block.Hash, &t)
	c.At = at(t)
	return c, err
}

// Tips reads the followed height of every chain.
func (tx *Tx) Tips() (map[string]int64, error) {
	tips := map[string]int64{}
	err := tx.each(`SELECT chain, height FROM chain_cursor`, nil, func(r sqldb.Rows) error {
		var name string
		var height int64
		err := r.Scan(&name, &height)
		tips[name] = height
		return err
	})
	return tips, err
}

// StartCursor records where a chain begins to be followed.
func (tx *Tx) StartCursor(c Cursor) error {
	err := tx.one(ErrExists, `INSERT INTO chain_cursor (chain, network, genesis, height, hash, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.Chain, c.Network, c.Genesis, c.Block.Height, c.Block.Hash, ms(c.At))
	if err != nil {
		return err
	}
	return tx.setBlock(c.Chain, c.Block)
}

// keepBlocks is how many block hashes below the tip stay known.
const keepBlocks = 1000

// MoveCursor goes one block up from the block it stood at, or reports
// ErrChanged when another follower was there first.
func (tx *Tx) MoveCursor(chainName string, from, to chain.Ref, now time.Time) error {
	err := tx.one(ErrChanged, `UPDATE chain_cursor SET height = $4, hash = $5, at = $6 WHERE chain = $1 AND height = $2 AND hash = $3`,
		chainName, from.Height, from.Hash, to.Height, to.Hash, ms(now))
	if err != nil {
		return err
	}
	if to.Height > from.Height {
		err = tx.setBlock(chainName, to)
	}
	if err == nil {
		_, err = tx.exec(`DELETE FROM chain_block WHERE chain = $1 AND (height > $2 OR height < $3)`, chainName, to.Height, to.Height-keepBlocks)
	}
	return err
}

func (tx *Tx) setBlock(chainName string, b chain.Ref) error {
	return tx.one(ErrChanged, `INSERT INTO chain_block (chain, height, hash) VALUES ($1, $2, $3)
		ON CONFLICT (chain, height) DO UPDATE SET hash = excluded.hash`, chainName, b.Height, b.Hash)
}

// BlockAt is the followed block at a height, or ErrNotFound.
func (tx *Tx) BlockAt(chainName string, height int64) (chain.Ref, error) {
	b := chain.Ref{Height: height}
	err := tx.row(`SELECT hash FROM chain_block WHERE chain = $1 AND height = $2`, []any{chainName, height}, &b.Hash)
	return b, err
}
