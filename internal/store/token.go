package store

import (
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const tokenColumns = `token, merchant, facade, label, state, require_sin, COALESCE(pairing_code, ''), pairing_expires, COALESCE(guid, ''), created_at,
	COALESCE((SELECT string_agg(sin, ' ') FROM token_sin s WHERE s.token = api_token.token), '')`

// AddToken stores a new token with its linked SINs.
func (tx *Tx) AddToken(t *merchant.Token) error {
	err := tx.one(ErrExists, `INSERT INTO api_token (token, merchant, facade, label, state, require_sin, pairing_code, pairing_expires, guid, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		t.Token, t.Merchant, string(t.Facade), t.Label, string(t.State), flag(t.RequireSIN), orNull(t.Code), ms(t.CodeExpiry), orNull(t.GUID), ms(t.Created))
	if err != nil {
		return err
	}
	return tx.addSINs(t)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (tx *Tx) addSINs(t *merchant.Token) error {
	for _, sin := range t.SINs {
		if err := tx.one(ErrExists, `INSERT INTO token_sin (token, sin) VALUES ($1, $2)`, t.Token, sin); err != nil {
			return err
		}
	}
	return nil
}

// SetToken stores what may change of a token: its owner, state, code and SINs.
// It reports ErrChanged when the token is no longer in the state it was read in.
func (tx *Tx) SetToken(t *merchant.Token, was merchant.TokenState) error {
	err := tx.one(ErrChanged, `UPDATE api_token SET merchant = $2, label = $3, state = $4, pairing_code = $5, pairing_expires = $6
		WHERE token = $1 AND state = $7`,
		t.Token, t.Merchant, t.Label, string(t.State), orNull(t.Code), ms(t.CodeExpiry), string(was))
	if err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM token_sin WHERE token = $1`, t.Token); err != nil {
		return err
	}
	return tx.addSINs(t)
}

// Token reads a token with its SINs.
func (tx *Tx) Token(token string) (*merchant.Token, error) {
	return tx.tokenWhere(`token = $1`, token)
}

// TokenByCode reads the token that waits for a pairing code.
func (tx *Tx) TokenByCode(code string) (*merchant.Token, error) {
	return tx.tokenWhere(`pairing_code = $1`, code)
}

func (tx *Tx) tokenWhere(cond string, arg string) (*merchant.Token, error) {
	list, err := tx.tokens(cond, arg)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// TokensOf lists a merchant's tokens, oldest first.
func (tx *Tx) TokensOf(merchantID string) ([]*merchant.Token, error) {
	return tx.tokens(`merchant = $1`, merchantID)
}

// TokensBySIN lists the tokens a client identity is linked to, oldest first.
func (tx *Tx) TokensBySIN(sin string) ([]*merchant.Token, error) {
	return tx.tokens(`token IN (SELECT token FROM token_sin WHERE sin = $1)`, sin)
}

// PendingRequests lists client requests that can still be approved.
func (tx *Tx) PendingRequests(now time.Time) ([]*merchant.Token, error) {
	return tx.tokens(`state = 'inactive' AND pairing_expires > $1`, ms(now))
}

func (tx *Tx) tokens(cond string, arg any) ([]*merchant.Token, error) {
	var out []*merchant.Token
	err := tx.each(`SELECT `+tokenColumns+` FROM api_token WHERE `+cond+` ORDER BY created_at, token`, []any{arg}, func(r sqldb.Rows) error {
		var t merchant.Token
		var facade, state, sins string
		var require, expires, created int64
		err := r.Scan(&t.Token, &t.Merchant, &facade, &t.Label, &state, &require, &t.Code, &expires, &t.GUID, &created, &sins)
		t.SINs = strings.Fields(sins)
		slices.Sort(t.SINs)
		t.Facade, t.State = merchant.Facade(facade), merchant.TokenState(state)
		t.RequireSIN, t.CodeExpiry, t.Created = require == 1, at(expires), at(created)
		out = append(out, &t)
		return err
	})
	return out, err
}
