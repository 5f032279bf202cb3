package store

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/store/sqlite"
)

// ConfirmBackup notes that somebody has shown to have a wallet's words.
func (tx *Tx) ConfirmBackup(wallet string, at time.Time) error {
	_, err := tx.exec(`INSERT INTO wallet_backup (wallet, confirmed_at) VALUES ($1, $2)
		ON CONFLICT (wallet) DO UPDATE SET confirmed_at = excluded.confirmed_at`, wallet, ms(at))
	return err
}

// BackupConfirmed reports whether somebody has.
func (tx *Tx) BackupConfirmed(wallet string) (bool, error) {
	var n int64
	err := tx.row(`SELECT COUNT(*) FROM wallet_backup WHERE wallet = $1`, []any{wallet}, &n)
	return n > 0, err
}

// ErrNoFile means that the database is no file of this machine.
var ErrNoFile = errors.New("store: the database is no file")

// CopyTo writes a whole and consistent copy of a SQLite database into a new file,
// while a server works on it. PostgreSQL is ErrNoFile: it has tools of its own.
func CopyTo(ctx context.Context, url, dataDir, path string) error {
	file, ok := File(url, dataDir)
	if !ok {
		return ErrNoFile
	}
	return sqlite.CopyTo(ctx, file, path)
}
