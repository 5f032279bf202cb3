package mail

import (
	"context"
	"errors"

	"github.com/quittance/quittance/internal/store"
)

// Sandbox keeps messages in the database, where the mail page shows them.
type Sandbox struct{ Store *store.Store }

// Send stores the message. One that is stored already, because the record of an
// earlier try was lost, is not stored again.
func (s Sandbox) Send(ctx context.Context, m Message) error {
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.AddMail(store.Mail{ID: m.ID, Sent: m.Date, Recipient: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML})
	})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}
