package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/store"
)

// sessionIdle ends a session that nobody used.
const sessionIdle = 15 * time.Minute

// OpenSession starts an API session and returns its id.
func (a *App) OpenSession(ctx context.Context) (string, error) {
	id, err := a.newToken()
	if err != nil {
		return "", err
	}
	now := a.now()
	return id, a.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.AddSession(store.Session{ID: id, LastUsed: now}, now.Add(-2*sessionIdle))
	})
}

// TakeRequestNumber counts a session's request. The next number is taken; the
// number of an earlier request returns its answer; any other is refused. sin is
// the identity that signed the request, if any: a session belongs to the first.
func (a *App) TakeRequestNumber(ctx context.Context, id string, number int64, sin string) (*store.Reply, error) {
	var replay *store.Reply
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		replay = nil
		s, err := tx.Session(id)
		if errors.Is(err, store.ErrNotFound) || err == nil && a.now().After(s.LastUsed.Add(sessionIdle)) {
			return fault.Access(http.StatusUnauthorized, "Invalid or expired sessionId")
		}
		if err != nil {
			return err
		}
		if s.SIN != "" && sin != "" && s.SIN != sin {
			return fault.Access(http.StatusForbidden, "This session belongs to another client")
		}
		switch {
		case number == s.LastNumber+1:
		case number >= 1 && number <= s.LastNumber:
			kept, err := tx.Reply(id, number)
			if errors.Is(err, store.ErrNotFound) {
				return fault.Access(http.StatusConflict, "Request %d of this session is still being answered; ask again", number)
			}
			if err == nil && kept.SIN != sin {
				return fault.Access(http.StatusForbidden, "Request %d of this session was signed by another client", number)
			}
			replay = &kept
			return err
		default:
			return fault.Access(http.StatusConflict, "Out of order requestNumber: expected %d, got %d", s.LastNumber+1, number)
		}
		was := s.LastNumber
		s.LastNumber, s.LastUsed = number, a.now()
		if s.SIN == "" {
			s.SIN = sin
		}
		return tx.SetSession(s, was)
	})
	return replay, err
}

// KeepReply stores the answer to a session's request.
func (a *App) KeepReply(ctx context.Context, id string, number int64, r store.Reply) error {
	return a.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetReply(id, number, r) })
}
