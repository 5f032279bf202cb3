package store

import (
	"encoding/hex"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// Coin is an output that belongs or belonged to a wallet.
type Coin struct {
	chain.Coin
	Chain    string
	Merchant string
	Wallet   string
	Asset    string
	Invoice  string // whose address it was paid to; empty for change and deposits
	State    string // pending, mined or gone
	Block    chain.Ref
	SpentBy  string    // the transaction that spends it, waiting or mined
	SpentIn  chain.Ref // the block it is spent in
	Transfer string    // what it is reserved for
	In, Out  bool      // the ledger has counted it into the wallet, and out of it
	EntryIn  string    // the entry that counted it in; empty for change
	EntryOut string    // the entry that counted it out; empty unless the merchant took it
	Bookings int64     // how many such entries there were
	Settled  bool      // new blocks no longer look at it
	Created  time.Time
}

// The states of a coin.
const (
	CoinPending = "pending"
	CoinMined   = "mined"
	CoinGone    = "gone"
)

const coinColumns = `chain, txid, vout, merchant, wallet, asset, amount, destination, change, idx, invoice, state, block_hash, height,
	spent_by, spent_hash, spent_height, transfer, booked_in, booked_out, entry_in, entry_out, bookings, settled, created_at`

// AddCoin stores a new coin; one that is known already is ErrExists.
func (tx *Tx) AddCoin(c *Coin) error {
	return tx.one(ErrExists, `INSERT INTO coin (`+coinColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
		c.Chain, c.Txid, int64(c.Vout), c.Merchant, c.Wallet, c.Asset, c.Amount.String(), hex.EncodeToString(c.To), flag(c.Path.Change), c.Path.Index, c.Invoice,
		c.State, c.Block.Hash, c.Block.Height, c.SpentBy, c.SpentIn.Hash, c.SpentIn.Height, c.Transfer, flag(c.In), flag(c.Out), c.EntryIn, c.EntryOut, c.Bookings, flag(c.Settled), ms(c.Created))
}

// SetCoin stores what may change of a coin.
func (tx *Tx) SetCoin(c *Coin) error {
	return tx.one(ErrNotFound, `UPDATE coin SET state = $4, block_hash = $5, height = $6, spent_by = $7, spent_hash = $8, spent_height = $9,
		transfer = $10, booked_in = $11, booked_out = $12, entry_in = $13, entry_out = $14, bookings = $15, settled = $16
		WHERE chain = $1 AND txid = $2 AND vout = $3`,
		c.Chain, c.Txid, int64(c.Vout), c.State, c.Block.Hash, c.Block.Height, c.SpentBy, c.SpentIn.Hash, c.SpentIn.Height,
		c.Transfer, flag(c.In), flag(c.Out), c.EntryIn, c.EntryOut, c.Bookings, flag(c.Settled))
}

// ReserveCoin takes a free coin for a transfer, or reports ErrChanged when it is
// not free any more.
func (tx *Tx) ReserveCoin(chainName string, o chain.Outpoint, transfer string) error {
	return tx.one(ErrChanged, `UPDATE coin SET transfer = $4 WHERE chain = $1 AND txid = $2 AND vout = $3 AND transfer = '' AND spent_by = ''
		AND booked_in = 1 AND booked_out = 0`,
		chainName, o.Txid, int64(o.Vout), transfer)
}

// ReserveWaiting takes a payment that waits for its block, and that the books do
// not know yet, for the transfer that is to hurry it along; ErrChanged when it is
// not free or does not wait any more.
func (tx *Tx) ReserveWaiting(chainName string, o chain.Outpoint, transfer string) error {
	return tx.one(ErrChanged, `UPDATE coin SET transfer = $4 WHERE chain = $1 AND txid = $2 AND vout = $3 AND transfer = '' AND spent_by = ''
		AND state = 'pending' AND booked_out = 0`,
		chainName, o.Txid, int64(o.Vout), transfer)
}

// FreeCoins gives back what was reserved for a transfer that nobody signed. What
// spends one of them meanwhile is none of ours, and new blocks look at it as such.
func (tx *Tx) FreeCoins(transfer string) error {
	_, err := tx.exec(`UPDATE coin SET transfer = '', settled = CASE WHEN spent_by = '' THEN settled ELSE 0 END WHERE transfer = $1`, transfer)
	return err
}

// Coin reads one coin.
func (tx *Tx) Coin(chainName string, o chain.Outpoint) (*Coin, error) {
	list, err := tx.coins(`chain = $1 AND txid = $2 AND vout = $3`, chainName, o.Txid, int64(o.Vout))
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// SpendableCoins lists what a wallet can pay with: in the ledger, neither spent
// nor reserved.
func (tx *Tx) SpendableCoins(wallet string) ([]*Coin, error) {
	return tx.coins(`wallet = $1 AND spent_by = '' AND transfer = '' AND booked_in = 1 AND booked_out = 0`, wallet)
}

// BookedCoins lists the coins that the ledger has counted into a wallet and not
// out of it, or the other way round.
func (tx *Tx) BookedCoins(wallet string) ([]*Coin, error) {
	return tx.coins(`wallet = $1 AND booked_in <> booked_out`, wallet)
}

// CoinsInBlock lists the coins that a block made or spent.
func (tx *Tx) CoinsInBlock(chainName, hash string) ([]*Coin, error) {
	return tx.coins(`chain = $1 AND (block_hash = $2 OR spent_hash = $2)`, chainName, hash)
}

// CoinsOf lists the coins that a transaction made.
func (tx *Tx) CoinsOf(chainName, txid string) ([]*Coin, error) {
	return tx.coins(`chain = $1 AND txid = $2`, chainName, txid)
}

// CoinsSpentBy lists the coins that a transaction spends.
func (tx *Tx) CoinsSpentBy(chainName, txid string) ([]*Coin, error) {
	return tx.coins(`chain = $1 AND spent_by = $2`, chainName, txid)
}

// CoinsReservedFor lists the coins that a transfer has taken.
func (tx *Tx) CoinsReservedFor(transfer string) ([]*Coin, error) {
	return tx.coins(`transfer = $1`, transfer)
}

// DepositsDue lists the coins that no invoice asked for, that are mined at a
// height or below, and that are not in the books. At a destination for change those
// are what no payment out of ours has made.
func (tx *Tx) DepositsDue(chainName string, height int64) ([]*Coin, error) {
	return tx.coins(`chain = $1 AND settled = 0 AND state = 'mined' AND height <= $2 AND booked_in = 0 AND invoice = '' AND spent_by = ''
		AND (change = 0 OR NOT EXISTS (SELECT 1 FROM transfer_txid t WHERE t.chain = coin.chain AND t.txid = coin.txid))`, chainName, height)
}

// WithdrawalsDue lists the coins in the books that a transaction which is none
// of our own spends at a height or below.
func (tx *Tx) WithdrawalsDue(chainName string, height int64) ([]*Coin, error) {
	return tx.coins(`chain = $1 AND settled = 0 AND booked_in = 1 AND booked_out = 0 AND transfer = '' AND spent_hash <> '' AND spent_height <= $2`, chainName, height)
}

// SettleCoins marks the coins that new blocks need not look at any more: gone,
// or made and, if at all, spent at a height or below.
func (tx *Tx) SettleCoins(chainName string, height int64) error {
	_, err := tx.exec(`UPDATE coin SET settled = 1 WHERE chain = $1 AND settled = 0 AND (state = 'gone'
		OR state = 'mined' AND height <= $2 AND (spent_by = '' OR spent_hash <> '' AND spent_height <= $2))`, chainName, height)
	return err
}

// WatchedCoins calls visit for each output of a chain whose spending matters:
// nothing has spent it, or not deep enough.
func (tx *Tx) WatchedCoins(chainName string, visit func(chain.Outpoint)) error {
	return tx.each(`SELECT txid, vout FROM coin WHERE chain = $1 AND (settled = 0 OR spent_hash = '')`, []any{chainName}, func(r sqldb.Rows) error {
		var o chain.Outpoint
		var vout int64
		err := r.Scan(&o.Txid, &vout)
		o.Vout = uint32(vout)
		visit(o)
		return err
	})
}

func (tx *Tx) coins(where string, args ...any) ([]*Coin, error) {
	var out []*Coin
	err := tx.each(`SELECT `+coinColumns+` FROM coin WHERE `+where+` ORDER BY chain, txid, vout`, args, func(r sqldb.Rows) error {
		c, err := scanCoin(r)
		out = append(out, c)
		return err
	})
	return out, err
}

func scanCoin(r scanner) (*Coin, error) {
	var c Coin
	var to string
	var vout, change, in, outOf, settled, created int64
	err := r.Scan(&c.Chain, &c.Txid, &vout, &c.Merchant, &c.Wallet, &c.Asset, &c.Amount, &to, &change, &c.Path.Index, &c.Invoice, &c.State, &c.Block.Hash, &c.Block.Height,
		&c.SpentBy, &c.SpentIn.Hash, &c.SpentIn.Height, &c.Transfer, &in, &outOf, &c.EntryIn, &c.EntryOut, &c.Bookings, &settled, &created)
	if err != nil {
		return nil, err
	}
	c.Vout, c.Path.Change, c.In, c.Out, c.Settled, c.Created = uint32(vout), change == 1, in == 1, outOf == 1, settled == 1, at(created)
	c.Confirmed = c.State == CoinMined
	c.To, err = hex.DecodeString(to)
	return &c, err
}

// ChangeAddress is a destination for the rest of payments out.
type ChangeAddress struct {
	Chain       string
	Destination []byte
	Wallet      string
	Index       int64
	Created     time.Time
}

// NextChange takes a wallet's next index for change. It is never given out again.
func (tx *Tx) NextChange(wallet string) (index int64, err error) { return tx.ReserveChange(wallet, 1) }

// AddChangeAddress records a destination before anything is sent to it.
func (tx *Tx) AddChangeAddress(c ChangeAddress) error {
	return tx.one(ErrExists, `INSERT INTO change_address (chain, destination, wallet, idx, created_at) VALUES ($1, $2, $3, $4, $5)`,
		c.Chain, hex.EncodeToString(c.Destination), c.Wallet, c.Index, ms(c.Created))
}

// ChangeOwner finds the wallet and index of a destination for change.
func (tx *Tx) ChangeOwner(chainName string, destination []byte) (c ChangeAddress, err error) {
	c.Chain, c.Destination = chainName, destination
	err = tx.row(`SELECT wallet, idx FROM change_address WHERE chain = $1 AND destination = $2`, []any{chainName, hex.EncodeToString(destination)}, &c.Wallet, &c.Index)
	return c, err
}
