package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const recipientColumns = `id, merchant, api_token, token, email, status, created_at, version, state`

// AddRecipient stores a new recipient. An e-mail address that one of the
// merchant's recipients already has, unless it was removed, is ErrExists.
func (tx *Tx) AddRecipient(r *recipient.Recipient) error {
	state, err := json.Marshal(&r.State)
	if err != nil {
		return fmt.Errorf("encode recipient: %w", err)
	}
	return tx.one(ErrExists, `INSERT INTO recipient (`+recipientColumns+`, email_key, shopper_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.ID, r.Merchant, r.APIToken, r.Token, r.Email, string(r.Status), ms(r.Created), r.Version, string(state),
		recipient.Key(r.Email), orNull(r.State.ShopperID))
}

// SetRecipient stores what may change of a recipient that was read in this
// transaction.
func (tx *Tx) SetRecipient(r *recipient.Recipient) error {
	state, err := json.Marshal(&r.State)
	if err != nil {
		return fmt.Errorf("encode recipient: %w", err)
	}
	err = tx.one(ErrChanged, `UPDATE recipient SET status = $3, state = $4, shopper_id = $5, version = version + 1 WHERE id = $1 AND version = $2`,
		r.ID, r.Version, string(r.Status), string(state), orNull(r.State.ShopperID))
	if err == nil {
		r.Version++
	}
	return err
}

// Recipient reads one recipient.
func (tx *Tx) Recipient(id string) (*recipient.Recipient, error) {
	return tx.oneRecipient(`id = $1`, id)
}

// RecipientByEmail reads the merchant's recipient with an e-mail address, in any
// letter case, that is not removed.
func (tx *Tx) RecipientByEmail(merchantID, email string) (*recipient.Recipient, error) {
	return tx.oneRecipient(`merchant = $1 AND email_key = $2 AND status <> 'removed'`, merchantID, recipient.Key(email))
}

// RecipientByShopper reads the merchant's recipient with a shopper id.
func (tx *Tx) RecipientByShopper(merchantID, shopperID string) (*recipient.Recipient, error) {
	return tx.oneRecipient(`merchant = $1 AND shopper_id = $2`, merchantID, shopperID)
}

func (tx *Tx) oneRecipient(where string, args ...any) (*recipient.Recipient, error) {
	list, err := tx.recipients(where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// CountRecipients counts a merchant's recipients that are not removed.
func (tx *Tx) CountRecipients(merchantID string) (n int64, err error) {
	err = tx.row(`SELECT count(*) FROM recipient WHERE merchant = $1 AND status <> 'removed'`, []any{merchantID}, &n)
	return n, err
}

// RecipientFilter chooses recipients of one merchant. An empty Status is every
// one but removed; an empty Merchant is everybody's.
type RecipientFilter struct {
	Merchant      string
	Status        recipient.Status
	Limit, Offset int
}

// ListRecipients returns one page, newest first.
func (tx *Tx) ListRecipients(f RecipientFilter) ([]*recipient.Recipient, error) {
	return tx.recipients(`(merchant = $1 OR $1 = '') AND (status = $2 OR $2 = '' AND status <> 'removed')
		ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`, f.Merchant, string(f.Status), f.Limit, f.Offset)
}

func (tx *Tx) recipients(where string, args ...any) ([]*recipient.Recipient, error) {
	var out []*recipient.Recipient
	err := tx.each(`SELECT `+recipientColumns+` FROM recipient WHERE `+where, args, func(rows sqldb.Rows) error {
		var r recipient.Recipient
		var created int64
		var state string
		if err := rows.Scan(&r.ID, &r.Merchant, &r.APIToken, &r.Token, &r.Email, (*string)(&r.Status), &created, &r.Version, &state); err != nil {
			return err
		}
		r.Created = at(created)
		out = append(out, &r)
		if err := json.Unmarshal([]byte(state), &r.State); err != nil {
			return fmt.Errorf("state of recipient %s: %w", r.ID, err)
		}
		return nil
	})
	return out, err
}

// Submission is what was submitted under a guid.
type Submission struct {
	Merchant   string
	GUID       string
	BodyHash   string
	Recipients []string // ids, in the order of the request
	At         time.Time
}

// AddSubmission remembers a request; a guid that the merchant used is ErrExists.
func (tx *Tx) AddSubmission(s Submission) error {
	return tx.one(ErrExists, `INSERT INTO recipient_submission (merchant, guid, body_hash, recipients, created_at) VALUES ($1, $2, $3, $4, $5)`,
		s.Merchant, s.GUID, s.BodyHash, strings.Join(s.Recipients, " "), ms(s.At))
}

// Submission reads what a merchant submitted under a guid.
func (tx *Tx) Submission(merchantID, guid string) (Submission, error) {
	s := Submission{Merchant: merchantID, GUID: guid}
	var ids string
	var t int64
	err := tx.row(`SELECT body_hash, recipients, created_at FROM recipient_submission WHERE merchant = $1 AND guid = $2`,
		[]any{merchantID, guid}, &s.BodyHash, &ids, &t)
	s.Recipients, s.At = strings.Fields(ids), at(t)
	return s, err
}

// AddLink stores a new link.
func (tx *Tx) AddLink(l recipient.Link) error {
	return tx.one(ErrExists, `INSERT INTO recipient_link (hash, recipient, event, created_at, expires_at, used) VALUES ($1, $2, $3, $4, $5, $6)`,
		l.Hash, l.Recipient, l.Event, ms(l.Created), ms(l.Expires), flag(l.Used))
}

// Link reads a link by the hash of its text.
func (tx *Tx) Link(hash string) (recipient.Link, error) {
	l := recipient.Link{Hash: hash}
	var created, expires, used int64
	err := tx.row(`SELECT recipient, event, created_at, expires_at, used FROM recipient_link WHERE hash = $1`, []any{hash},
		&l.Recipient, &l.Event, &created, &expires, &used)
	l.Created, l.Expires, l.Used = at(created), at(expires), used == 1
	return l, err
}

// UseLinks makes a recipient's links useless, but for those that tell of one
// event; empty is no exception.
func (tx *Tx) UseLinks(recipientID, but string) error {
	_, err := tx.exec(`UPDATE recipient_link SET used = 1 WHERE recipient = $1 AND event <> $2`, recipientID, but)
	return err
}

// ForgetLinks drops the links of a recipient that expired before a time.
func (tx *Tx) ForgetLinks(recipientID string, before time.Time) error {
	_, err := tx.exec(`DELETE FROM recipient_link WHERE recipient = $1 AND expires_at < $2`, recipientID, ms(before))
	return err
}
