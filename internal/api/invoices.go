package api

import (
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
)

// getInvoice reads one: GET /invoices/{id}. Without a token it is the public view.
func (s *Server) getInvoice(c *call) (any, error) { return s.getByID(c, c.params["id"]) }

func (s *Server) getByID(c *call, id string) (any, error) {
	inv, err := c.owned(id)
	if err != nil {
		return nil, err
	}
	return c.show(inv)
}

// getInvoiceByGUID reads one: GET /invoices/guid/{guid}.
func (s *Server) getInvoiceByGUID(c *call) (any, error) {
	inv, err := c.ownedByGUID(c.params["guid"])
	if err != nil {
		return nil, err
	}
	return c.show(inv)
}

// putInvoice sets the buyer's contact: PUT /invoices/{id}.
func (s *Server) putInvoice(c *call) (any, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	u := app.InvoiceUpdate{Email: f.text("buyerEmail"), SMS: f.text("buyerSms"), SMSCode: f.text("smsCode"), AutoVerify: f.flag("autoVerify")}
	if f.err != nil {
		return nil, f.err
	}
	// In the test environment a status alone pays the invoice.
	if status := f.text("status"); status != "" && u == (app.InvoiceUpdate{}) {
		return s.payInvoice(c)
	}
	inv, err := c.owned(c.params["id"])
	if err != nil {
		return nil, err
	}
	if inv, err = s.App.UpdateInvoice(c.r.Context(), inv.ID, u); err != nil {
		return nil, err
	}
	return c.show(inv)
}

// deleteInvoice cancels one: DELETE /invoices/{id}.
func (s *Server) deleteInvoice(c *call) (any, error) {
	return c.cancel(c.owned(c.params["id"]))
}

// deleteInvoiceByGUID cancels one: DELETE /invoices/guid/{guid}.
func (s *Server) deleteInvoiceByGUID(c *call) (any, error) {
	return c.cancel(c.ownedByGUID(c.params["guid"]))
}

func (c *call) cancel(inv app.Shown, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	force, set, err := parseFlag(c.invalid(), "forceCancel", c.query.Get("forceCancel"))
	if err != nil {
		return nil, err
	}
	if !set {
		if force, _, err = c.fields.flag(c.invalid(), "forceCancel"); err != nil {
			return nil, err
		}
	}
	if inv, err = c.server.App.CancelInvoice(c.r.Context(), inv.ID, force); err != nil {
		return nil, err
	}
	return c.show(inv)
}

// postInvoiceNotification sends the webhook again: POST /invoices/{id}/notifications.
func (s *Server) postInvoiceNotification(c *call) (any, error) {
	inv, err := c.owned(c.params["id"])
	if err != nil {
		return nil, err
	}
	if err := s.App.ResendInvoice(c.r.Context(), inv.ID); err != nil {
		return nil, err
	}
	return data("Success"), nil
}

// payInvoice pays on the sandbox chain: PUT /invoices/pay/{id}.
func (s *Server) payInvoice(c *call) (any, error) {
	status, err := c.fields.text(c.invalid(), "status")
	if err != nil {
		return nil, err
	}
	complete, _, err := c.fields.flag(c.invalid(), "complete")
	if err != nil {
		return nil, err
	}
	until := invoice.Confirmed
	switch {
	case strings.EqualFold(status, string(invoice.Complete)) || status == "" && complete:
		until = invoice.Complete
	case status != "" && !strings.EqualFold(status, string(invoice.Confirmed)):
		return nil, fault.Invalid(c.invalid(), "status", "%q is neither confirmed nor complete", status)
	}
	inv, err := c.owned(c.params["id"])
	if err != nil {
		return nil, err
	}
	if inv, err = s.App.PayInvoice(c.r.Context(), inv.ID, until); err != nil {
		return nil, err
	}
	return c.show(inv)
}

// showEach renders a list in the caller's view.
func (c *call) showEach(list []app.Shown) (any, error) {
	out := make([]any, len(list))
	now := c.server.App.Now()
	for i, inv := range list {
		if err := c.server.verify(c.r.Context(), inv); err != nil {
			return nil, err
		}
		out[i] = c.server.Renderer.Invoice(inv, c.facade, now)
	}
	return c.envelope(out), nil
}
