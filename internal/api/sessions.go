package api

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/store"
)

// postSession opens an API session: POST /sessions.
func (s *Server) postSession(c *call) (any, error) {
	id, err := s.App.OpenSession(c.r.Context())
	if err != nil {
		return nil, err
	}
	return data(id), nil
}

// data wraps an answer that has no facade.
func data(v any) any {
	return struct {
		Data any `json:"data"`
	}{v}
}

// enterSession counts a request that names a session. A number that was used
// before is answered with what was answered then.
func (c *call) enterSession() (replayed bool, err error) {
	if c.route != nil && c.route.noSession {
		return false, nil
	}
	id, number, err := c.sessionFields()
	if err != nil || id == "" {
		return false, err
	}
	kept, err := c.server.App.TakeRequestNumber(c.r.Context(), id, number, c.sin)
	if err != nil {
		return false, err
	}
	if kept != nil {
		c.send(kept.Status, []byte(kept.Body))
		return true, nil
	}
	c.session, c.number = id, number
	return false, nil
}

func (c *call) sessionFields() (string, int64, error) {
	id, number := c.query.Get("sessionId"), c.query.Get("requestNumber")
	if id == "" {
		var err error
		if id, err = c.fields.text(c.invalid(), "sessionId"); err != nil || id == "" {
			return "", 0, err
		}
		if number, err = c.fields.number(c.invalid(), "requestNumber"); err != nil {
			return "", 0, err
		}
	}
	if number == "" {
		return "", 0, fault.Missing(c.missing(), "requestNumber")
	}
	n, err := parseWhole(c.invalid(), "requestNumber", number)
	return id, n, err
}

// keep stores the answer, even when the client has already gone.
func (c *call) keep(status int, body []byte) error {
	return c.server.App.KeepReply(context.WithoutCancel(c.r.Context()), c.session, c.number, store.Reply{SIN: c.sin, Status: status, Body: string(body)})
}
