package pages

import (
	"errors"
	"net/http"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/refund"
)

// refundPage lets a buyer say where a refund goes: type the address, see it
// again, confirm it. Until that is done, nothing is stored.
type refundPage struct {
	T       *text
	ID      string
	Code    string
	Shop    string
	Order   string
	Amount  string // in the invoice's currency
	Net     string // what the buyer gets
	Fee     string // what the network takes off; empty when the shop bears it
	Asset   string
	Status  refund.Status
	Typed   string // shown back, to be confirmed
	Groups  []string
	Address string // confirmed
	Txid    string
	Problem string
}

func (p *Pages) refundClaim(w http.ResponseWriter, r *http.Request) error {
	m, err := p.claimed(w, r, r.FormValue("id"), r.FormValue("code"))
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "refund", m)
}

// claimed reads the refund behind a link. Wrong codes are counted, so that they
// cannot be searched.
func (p *Pages) claimed(w http.ResponseWriter, r *http.Request, id, code string) (*refundPage, error) {
	if err := p.slowDown(w, r); err != nil {
		return nil, err
	}
	f, err := p.App.Refund(r.Context(), id)
	if err == nil {
		err = f.CheckClaim(code, p.Now())
	}
	if err != nil {
		if errors.Is(err, fault.RefundNotFound) {
			p.keys.failed(p.ClientAddr(r), p.Now())
			err = fault.New(fault.RefundNotFound, "This link is not valid, or a newer one was sent. Please use the link in the latest mail.")
		}
		return nil, err
	}
	inv, err := p.App.Invoice(r.Context(), f.Invoice)
	if err != nil {
		return nil, err
	}
	t := &f.Terms
	m := &refundPage{
		T: &english, ID: id, Code: code, Shop: inv.Terms.Order.MerchantName, Order: inv.Terms.Order.OrderID,
		Amount: shown(t.Currency, t.Amount), Net: shown(t.Asset, t.Net()), Asset: t.Asset, Status: f.Status, Txid: f.State.Txid,
	}
	if t.BuyerPays {
		m.Fee = shown(t.Asset, t.AssetFee)
	}
	m.setAddress(f.State.Address)
	return m, nil
}

func (m *refundPage) setAddress(address string) {
	if m.Address = address; address != "" {
		m.Groups = groups(address)
	}
}

// groups cuts an address into pieces that eyes can compare.
func groups(address string) (out []string) {
	for len(address) > 4 {
		out, address = append(out, address[:4]), address[4:]
	}
	return append(out, address)
}

func shown(code string, u money.Units) string {
	if cur, ok := money.Lookup(code); ok {
		return money.Display(cur, u) + " " + code
	}
	return u.String() + " " + code
}

// claimRefund takes the address: first to show it back, then for good.
func (p *Pages) claimRefund(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	m, err := p.claimed(w, r, r.PostFormValue("id"), r.PostFormValue("code"))
	if err != nil {
		return err
	}
	address := strings.TrimSpace(r.PostFormValue("address"))
	if m.Address != "" {
		return p.show(w, http.StatusOK, "refund", m)
	}
	m.Typed = address
	if _, err := p.App.CheckDestination(m.Asset, address); err != nil {
		return p.claimProblem(w, r, m, err)
	}
	if r.PostFormValue("confirm") != address {
		m.Groups = groups(address)
		return p.show(w, http.StatusOK, "refund", m)
	}
	f, err := p.App.ClaimRefund(r.Context(), m.ID, m.Code, address)
	if err != nil {
		return p.claimProblem(w, r, m, err)
	}
	p.Log.Info("a buyer confirmed the address of a refund", "refund", f.ID)
	m.Typed = ""
	m.setAddress(f.State.Address)
	return p.show(w, http.StatusOK, "refund", m)
}

func (p *Pages) claimProblem(w http.ResponseWriter, r *http.Request, m *refundPage, err error) error {
	f := p.refusal(r, err)
	m.Problem, m.Groups = strings.TrimPrefix(f.Message, "Invalid address: "), nil
	return p.show(w, f.Status, "refund", m)
}
