package api

import (
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
)

// ofBill finds the credential of the bill {id}.
func ofBill(s *Server, c *call) (credential, error) {
	b, err := s.App.Bill(c.r.Context(), c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: b.Token, apiToken: b.APIToken}, nil
}

// postBill makes a bill: POST /bills.
func (s *Server) postBill(c *call) (any, error) {
	terms, err := readBill(c, c.fields, "")
	if err != nil {
		return nil, err
	}
	b, err := s.App.CreateBill(c.r.Context(), c.merchant, c.token, terms)
	if err != nil {
		return nil, err
	}
	return c.wrap("bill", s.Renderer.Bill(b, c.facade)), nil
}

// getBills lists all, newest first: GET /bills. A status nobody knows has none.
func (s *Server) getBills(c *call) (any, error) {
	list, err := s.App.ListBills(c.r.Context(), c.merchant.ID, c.query.Get("status"))
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, b := range list {
		out[i] = s.Renderer.Bill(b, c.facade)
	}
	return c.wrap("bill", out), nil
}

// getBill reads one: GET /bills/{id}.
func (s *Server) getBill(c *call) (any, error) {
	b, err := c.ownBill()
	if err != nil {
		return nil, err
	}
	return c.wrap("bill", s.Renderer.Bill(b, c.facade)), nil
}

// putBill replaces what it says: PUT /bills/{id}. Read-only fields, the status
// among them, are ignored: clients send whole objects back.
func (s *Server) putBill(c *call) (any, error) {
	b, err := c.ownBill()
	if err != nil {
		return nil, err
	}
	terms, err := readBill(c, c.fields, "")
	if err != nil {
		return nil, err
	}
	if b, err = s.App.UpdateBill(c.r.Context(), b.ID, terms); err != nil {
		return nil, err
	}
	return c.wrap("bill", s.Renderer.Bill(b, c.facade)), nil
}

// postBillDelivery mails it: POST /bills/{id}/deliveries.
func (s *Server) postBillDelivery(c *call) (any, error) {
	b, err := c.ownBill()
	if err != nil {
		return nil, err
	}
	if _, err := s.App.DeliverBill(c.r.Context(), b.ID); err != nil {
		return nil, err
	}
	return data("Success"), nil
}

// ownBill reads the bill {id} of the caller's merchant; somebody else's does not
// exist, nor for a pos token what was made through another facade.
func (c *call) ownBill() (*bill.Bill, error) {
	b, err := c.server.App.Bill(c.r.Context(), c.params["id"])
	if err != nil {
		return nil, err
	}
	if b.Merchant != c.merchant.ID || c.facade == merchant.POS && b.State.Facade != string(merchant.POS) {
		return nil, fault.New(fault.NotFound, "Bill not found")
	}
	return b, nil
}

// readBill reads what a bill says. prefix is of the names in a refusal.
func readBill(c *call, o object, prefix string) (bill.Terms, error) {
	f := &fieldReader{o: o, code: c.invalid(), prefix: prefix}
	t := bill.Terms{
		Number: f.text("number"), Currency: f.text("currency"), Name: f.text("name"), Address1: f.text("address1"), Address2: f.text("address2"),
		City: f.text("city"), Region: f.text("state"), Zip: f.text("zip"), Country: f.text("country"), Phone: f.text("phone"), Email: f.text("email"),
		PassFee: f.flag("passProcessingFee"), NoEmail: !f.flagOr("emailBill", true), Due: f.due("dueDate"),
	}
	for _, a := range f.texts("cc") {
		if a != "" {
			t.CC = append(t.CC, a)
		}
	}
	if f.err != nil {
		return t, f.err
	}
	if t.Currency == "" {
		return t, fault.Missing(c.missing(), prefix+"currency")
	}
	cur, ok := money.Lookup(t.Currency)
	if !ok {
		return t, fault.Invalid(c.invalid(), prefix+"currency", "%.40q is not an ISO 4217 or crypto currency code", t.Currency)
	}
	var err error
	t.Items, err = readBillItems(c, f, cur)
	return t, err
}

func readBillItems(c *call, f *fieldReader, cur *money.Currency) ([]bill.Item, error) {
	list, err := f.o.list(f.code, "items")
	if err != nil {
		return nil, err
	}
	var items []bill.Item
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			return nil, fault.Invalid(c.invalid(), f.prefix+"items", "expected a list of objects")
		}
		r := &fieldReader{o: o, code: f.code, prefix: f.prefix + "items."}
		price, quantity := r.number("price"), r.number("quantity")
		it := bill.Item{Description: r.text("description"), Quantity: r.whole("quantity")}
		switch {
		case r.err != nil:
			return nil, r.err
		case price == "":
			return nil, fault.Missing(c.missing(), r.prefix+"price")
		case quantity == "":
			return nil, fault.Missing(c.missing(), r.prefix+"quantity")
		}
		if it.Price, err = money.ParseDecimal(cur, price); err != nil {
			return nil, fault.Invalid(c.invalid(), r.prefix+"price", "%v", err)
		}
		items = append(items, it)
	}
	return items, nil
}

// due reads a date leniently; zero when it is absent.
func (r *fieldReader) due(name string) time.Time {
	s := r.text(name)
	if s == "" {
		return time.Time{}
	}
	t, ok := bill.ParseDue(s)
	if !ok {
		r.keep(fault.Invalid(r.code, name, "%.40q is not a date such as 2026-01-31", s))
	}
	return t
}
