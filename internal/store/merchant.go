package store

import (
	"encoding/json"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store/sqldb"
)

const merchantColumns = `id, name, key_hash, webhook_secret, settings, created_at`

type scanner interface{ Scan(dest ...any) error }

func scanMerchant(r scanner) (*merchant.Merchant, error) {
	var m merchant.Merchant
	var settings string
	var created int64
	if err := r.Scan(&m.ID, &m.Name, &m.KeyHash, &m.WebhookSecret, &settings, &created); err != nil {
		return nil, err
	}
	m.Created = at(created)
	return &m, json.Unmarshal([]byte(settings), &m.Settings)
}

// AddMerchant stores a new account.
func (tx *Tx) AddMerchant(m *merchant.Merchant) error {
	settings, err := json.Marshal(m.Settings)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO merchant (`+merchantColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		m.ID, m.Name, m.KeyHash, m.WebhookSecret, string(settings), ms(m.Created))
}

// SetMerchant stores an account's name, key, secret and settings.
func (tx *Tx) SetMerchant(m *merchant.Merchant) error {
	settings, err := json.Marshal(m.Settings)
	if err != nil {
		return err
	}
	return tx.one(ErrNotFound, `UPDATE merchant SET name = $2, key_hash = $3, webhook_secret = $4, settings = $5 WHERE id = $1`,
		m.ID, m.Name, m.KeyHash, m.WebhookSecret, string(settings))
}

// Merchant reads an account by id.
func (tx *Tx) Merchant(id string) (*merchant.Merchant, error) {
	return tx.merchantBy(`id`, id)
}

// MerchantByKey reads the account whose access key hashes to keyHash.
func (tx *Tx) MerchantByKey(keyHash string) (*merchant.Merchant, error) {
	return tx.merchantBy(`key_hash`, keyHash)
}

func (tx *Tx) merchantBy(column, value string) (*merchant.Merchant, error) {
	var found *merchant.Merchant
	err := tx.each(`SELECT `+merchantColumns+` FROM merchant WHERE `+column+` = $1`, []any{value}, func(r sqldb.Rows) (err error) {
		found, err = scanMerchant(r)
		return err
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	return found, err
}

// Merchants lists all accounts, oldest first.
func (tx *Tx) Merchants() ([]*merchant.Merchant, error) {
	var out []*merchant.Merchant
	err := tx.each(`SELECT `+merchantColumns+` FROM merchant ORDER BY created_at, id`, nil, func(r sqldb.Rows) error {
		m, err := scanMerchant(r)
		out = append(out, m)
		return err
	})
	return out, err
}

const walletColumns = `id, merchant, asset, network, kind, xpub, origin, sealed_seed, signer, next_index, created_at, birth_height, birth_at`

// AddWallet stores where a merchant receives an asset. The same account key
// cannot serve two wallets: addresses would be used twice.
func (tx *Tx) AddWallet(w *merchant.Wallet) error {
	return tx.one(ErrExists, `INSERT INTO wallet (`+walletColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		w.ID, w.Merchant, w.Asset, w.Network, w.Kind, w.XPub, w.Origin, w.SealedSeed, w.Signer, w.NextIndex, ms(w.Created), w.Birth.Height, ms(w.Birth.At))
}

// SetWalletSigner stores who signs for a wallet from now on.
func (tx *Tx) SetWalletSigner(wallet, signer string) error {
	return tx.one(ErrNotFound, `UPDATE wallet SET signer = $2 WHERE id = $1`, wallet, signer)
}

// SetWalletOrigin stores where a wallet's key comes from.
func (tx *Tx) SetWalletOrigin(wallet, origin string) error {
	return tx.one(ErrNotFound, `UPDATE wallet SET origin = $2 WHERE id = $1`, wallet, origin)
}

// SetWalletBirth stores a wallet's birthday.
func (tx *Tx) SetWalletBirth(wallet string, b merchant.Birthday) error {
	return tx.one(ErrNotFound, `UPDATE wallet SET birth_height = $2, birth_at = $3 WHERE id = $1`, wallet, b.Height, ms(b.At))
}

// Wallets lists a merchant's wallets; with an empty id, everybody's.
func (tx *Tx) Wallets(merchantID string) ([]*merchant.Wallet, error) {
	return tx.wallets(`merchant = $1 OR $1 = '' ORDER BY asset, id`, merchantID)
}

// WalletByKey finds the wallet that an account key belongs to, whoever's it is and
// whatever its kind.
func (tx *Tx) WalletByKey(xpub string) (*merchant.Wallet, error) {
	list, err := tx.wallets(`xpub = $1`, xpub)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Wallet reads one wallet.
func (tx *Tx) Wallet(id string) (*merchant.Wallet, error) {
	list, err := tx.wallets(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (tx *Tx) wallets(where string, args ...any) ([]*merchant.Wallet, error) {
	var out []*merchant.Wallet
	err := tx.each(`SELECT `+walletColumns+` FROM wallet WHERE `+where, args, func(r sqldb.Rows) error {
		var w merchant.Wallet
		var created, born int64
		err := r.Scan(&w.ID, &w.Merchant, &w.Asset, &w.Network, &w.Kind, &w.XPub, &w.Origin, &w.SealedSeed, &w.Signer, &w.NextIndex, &created, &w.Birth.Height, &born)
		w.Created, w.Birth.At = at(created), at(born)
		out = append(out, &w)
		return err
	})
	return out, err
}

// ReserveIndices takes the next n derivation indices of a wallet and returns
// the first. They are never given out again, used or not.
func (tx *Tx) ReserveIndices(wallet string, n int64) (first int64, err error) {
	err = tx.row(`UPDATE wallet SET next_index = next_index + $2 WHERE id = $1 RETURNING next_index - $2`,
		[]any{wallet, n}, &first)
	return first, err
}
