package api

import (
	"errors"
	"net/http"
	"strings"

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
	base = strings.ToUpper(base)
	if _, ok := money.Lookup(base); !ok {
		return nil, fault.New(fault.NotFound, "No rates for %q: it is not a known currency", base)
	}
	list := []wire.Rate{}
	for _, code := range table.Codes() {
		r, err := oneRate(table, base, code)
		if errors.Is(err, fault.Generic) && code == base {
			return nil, err
		}
		if err == nil {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil, noRate(base)
	}
	return data(list), nil
}

// getRate answers GET /rates/{base}/{quote}.
func (s *Server) getRate(c *call) (any, error) {
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	r, err := oneRate(table, strings.ToUpper(c.params["base"]), strings.ToUpper(c.params["quote"]))
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
		return wire.Rate{}, fault.New(fault.NotFound, "No rate for %q: it is not a known currency", quote)
	}
	r, err := t.Rate(base, quote)
	switch {
	case errors.Is(err, rate.ErrUnknown):
		return wire.Rate{}, fault.New(fault.NotFound, "No rate from %q to %q is known", base, quote)
	case err != nil:
		return wire.Rate{}, noRate(base)
	}
	return wire.Rate{Code: cur.Code, Name: cur.Name, Rate: wire.Number(r.String())}, nil
}

func noRate(base string) error {
	return fault.Access(http.StatusServiceUnavailable, "No fresh rate for %s at present; try again in a minute", base)
}
