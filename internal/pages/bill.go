package pages

import (
	"net/http"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
)

// billPage is what the template of a bill reads.
type billPage struct {
	T         *text
	Languages []*text
	ID        string
	Title     string
	State     string // of the bill, in the API's words
	Says      string // what that means
	Lines     []billLine
	Fee       string // empty unless the payer bears it
	Total     string
	Due, For  string
	Payable   bool
	Open      bool    // an invoice waits for the payment
	Again     string  // what became of an earlier try; empty without one
	Stages    []stage // of the payment
	Invoice   string  // the page of the invoice that pays it; empty without one
	Waits     bool    // something may happen: the page reads itself again
}

type billLine struct{ Description, Quantity, Price, Amount string }

// bill shows a bill: GET /bill?id=….
func (p *Pages) bill(w http.ResponseWriter, r *http.Request) error {
	b, m, inv, err := p.App.BillOf(r.Context(), r.FormValue("id"))
	if err != nil {
		return err
	}
	page, err := p.billModel(b, m, inv, choose(r))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Language", page.T.Code)
	w.Header().Set("Vary", "Accept-Language")
	return p.show(w, http.StatusOK, "bill", page)
}

// payBill opens the invoice, or the one that is open already, and goes there:
// POST /bill/pay. Who knows a bill's id may pay it.
func (p *Pages) payBill(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := r.PostFormValue("id")
	if id == "" {
		return fault.Missing(fault.Missing0, "id")
	}
	inv, err := p.App.PayBill(r.Context(), id)
	if err != nil {
		return err
	}
	http.Redirect(w, r, route{ID: inv, Lang: routeOf(r).Lang}.String(), http.StatusSeeOther)
	return nil
}

func (p *Pages) billModel(b *bill.Bill, m *merchant.Merchant, inv *app.Shown, t *text) (*billPage, error) {
	terms := &b.Terms
	number := terms.Number
	if number == "" {
		number = b.ID
	}
	page := &billPage{
		T: t, Languages: languages, ID: b.ID, Title: fill(t.BillFrom, "number", number, "merchant", m.Name), State: string(b.Status),
		For: terms.Name, Payable: b.Status != bill.Paid && b.Status != bill.Complete,
	}
	if !terms.Due.IsZero() {
		page.Due = terms.Due.UTC().Format("2006-01-02")
	}
	page.says(b.Status)
	if inv != nil {
		p.billPayment(page, inv)
	}
	return page, page.sums(terms, m)
}

// sums fills in the lines and what they add up to.
func (page *billPage) sums(terms *bill.Terms, m *merchant.Merchant) error {
	for _, it := range terms.Items {
		sum, err := (&bill.Terms{Items: []bill.Item{it}}).Net()
		if err != nil {
			return err
		}
		page.Lines = append(page.Lines, billLine{it.Description, money.NewUnits(uint64(it.Quantity)).String(), amount(terms.Currency, it.Price), amount(terms.Currency, sum)})
	}
	total, err := terms.Total(m.Settings.FeeBasisPoints, m.Settings.FeeFlat)
	if err != nil {
		return err
	}
	page.Total = amount(terms.Currency, total) + " " + terms.Currency
	net, err := terms.Net()
	if err != nil {
		return err
	}
	if fee, err := total.Sub(net); err == nil && !fee.IsZero() {
		page.Fee = amount(terms.Currency, fee)
	}
	return nil
}

func (page *billPage) says(s bill.Status) {
	t := page.T
	switch s {
	case bill.Paid:
		page.Says, page.Waits = t.BillPaid, true
	case bill.Complete:
		page.Says = t.BillComplete
	default:
		page.Says = t.BillOpen
	}
}

// billPayment tells of the invoice that pays the bill, or tried to. Whose money
// came too late or too little must not be led to pay twice.
func (p *Pages) billPayment(page *billPage, inv *app.Shown) {
	ph, t := phaseOf(inv.Invoice, p.Now()), page.T
	page.Invoice = route{ID: inv.ID, Lang: t.Code}.String()
	switch {
	case !page.Payable:
		done := map[phase]int{paid: 1, confirmed: 2, complete: 3}[ph]
		page.Stages = timeline(done, false, t.PaidHead, t.ConfirmedHead, t.CompleteHead)
	case ph.Payable():
		page.Open, page.Waits = true, true
	case ph == closing:
		// A payment of the last moments may still be found.
		page.Payable, page.Waits, page.Again = false, true, t.ClosingText
	case inv.Received().IsZero():
		page.Again, page.Invoice = t.BillAgain, ""
	default:
		head, _ := ph.words(t)
		page.Again = fill(head, wordsOf(inv.Invoice)...) + ". " + t.BillAskFirst
	}
}
