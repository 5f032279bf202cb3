package api

import (
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// maxLedgerRange is the longest period that one question about a ledger covers.
const maxLedgerRange = 366 * 24 * time.Hour

// getLedgers lists the balances: GET /ledgers.
func (s *Server) getLedgers(c *call) (any, error) {
	list, err := s.App.Ledgers(c.r.Context(), c.merchant)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Balance, len(list))
	for i, b := range list {
		out[i] = s.Renderer.Balance(b)
	}
	return data(out), nil
}

// getLedger lists the lines of one ledger: GET /ledgers/{currency}. A list with
// something in it is bare, as the live service's is; an empty one is wrapped,
// because one SDK takes a bare empty list for no answer.
func (s *Server) getLedger(c *call) (any, error) {
	cur, ok := money.Lookup(c.params["currency"])
	if !ok {
		return nil, fault.New(fault.NotFound, "Ledger not found: %.20q is not a currency", c.params["currency"])
	}
	f := store.LineFilter{Merchant: c.merchant.ID, Asset: cur.Code}
	var err error
	if f.From, f.To, err = c.period(30 * 24 * time.Hour); err != nil {
		return nil, err
	}
	if c.query.Get("limit") != "" || c.query.Get("offset") != "" {
		if f.Limit, f.Offset, err = page(c); err != nil {
			return nil, err
		}
	}
	lines, err := s.App.LedgerLines(c.r.Context(), f)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return data([]any{}), nil
	}
	out := make([]*wire.LedgerEntry, len(lines))
	for i, l := range lines {
		out[i] = s.Renderer.LedgerEntry(l)
	}
	return out, nil
}

// period reads startDate and endDate; without them it is the time before now.
func (c *call) period(otherwise time.Duration) (from, to time.Time, err error) {
	to = c.server.App.Now().UTC()
	if c.query.Get("endDate") != "" {
		if to, err = parseDate(c, "endDate", true); err != nil {
			return from, to, err
		}
	}
	from = to.Add(-otherwise)
	if c.query.Get("startDate") != "" {
		if from, err = parseDate(c, "startDate", false); err != nil {
			return from, to, err
		}
	}
	switch {
	case to.Before(from):
		return from, to, fault.Invalid(c.invalid(), "endDate", "it is before startDate")
	case to.Sub(from) > maxLedgerRange:
		return from, to, fault.Invalid(c.invalid(), "startDate", "at most 366 days can be asked for at once")
	}
	return from, to, nil
}
