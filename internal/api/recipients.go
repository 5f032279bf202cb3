package api

import (
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// ofRecipient finds the credential of the recipient {id}.
func ofRecipient(s *Server, c *call) (credential, error) {
	r, err := s.App.Recipient(c.r.Context(), c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: r.Token, apiToken: r.APIToken}, nil
}

// recipient reads {id} of the caller's merchant; somebody else's does not exist.
func (c *call) recipient() (*recipient.Recipient, error) {
	r, err := c.server.App.Recipient(c.r.Context(), c.params["id"])
	if err == nil && r.Merchant != c.merchant.ID {
		return nil, fault.New(fault.NotFound, "Recipient not found")
	}
	return r, err
}

func (c *call) showRecipient(r *recipient.Recipient, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c.wrap("recipient", c.server.Renderer.Recipient(r)), nil
}

func (c *call) showRecipients(list []*recipient.Recipient, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	out := make([]*wire.Recipient, len(list))
	for i, r := range list {
		out[i] = c.server.Renderer.Recipient(r)
	}
	return c.wrap("recipient", out), nil
}

// postRecipients invites: POST /recipients.
func (s *Server) postRecipients(c *call) (any, error) {
	in, err := readRecipients(c)
	if err != nil {
		return nil, err
	}
	in.Merchant, in.Token = c.merchant, c.token
	return c.showRecipients(s.App.SubmitRecipients(c.r.Context(), in))
}

func readRecipients(c *call) (app.NewRecipients, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	in := app.NewRecipients{GUID: f.text("guid")}
	list, err := c.fields.list(c.invalid(), "recipients")
	f.keep(err)
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			f.keep(fault.Invalid(c.invalid(), "recipients", "expected a list of objects"))
			break
		}
		f.o, f.prefix = o, "recipients."
		in.List = append(in.List, readInvitation(f))
	}
	if f.err == nil && len(in.GUID) > maxGUID {
		f.err = fault.Invalid(c.invalid(), "guid", "at most %d bytes", maxGUID)
	}
	return in, f.err
}

func readInvitation(f *fieldReader) recipient.Invitation {
	return recipient.Invitation{
		Email: strings.TrimSpace(f.text("email")), Label: f.text("label"), NotificationURL: f.text("notificationURL"),
	}
}

// getRecipients lists: GET /recipients, newest first; the removed ones only when
// they are asked for.
func (s *Server) getRecipients(c *call) (any, error) {
	f := store.RecipientFilter{Merchant: c.merchant.ID}
	if st := c.query.Get("status"); st != "" {
		var ok bool
		if f.Status, ok = recipient.ParseStatus(st); !ok {
			return nil, fault.Invalid(c.invalid(), "status", "%.40q is not a state of a recipient", st)
		}
	}
	var err error
	if f.Limit, f.Offset, err = page(c); err != nil {
		return nil, err
	}
	return c.showRecipients(s.App.ListRecipients(c.r.Context(), f))
}

// getRecipient reads one: GET /recipients/{id}.
func (s *Server) getRecipient(c *call) (any, error) {
	return c.showRecipient(c.recipient())
}

// putRecipient changes label and notification URL: PUT /recipients/{id}. SDKs
// send the whole object back; all else is ignored.
func (s *Server) putRecipient(c *call) (any, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	label, url := f.text("label"), f.text("notificationURL")
	if f.err != nil {
		return nil, f.err
	}
	r, err := c.recipient()
	if err != nil {
		return nil, err
	}
	return c.showRecipient(s.App.UpdateRecipient(c.r.Context(), r.ID, label, url))
}

// deleteRecipient removes one: DELETE /recipients/{id}.
func (s *Server) deleteRecipient(c *call) (any, error) {
	r, err := c.recipient()
	if err != nil {
		return nil, err
	}
	if _, err := s.App.RemoveRecipient(c.r.Context(), r.ID); err != nil {
		return nil, err
	}
	return ack(), nil
}

// postRecipientNotification sends the webhook again:
// POST /recipients/{id}/notifications.
func (s *Server) postRecipientNotification(c *call) (any, error) {
	r, err := c.recipient()
	if err != nil {
		return nil, err
	}
	if err := s.App.ResendRecipient(c.r.Context(), r.ID); err != nil {
		return nil, err
	}
	return ack(), nil
}
