package store

import (
	"encoding/hex"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store/sqldb"
)

// Sweep is a transaction that empties an old wallet into one of ours.
type Sweep struct {
	Chain    string
	Txid     string
	Merchant string
	Wallet   string // where it goes
	Address  string
	Amount   money.Units // that arrives
	Fee      money.Units
	Inputs   int64
	Raw      []byte
	State    SweepState
	Problem  string // why it waits or was refused, for people
	Tried    time.Time
	Created  time.Time
}

// SweepState says where a sweep is.
type SweepState string

// A sweep is stored, handed to the network, in a block, or never will be.
const (
	SweepKept    SweepState = "kept"
	SweepSent    SweepState = "sent"
	SweepMined   SweepState = "mined"
	SweepRefused SweepState = "refused"
)

const sweepColumns = `chain, txid, merchant, wallet, address, amount, fee, inputs, raw, state, problem, tried_at, created_at`

// AddSweep stores a signed sweep before it is sent; one that is there is ErrExists.
func (tx *Tx) AddSweep(s *Sweep) error {
	return tx.one(ErrExists, `INSERT INTO sweep (`+sweepColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		s.Chain, s.Txid, s.Merchant, s.Wallet, s.Address, s.Amount.String(), s.Fee.String(), s.Inputs, hex.EncodeToString(s.Raw), string(s.State), s.Problem, ms(s.Tried), ms(s.Created))
}

// SetSweep stores what came of a sweep.
func (tx *Tx) SetSweep(s *Sweep) error {
	return tx.one(ErrNotFound, `UPDATE sweep SET state = $3, problem = $4, tried_at = $5 WHERE chain = $1 AND txid = $2`,
		s.Chain, s.Txid, string(s.State), s.Problem, ms(s.Tried))
}

// OpenSweeps lists the sweeps that are in no block yet, as far as is known, and were
// not tried since; oldest first.
func (tx *Tx) OpenSweeps(triedBefore time.Time, limit int) ([]*Sweep, error) {
	return tx.sweeps(`state IN ('kept', 'sent') AND tried_at <= $1 ORDER BY created_at, txid LIMIT $2`, ms(triedBefore), limit)
}

// Sweep reads one sweep.
func (tx *Tx) Sweep(chainName, txid string) (*Sweep, error) {
	list, err := tx.sweeps(`chain = $1 AND txid = $2`, chainName, txid)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (tx *Tx) sweeps(where string, args ...any) ([]*Sweep, error) {
	var out []*Sweep
	err := tx.each(`SELECT `+sweepColumns+` FROM sweep WHERE `+where, args, func(r sqldb.Rows) error {
		var s Sweep
		var raw, state string
		var tried, created int64
		err := r.Scan(&s.Chain, &s.Txid, &s.Merchant, &s.Wallet, &s.Address, &s.Amount, &s.Fee, &s.Inputs, &raw, &state, &s.Problem, &tried, &created)
		if err != nil {
			return err
		}
		s.State, s.Tried, s.Created = SweepState(state), at(tried), at(created)
		s.Raw, err = hex.DecodeString(raw)
		out = append(out, &s)
		return err
	})
	return out, err
}
