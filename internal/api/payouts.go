package api

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/api/bitauth"
	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// ofPayout finds the credential of the payout {id}.
func ofPayout(s *Server, c *call) (credential, error) {
	p, err := s.App.Payout(c.r.Context(), "", c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: p.Token, apiToken: p.APIToken}, nil
}

// asking is who asks for money out. The signature is taken in the one spelling
// that it shares with its mirror image.
func (c *call) asking() app.PayoutRequest {
	by := app.PayoutRequest{Merchant: c.merchant, Token: c.token}
	if sig, err := bitauth.ParseSignature(c.r.Header.Get("X-Signature")); err == nil && c.sin != "" {
		low := sig.LowS()
		by.Signature = hex.EncodeToString(low[:])
	}
	return by
}

// payoutAnswer wraps one payout.
func payoutAnswer(c *call, p *payout.Payout) any {
	return wire.PayoutEnvelope{Facade: string(c.facade) + "/payout", Data: c.server.Renderer.Payout(p), Status: "success"}
}

// postPayout pays a recipient: POST /payouts.
func (s *Server) postPayout(c *call) (any, error) {
	in, err := readPayout(c, c.fields, "")
	if err != nil {
		return nil, err
	}
	p, err := s.App.CreatePayout(c.r.Context(), c.asking(), in)
	if err != nil {
		return nil, err
	}
	return payoutAnswer(c, p), nil
}

// readPayout reads one instruction.
func readPayout(c *call, o object, prefix string) (app.NewPayout, error) {
	f := &fieldReader{o: o, code: c.invalid(), prefix: prefix}
	in := app.NewPayout{
		Recipient: f.text("recipientId"), Shopper: f.text("shopperId"), Email: f.text("email"), Amount: f.number("amount"),
		Terms: payout.Terms{
			Currency: f.text("currency"), LedgerCurrency: f.text("ledgerCurrency"), Reference: f.text("reference"), Label: f.text("label"),
			Message: f.text("message"), NotificationURL: f.text("notificationURL"), NotificationEmail: f.text("notificationEmail"), IgnoreEmails: f.flag("ignoreEmails"),
		},
	}
	day := f.text("effectiveDate")
	switch {
	case f.err != nil:
		return in, f.err
	case in.Amount == "":
		return in, fault.Missing(c.missing(), "amount. Some clients leave it out when it rounds to 0 at two decimals")
	case in.Terms.Currency == "":
		return in, fault.Missing(c.missing(), "currency")
	}
	if day != "" {
		t, ok := readDay(day)
		if !ok {
			return in, fault.Invalid(c.invalid(), "effectiveDate", "%.40q is not a date such as 2026-01-31", day)
		}
		in.Terms.Effective = t
	}
	return in, nil
}

// readDay reads a date in any of the forms that clients send.
func readDay(s string) (time.Time, bool) {
	for _, form := range append(append([]string{}, dayForms...), timeForms...) {
		if t, err := time.ParseInLocation(form, strings.TrimSpace(s), time.UTC); err == nil && okYear(t) {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// postPayoutGroup pays many recipients: POST /payouts/group. What is wrong with
// one is told of and does not keep the others.
func (s *Server) postPayoutGroup(c *call) (any, error) {
	list, err := c.fields.list(c.invalid(), "instructions")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fault.Missing(c.missing(), "instructions")
	}
	if len(list) > payout.MaxGroup {
		return nil, fault.Invalid(c.invalid(), "instructions", "at most %d in one group", payout.MaxGroup)
	}
	out := wire.PayoutGroup{Created: []*wire.Payout{}, Failed: []wire.PayoutFailed{}}
	var good []app.NewPayout
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			return nil, fault.Invalid(c.invalid(), "instructions", "expected a list of objects")
		}
		in, err := readPayout(c, o, "")
		if f, refused := fault.As(err); refused {
			out.Failed = append(out.Failed, failedPayout(f.Message, in.Payee(), ""))
			continue
		}
		if err != nil {
			return nil, err
		}
		good = append(good, in)
	}
	if len(good) == 0 {
		return out, nil
	}
	made, failed, err := s.App.CreatePayoutGroup(c.r.Context(), c.asking(), good)
	if err != nil {
		return nil, err
	}
	for _, p := range made {
		out.Created = append(out.Created, s.Renderer.Payout(p))
	}
	for _, f := range failed {
		out.Failed = append(out.Failed, failedPayout(f.Message, f.Payee, ""))
	}
	return out, nil
}

func failedPayout(message, payee, id string) wire.PayoutFailed {
	f := wire.PayoutFailed{ErrMessage: message}
	if payee != "" {
		f.Payee = &payee
	}
	if id != "" {
		f.PayoutID = &id
	}
	return f
}

// getPayouts lists: GET /payouts, newest first.
func (s *Server) getPayouts(c *call) (any, error) {
	f := store.PayoutFilter{Merchant: c.merchant.ID, Reference: c.query.Get("reference"), Group: c.query.Get("groupId")}
	var err error
	if c.query.Get("startDate") != "" {
		if f.From, err = parseDate(c, "startDate", false); err != nil {
			return nil, err
		}
	}
	if c.query.Get("endDate") != "" {
		if f.To, err = parseDate(c, "endDate", true); err != nil {
			return nil, err
		}
		if f.To.Before(f.From) {
			return nil, fault.Invalid(c.invalid(), "endDate", "it is before startDate")
		}
	}
	if st := c.query.Get("status"); st != "" {
		var ok bool
		if f.Status, ok = payout.ParseStatus(st); !ok {
			return nil, fault.Invalid(c.invalid(), "status", "%.40q is not a state of a payout", st)
		}
	}
	if f.Limit, f.Offset, err = page(c); err != nil {
		return nil, err
	}
	list, err := s.App.Payouts(c.r.Context(), f)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, p := range list {
		out[i] = s.Renderer.Payout(p)
	}
	return c.wrap("payout", out), nil
}

// getPayout reads one: GET /payouts/{id}.
func (s *Server) getPayout(c *call) (any, error) {
	p, err := s.App.Payout(c.r.Context(), c.merchant.ID, c.params["id"])
	if err != nil {
		return nil, err
	}
	return payoutAnswer(c, p), nil
}

// deletePayout cancels one: DELETE /payouts/{id}.
func (s *Server) deletePayout(c *call) (any, error) {
	p, err := s.App.Payout(c.r.Context(), c.merchant.ID, c.params["id"])
	if err != nil {
		return nil, err
	}
	if _, err := s.App.CancelPayout(c.r.Context(), p.ID); err != nil {
		return nil, err
	}
	return ack(), nil
}

// deletePayoutGroup cancels what is new of a group: DELETE /payouts/group/{groupId}.
func (s *Server) deletePayoutGroup(c *call) (any, error) {
	cancelled, failed, err := s.App.CancelPayoutGroup(c.r.Context(), c.merchant.ID, c.params["groupId"])
	if err != nil {
		return nil, err
	}
	out := wire.CancelledGroup{Cancelled: []*wire.Payout{}, Failed: []wire.PayoutFailed{}}
	for _, p := range cancelled {
		out.Cancelled = append(out.Cancelled, s.Renderer.Payout(p))
	}
	for _, p := range failed {
		out.Failed = append(out.Failed, failedPayout("The payout is "+string(p.Status)+": only one that is new can be cancelled", p.Terms.Email, p.ID))
	}
	return out, nil
}

// postPayoutNotification sends the webhook again: POST /payouts/{id}/notifications.
func (s *Server) postPayoutNotification(c *call) (any, error) {
	p, err := s.App.Payout(c.r.Context(), c.merchant.ID, c.params["id"])
	if err != nil {
		return nil, err
	}
	if err := s.App.ResendPayout(c.r.Context(), p.ID); err != nil {
		return nil, err
	}
	return ack(), nil
}
