package api

import (
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// getInvoices lists: GET /invoices. Both dates are required and inclusive.
func (s *Server) getInvoices(c *call) (any, error) {
	f, err := readFilter(c)
	if err != nil {
		return nil, err
	}
	list, err := s.App.ListInvoices(c.r.Context(), f)
	if err != nil {
		return nil, err
	}
	return c.showEach(list)
}

func readFilter(c *call) (store.InvoiceFilter, error) {
	f := store.InvoiceFilter{Merchant: c.merchant.ID, OrderID: c.query.Get("orderId")}
	for _, name := range []string{"dateStart", "dateEnd"} {
		if c.query.Get(name) == "" {
			return f, fault.Missing(c.missing(), name)
		}
	}
	var err error
	if f.From, err = parseDate(c, "dateStart", false); err != nil {
		return f, err
	}
	if f.To, err = parseDate(c, "dateEnd", true); err != nil {
		return f, err
	}
	if f.To.Before(f.From) {
		return f, fault.Invalid(c.invalid(), "dateEnd", "it is before dateStart")
	}
	if st := c.query.Get("status"); st != "" {
		var ok bool
		if f.Status, ok = invoice.ParseStatus(st); !ok {
			return f, fault.Invalid(c.invalid(), "status", "%q is not a state of an invoice", st)
		}
	}
	f.Limit, f.Offset, err = page(c)
	return f, err
}

// page reads limit (from 1, default 100; more than 1000 is 1000) and offset.
func page(c *call) (limit, offset int, err error) {
	limit = defaultLimit
	if s := c.query.Get("limit"); s != "" {
		n, err := parseWhole(c.invalid(), "limit", s)
		if err != nil || n < 1 {
			return 0, 0, fault.Invalid(c.invalid(), "limit", "expected a whole number from 1 to %d", maxLimit)
		}
		limit = int(min(n, maxLimit))
	}
	if s := c.query.Get("offset"); s != "" {
		n, err := parseWhole(c.invalid(), "offset", s)
		if err != nil || n < 0 || n > 1<<40 {
			return 0, 0, fault.Invalid(c.invalid(), "offset", "expected a whole number from 0")
		}
		offset = int(n)
	}
	return limit, offset, nil
}

// The forms of a date that clients send; those without a time mean the whole day.
var (
	dayForms  = []string{"2006-01-02", "20060102", "01/02/2006", "2006-1-2"}
	timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05"}
)

// parseDate reads a date of the query in UTC; end takes a bare day to its last
// millisecond.
func parseDate(c *call, name string, end bool) (time.Time, error) {
	s := strings.TrimSpace(c.query.Get(name))
	for _, form := range dayForms {
		if t, err := time.ParseInLocation(form, s, time.UTC); err == nil && okYear(t) {
			if end {
				t = t.Add(24*time.Hour - time.Millisecond)
			}
			return t, nil
		}
	}
	// A "+" of a zone arrives as a space when the client did not escape it.
	for _, form := range timeForms {
		for _, try := range []string{s, strings.Replace(s, " ", "+", 1)} {
			if t, err := time.ParseInLocation(form, try, time.UTC); err == nil && okYear(t) {
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, fault.Invalid(c.invalid(), name, "%.40q is not a date such as 2026-01-31", s)
}

func okYear(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 9999 }
