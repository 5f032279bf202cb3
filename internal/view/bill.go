package view

import (
	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/subscription"
	"github.com/quittance/quittance/wire"
)

// BillURL is the page of a bill.
func (r *Renderer) BillURL(id string) string {
	return r.PublicURL + "/bill?id=" + id + "&resource=bills"
}

// Bill renders a bill for a facade: a pos terminal does not see who is billed.
func (r *Renderer) Bill(b *bill.Bill, f merchant.Facade) *wire.Bill {
	w := billData(&b.Terms)
	w.ID, w.Status, w.URL, w.CreatedDate, w.Token = b.ID, string(b.Status), r.BillURL(b.ID), iso(b.Created), b.Token
	w.Merchant = b.Merchant
	for i := range w.Items {
		w.Items[i].ID = b.Terms.Items[i].ID
	}
	if f != merchant.Full {
		w.Name, w.Address1, w.Address2, w.City, w.State, w.Zip, w.Country, w.Phone = "", "", "", "", "", "", "", ""
		w.Merchant, w.EmailBill = "", nil
	}
	return &w
}

func billData(t *bill.Terms) wire.Bill {
	mailed := !t.NoEmail
	w := wire.Bill{
		Number: t.Number, Currency: t.Currency, Name: t.Name, Address1: t.Address1, Address2: t.Address2, City: t.City, State: t.Region,
		Zip: t.Zip, Country: t.Country, Phone: t.Phone, Email: t.Email, CC: append([]string{}, t.CC...),
		PassProcessingFee: t.PassFee, EmailBill: &mailed, Items: make([]wire.BillItem, len(t.Items)),
	}
	if !t.Due.IsZero() {
		w.DueDate = iso(t.Due)
	}
	for i, it := range t.Items {
		w.Items[i] = wire.BillItem{Description: it.Description, Price: number(t.Currency, it.Price), Quantity: it.Quantity}
	}
	return w
}

// Subscription renders a subscription for its merchant.
func (r *Renderer) Subscription(s *subscription.Subscription) *wire.Subscription {
	w := &wire.Subscription{
		ID: s.ID, Status: string(s.Status), BillData: billData(&s.Terms.Bill), Schedule: s.Terms.Schedule,
		NextDelivery: iso(s.Next), CreatedDate: iso(s.Created), Token: s.Token,
	}
	w.BillData.Merchant = s.Merchant
	return w
}
