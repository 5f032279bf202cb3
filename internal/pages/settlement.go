package pages

import (
	"net/http"

	"github.com/quittance/quittance/internal/fault"
)

// settlementPage lets a merchant confirm where settlements go.
type settlementPage struct {
	T         *text
	Merchant  string
	ID        string
	Code      string
	Confirmed bool
	Groups    []string
}

func (p *Pages) settlementAddress(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, http.StatusOK, "settlement", &settlementPage{T: &english, ID: r.FormValue("merchant"), Code: r.FormValue("code")})
}

func (p *Pages) confirmSettlementAddress(w http.ResponseWriter, r *http.Request) error {
	if err := p.slowDown(w, r); err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	m, err := p.App.ConfirmSettlementAddress(r.Context(), r.PostFormValue("merchant"), r.PostFormValue("code"))
	if err != nil {
		if _, refused := fault.As(err); refused {
			p.keys.failed(p.ClientAddr(r), p.Now())
		}
		return err
	}
	p.Log.Info("a new address for settlements was confirmed", "merchant", m.ID)
	return p.show(w, http.StatusOK, "settlement", &settlementPage{T: &english, Merchant: m.Name, Confirmed: true, Groups: groups(m.Settings.NewAddress)})
}
