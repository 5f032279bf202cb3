package api

import (
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/subscription"
)

// ofSubscription finds the credential of the subscription {id}.
func ofSubscription(s *Server, c *call) (credential, error) {
	sub, err := s.App.Subscription(c.r.Context(), c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: sub.Token, apiToken: sub.APIToken}, nil
}

// postSubscription makes one: POST /subscriptions.
func (s *Server) postSubscription(c *call) (any, error) {
	o, err := readSubscription(c)
	if err != nil {
		return nil, err
	}
	sub, err := s.App.CreateSubscription(c.r.Context(), c.merchant, c.token, o)
	if err != nil {
		return nil, err
	}
	return c.wrap("subscription", s.Renderer.Subscription(sub)), nil
}

// getSubscriptions lists all, newest first: GET /subscriptions.
func (s *Server) getSubscriptions(c *call) (any, error) {
	list, err := s.App.ListSubscriptions(c.r.Context(), c.merchant.ID, c.query.Get("status"))
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, sub := range list {
		out[i] = s.Renderer.Subscription(sub)
	}
	return c.wrap("subscription", out), nil
}

// getSubscription reads one: GET /subscriptions/{id}.
func (s *Server) getSubscription(c *call) (any, error) {
	sub, err := c.ownSubscription()
	if err != nil {
		return nil, err
	}
	return c.wrap("subscription", s.Renderer.Subscription(sub)), nil
}

// putSubscription changes one: PUT /subscriptions/{id}.
func (s *Server) putSubscription(c *call) (any, error) {
	sub, err := c.ownSubscription()
	if err != nil {
		return nil, err
	}
	o, err := readSubscription(c)
	if err != nil {
		return nil, err
	}
	if sub, err = s.App.UpdateSubscription(c.r.Context(), sub.ID, o); err != nil {
		return nil, err
	}
	return c.wrap("subscription", s.Renderer.Subscription(sub)), nil
}

func (c *call) ownSubscription() (*subscription.Subscription, error) {
	sub, err := c.server.App.Subscription(c.r.Context(), c.params["id"])
	if err == nil && sub.Merchant != c.merchant.ID {
		err = fault.New(fault.NotFound, "Subscription not found")
	}
	return sub, err
}

func readSubscription(c *call) (subscription.Order, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	o := subscription.Order{Schedule: f.text("schedule"), Next: f.due("nextDelivery")}
	status := f.text("status")
	billData, err := f.o.object(f.code, "billData")
	f.keep(err)
	if f.err != nil {
		return o, f.err
	}
	if status != "" {
		var ok bool
		if o.Status, ok = subscription.ParseStatus(status); !ok {
			return o, fault.Invalid(c.invalid(), "status", "%.40q is not draft, active or cancelled", status)
		}
	}
	if billData == nil {
		return o, fault.Missing(c.missing(), "billData")
	}
	o.Bill, err = readBill(c, billData, "billData.")
	return o, err
}
