package api

import (
	"errors"
	"net/http"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/wire"
)

// getRates lists what one unit of the base is worth: GET /rates, /rates/{base}.
func (s *Server) getRates(c *call) (any, error) {
	base := c.params["base"]
	if base == "" {
		base = "BTC"
	}
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	if _, err := oneRate(table, base, base); err != nil {
		return nil, err
	}
	list := []wire.Rate{}
	for _, code := range table.Codes() {
		// A pair may be out of the range of a rate although both have one.
		if r, err := oneRate(table, base, code); err == nil {
			list = append(list, r)
		}
	}
	return data(list), nil
}

// getRate answers GET /rates/{base}/{quote}.
func (s *Server) getRate(c *call) (any, error) {
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	r, err := oneRate(table, c.params["base"], c.params["quote"])
	if err != nil {
		return nil, err
	}
	return data(r), nil
}

func (s *Server) table() (*rate.Table, error) {
	t, err := s.App.Rates.Current()
	if err != nil {
		return nil, fault.Access(http.StatusServiceUnavailable, "No trustworthy exchange rate at present: %v; try again in a minute", err)
	}
	return t, nil
}

func oneRate(t *rate.Table, base, quote string) (wire.Rate, error) {
	cur, ok := money.Lookup(quote)
	if !ok {
		return wire.Rate{}, fault.New(fault.NotFound, "No rate for %.20q: it is not a known currency", quote)
	}
	r, err := t.Rate(base, quote)
	switch {
	case errors.Is(err, rate.ErrUnknown):
		return wire.Rate{}, fault.New(fault.NotFound, "No rate from %.20q to %.20q is known", base, quote)
	case err != nil:
		return wire.Rate{}, noRate(base)
	}
	return wire.Rate{Code: cur.Code, Name: cur.Name, Rate: wire.Number(r.String())}, nil
}

func noRate(base string) error {
	return fault.Access(http.StatusServiceUnavailable, "No fresh rate for %.20s at present; try again in a minute", base)
}
