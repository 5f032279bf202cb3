package app

import (
	"context"

	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// InviteRecipient sends a recipient a fresh link, which makes the earlier ones
// useless as soon as it is on its way.
func (a *App) InviteRecipient(ctx context.Context, id string) (*recipient.Recipient, error) {
	return a.changeRecipient(ctx, id, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		return r.AskLink(a.now())
	})
}

// VerifyRecipient notes that the operator checked who a recipient is.
func (a *App) VerifyRecipient(ctx context.Context, id string) (*recipient.Recipient, error) {
	return a.changeRecipient(ctx, id, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		return r.Verify(a.now())
	})
}

// PauseRecipient stops payments to a recipient.
func (a *App) PauseRecipient(ctx context.Context, id string) (*recipient.Recipient, error) {
	return a.changeRecipient(ctx, id, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		return r.Pause()
	})
}

// ResumeRecipient takes a paused recipient back to where it was.
func (a *App) ResumeRecipient(ctx context.Context, id string) (*recipient.Recipient, error) {
	return a.changeRecipient(ctx, id, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		return r.Resume()
	})
}
