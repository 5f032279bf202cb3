package pages

import (
	"context"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
)

// settlementPage lets a merchant confirm where settlements go.
type settlementPage struct {
	T         *text
	Merchant  string
	ID        string
	Code      string
	Confirmed bool
	From      string   // when the new address counts
	Groups    []string // of the new address
	Old       string   // empty if there was none
	Stages    []stage
	Waits     bool // the old address is still used
}

func (p *Pages) settlementAddress(w http.ResponseWriter, r *http.Request) error {
	return p.showSettlement(w, r, r.FormValue("merchant"), r.FormValue("code"), p.App.SettlementAddressAsked)
}

func (p *Pages) confirmSettlementAddress(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	return p.showSettlement(w, r, r.PostFormValue("merchant"), r.PostFormValue("code"), p.App.ConfirmSettlementAddress)
}

// showSettlement shows how things stand after an operation with the link's code.
func (p *Pages) showSettlement(w http.ResponseWriter, r *http.Request, id, code string, do func(_ context.Context, id, code string) (*merchant.Merchant, error)) error {
	if err := p.slowDown(w, r); err != nil {
		return err
	}
	m, err := do(r.Context(), id, code)
	if err != nil {
		if _, refused := fault.As(err); refused {
			p.keys.failed(p.ClientAddr(r), p.Now())
		}
		return err
	}
	s := &m.Settings
	page := &settlementPage{T: &english, Merchant: m.Name, ID: id, Code: code, Groups: groups(s.NewAddress), Old: s.SettlementAddress}
	if s.NewAddressConfirmed > 0 {
		from, done := time.UnixMilli(s.NewAddressConfirmed).Add(merchant.AddressHold), 2
		if !p.Now().Before(from) {
			done = 3
		}
		page.Confirmed, page.Waits, page.From = true, done < 3, from.UTC().Format("2 January 2006, 15:04 UTC")
		page.Stages = timeline(done, false, "Asked for", "Confirmed", "In use")
	}
	return p.show(w, http.StatusOK, "settlement", page)
}
