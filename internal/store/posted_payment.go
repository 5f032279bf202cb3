package store

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// PostedState says how far a payment got that a wallet handed over.
type PostedState string

// Kept is stored and not known to be sent; Sent is with the network; Refused is not
// sent and will not be.
const (
	Kept    PostedState = "kept"
	Sent    PostedState = "sent"
	Refused PostedState = "refused"
)

// PostedPayment is a payment that a wallet handed over.
type PostedPayment struct {
	Chain   string
	Txid    string
	Invoice string
	Raw     []byte // empty once it is sent or refused
	State   PostedState
	At      time.Time // when it was stored
}

// KeepPosted stores a payment before it is sent, also one that was refused before.
// ErrExists means that the invoice has taken another one.
func (tx *Tx) KeepPosted(p PostedPayment) error {
	return tx.one(ErrExists, `INSERT INTO posted_payment (chain, txid, invoice, raw, state, posted_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (chain, txid, invoice) DO UPDATE SET raw = excluded.raw, state = excluded.state, posted_at = excluded.posted_at
		WHERE posted_payment.state = 'refused'`, p.Chain, p.Txid, p.Invoice, hex.EncodeToString(p.Raw), string(Kept), ms(p.At))
}

// EndPosted says what became of a kept payment, or reports ErrNotFound when that is
// known already.
func (tx *Tx) EndPosted(p PostedPayment, state PostedState) error {
	return tx.one(ErrNotFound, `UPDATE posted_payment SET state = $4, raw = '' WHERE chain = $1 AND txid = $2 AND invoice = $3 AND state = 'kept'`,
		p.Chain, p.Txid, p.Invoice, string(state))
}

const postedColumns = `chain, txid, invoice, raw, state, posted_at`

func scanPosted(scan func(...any) error) (p PostedPayment, err error) {
	var raw, state string
	var t int64
	if err = scan(&p.Chain, &p.Txid, &p.Invoice, &raw, &state, &t); err != nil {
		return p, err
	}
	p.State, p.At = PostedState(state), at(t)
	if p.Raw, err = hex.DecodeString(raw); err != nil {
		err = fmt.Errorf("the posted payment %s: %w", p.Txid, err)
	}
	return p, err
}

// PostedPayment finds a payment by the transaction and the invoice it was for.
func (tx *Tx) PostedPayment(chainName, txid, invoice string) (PostedPayment, error) {
	return scanPosted(func(dest ...any) error {
		return tx.row(`SELECT `+postedColumns+` FROM posted_payment WHERE chain = $1 AND txid = $2 AND invoice = $3`, []any{chainName, txid, invoice}, dest...)
	})
}

// TakenPayment is the payment that an invoice has taken from a wallet, or
// ErrNotFound.
func (tx *Tx) TakenPayment(invoice string) (PostedPayment, error) {
	return scanPosted(func(dest ...any) error {
		return tx.row(`SELECT `+postedColumns+` FROM posted_payment WHERE invoice = $1 AND state <> 'refused'`, []any{invoice}, dest...)
	})
}

// KeptPayments lists those stored before a time that are not known to be sent,
// oldest first.
func (tx *Tx) KeptPayments(before time.Time, limit int) (list []PostedPayment, err error) {
	err = tx.each(`SELECT `+postedColumns+` FROM posted_payment WHERE state = 'kept' AND posted_at < $1 ORDER BY posted_at, txid LIMIT $2`,
		[]any{ms(before), limit}, func(r sqldb.Rows) error {
			p, err := scanPosted(r.Scan)
			list = append(list, p)
			return err
		})
	return list, err
}

// SigningKey is the public half of a key that signs answers to wallets.
type SigningKey struct {
	Identity string // RIPEMD160(SHA256(public key)) in base58check
	Public   string // compressed, hex
	Created  time.Time
	From     time.Time // it signs from then on, as the youngest of its server
	Expires  time.Time
	Retired  time.Time // zero: it is published
}

// AddSigningKey publishes a key, or reports ErrExists.
func (tx *Tx) AddSigningKey(k SigningKey) error {
	return tx.one(ErrExists, `INSERT INTO signing_key (identity, public, created_at, signs_from, expires_at, retired_at) VALUES ($1, $2, $3, $4, $5, 0)`,
		k.Identity, k.Public, ms(k.Created), ms(k.From), ms(k.Expires))
}

// RetireSigningKey takes a key back, or reports ErrNotFound.
func (tx *Tx) RetireSigningKey(identity string, now time.Time) error {
	return tx.one(ErrNotFound, `UPDATE signing_key SET retired_at = $2 WHERE identity = $1 AND retired_at = 0`, identity, ms(now))
}

// SigningKeys lists all keys in the order in which they were made.
func (tx *Tx) SigningKeys() (list []SigningKey, err error) {
	err = tx.each(`SELECT identity, public, created_at, signs_from, expires_at, retired_at FROM signing_key ORDER BY created_at, identity`, nil, func(r sqldb.Rows) error {
		var k SigningKey
		var created, from, expires, retired int64
		err := r.Scan(&k.Identity, &k.Public, &created, &from, &expires, &retired)
		k.Created, k.From, k.Expires, k.Retired = at(created), at(from), at(expires), at(retired)
		list = append(list, k)
		return err
	})
	return list, err
}
