package api

import (
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/refund"
)

// postRefund gives money back: POST /refunds.
func (s *Server) postRefund(c *call) (any, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	in := app.NewRefund{
		Merchant: c.merchant, Token: c.token, Invoice: f.text("invoiceId"), Amount: f.number("amount"), Currency: f.text("currency"),
		Preview: f.flag("preview"), Immediate: f.flag("immediate"), BuyerPays: f.flag("buyerPaysRefundFee"), Reference: f.text("reference"), GUID: f.text("guid"),
	}
	switch {
	case f.err != nil:
		return nil, f.err
	case in.Invoice == "":
		return nil, fault.Missing(c.missing(), "invoiceId")
	case in.Amount == "":
		return nil, fault.Missing(c.missing(), "amount")
	case len(in.GUID) > maxGUID:
		return nil, fault.Invalid(c.invalid(), "guid", "at most %d bytes", maxGUID)
	}
	return c.refund(s.App.CreateRefund(c.r.Context(), in))
}

// refund wraps one refund; what is not the caller's own does not exist.
func (c *call) refund(r *refund.Refund, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return data(c.server.Renderer.Refund(r)), nil
}

// ownRefund reads the refund that the path names, by id or by guid.
func (c *call) ownRefund() (r *refund.Refund, err error) {
	if guid, ok := c.params["guid"]; ok {
		r, err = c.server.App.RefundByGUID(c.r.Context(), c.merchant.ID, guid)
	} else {
		r, err = c.server.App.Refund(c.r.Context(), c.params["id"])
	}
	if err == nil && r.Merchant != c.merchant.ID {
		return nil, fault.New(fault.RefundNotFound, "Refund not found")
	}
	return r, err
}

// ofRefund finds the credential of the refund {id}.
func ofRefund(s *Server, c *call) (credential, error) {
	r, err := s.App.Refund(c.r.Context(), c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: r.Token, apiToken: r.APIToken}, nil
}

// getRefund reads one: GET /refunds/{id} and /refunds/guid/{guid}.
func (s *Server) getRefund(c *call) (any, error) { return c.refund(c.ownRefund()) }

// getRefunds lists those of an invoice: GET /refunds.
func (s *Server) getRefunds(c *call) (any, error) {
	id := c.query.Get("invoiceId")
	if id == "" {
		return nil, fault.Missing(c.missing(), "invoiceId")
	}
	inv, err := c.owned(id)
	if err != nil {
		return nil, err
	}
	list, err := s.App.RefundsOf(c.r.Context(), inv.ID)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, r := range list {
		out[i] = s.Renderer.Refund(r)
	}
	return data(out), nil
}

// putRefund confirms a preview: PUT /refunds/{id} and /refunds/guid/{guid}.
func (s *Server) putRefund(c *call) (any, error) {
	status, err := c.fields.text(c.invalid(), "status")
	switch {
	case err != nil:
		return nil, err
	case status == "":
		return nil, fault.Missing(c.missing(), "status")
	case !strings.EqualFold(status, string(refund.Created)):
		return nil, fault.Invalid(c.invalid(), "status", "%q is not created; that confirms a preview, and nothing else can be changed", status)
	}
	r, err := c.ownRefund()
	if err != nil {
		return nil, err
	}
	return c.refund(s.App.ConfirmRefund(c.r.Context(), r.ID))
}

// deleteRefund cancels one: DELETE /refunds/{id} and /refunds/guid/{guid}.
func (s *Server) deleteRefund(c *call) (any, error) {
	r, err := c.ownRefund()
	if err != nil {
		return nil, err
	}
	return c.refund(s.App.CancelRefund(c.r.Context(), r.ID))
}

// postRefundNotification sends the webhook again: POST /refunds/{id}/notifications.
// The answer's nested status is what every SDK reads as success.
func (s *Server) postRefundNotification(c *call) (any, error) {
	r, err := c.ownRefund()
	if err != nil {
		return nil, err
	}
	if err := s.App.ResendRefund(c.r.Context(), r.ID); err != nil {
		return nil, err
	}
	type status struct {
		Status string `json:"status"`
	}
	return struct {
		Status  string `json:"status"`
		Code    any    `json:"code"`
		Data    status `json:"data"`
		Message any    `json:"message"`
	}{"success", nil, status{"success"}, nil}, nil
}
