package app

import (
	"context"

	"github.com/quittance/quittance/internal/store"
)

// SandboxMails lists the newest messages that were kept instead of being sent,
// at most limit.
func (a *App) SandboxMails(ctx context.Context, limit int) (list []store.Mail, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Mails(limit)
		return err
	})
	return list, err
}
