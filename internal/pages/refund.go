package pages

import (
	"errors"
	"net/http"
	"net/url"
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
	Stages  []stage
	Txid    string
	Waits   bool // something will happen: the page reads itself again
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
			err = fault.New(fault.RefundNotFound, "It is not complete, or a newer one was sent. Open the link in the latest mail about your refund; if it is split over two lines there, copy both. Nothing is lost: without a confirmed address the money stays with the shop, which can send you a new link.")
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
	if m.Address = f.State.Address; m.Address != "" {
		m.Groups, m.Stages, m.Waits = groups(m.Address), refundStages(f, m.T), f.Status.Open()
	}
	return m, nil
}

// here is the page's own address.
func (m *refundPage) here() string {
	return "/refund?" + url.Values{"id": {m.ID}, "code": {m.Code}}.Encode()
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
		return m.follow(w, r)
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
	return m.follow(w, r)
}

// follow leads on to the page that tells how far the refund is. That page reads
// itself again, which the answer to a form could not.
func (m *refundPage) follow(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, m.here(), http.StatusSeeOther)
	return nil
}

func (p *Pages) claimProblem(w http.ResponseWriter, r *http.Request, m *refundPage, err error) error {
	f := p.refusal(r, err)
	m.Problem, m.Groups = sentence(f), nil
	return p.show(w, f.Status, "refund", m)
}
