package api

import (
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
)

// getSettlements lists: GET /settlements. Two pairs of names for the dates are in
// use.
func (s *Server) getSettlements(c *call) (any, error) {
	f := store.SettlementFilter{Merchant: c.merchant.ID, Currency: canonical(c.query.Get("currency"))}
	var err error
	for _, d := range []struct {
		names []string
		end   bool
	}{{[]string{"dateStart", "startDate"}, false}, {[]string{"dateEnd", "endDate"}, true}} {
		for _, name := range d.names {
			if c.query.Get(name) == "" {
				continue
			}
			t, err := parseDate(c, name, d.end)
			if err != nil {
				return nil, err
			}
			if d.end {
				f.To = t
			} else {
				f.From = t
			}
			break
		}
	}
	if !f.To.IsZero() && f.To.Before(f.From) {
		return nil, fault.Invalid(c.invalid(), "dateEnd", "it is before dateStart")
	}
	if st := c.query.Get("status"); st != "" {
		var ok bool
		if f.Status, ok = settlement.ParseStatus(st); !ok {
			return nil, fault.Invalid(c.invalid(), "status", "%.40q is not a state of a settlement", st)
		}
	}
	if f.Limit, f.Offset, err = page(c); err != nil {
		return nil, err
	}
	list, err := s.App.Settlements(c.r.Context(), f)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, st := range list {
		out[i] = s.Renderer.Settlement(st)
	}
	return c.wrap("settlement", out), nil
}

// getSettlement reads one: GET /settlements/{id}.
func (s *Server) getSettlement(c *call) (any, error) {
	st, err := s.App.Settlement(c.r.Context(), c.merchant.ID, c.params["id"])
	if err != nil {
		return nil, err
	}
	return c.wrap("settlement", s.Renderer.Settlement(st)), nil
}

// getReport reads one with the lines it took in: GET
// /settlements/{id}/reconciliationReport.
func (s *Server) getReport(c *call) (any, error) {
	st, err := s.App.Settlement(c.r.Context(), c.merchant.ID, c.params["id"])
	if err != nil {
		return nil, err
	}
	lines, err := s.App.ReconciliationLines(c.r.Context(), st)
	if err != nil {
		return nil, err
	}
	return data(s.Renderer.Report(st, lines)), nil
}

// ofSettlement finds the credential of the settlement {id}: its own token opens
// it for whoever may sign with the merchant's.
func ofSettlement(s *Server, c *call) (credential, error) {
	st, err := s.App.Settlement(c.r.Context(), "", c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: st.Token, merchant: st.Merchant}, nil
}
