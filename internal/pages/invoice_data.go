package pages

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/wire"
)

// publicInvoice is the public view with the two names that old clients read
// (wire spec, other public routes).
type publicInvoice struct {
	*wire.Invoice
	BuyerTotalBTCAmount string `json:"buyerTotalBtcAmount,omitempty"`
	BitcoinAddress      string `json:"bitcoinAddress,omitempty"`
}

func (p *Pages) invoiceData(w http.ResponseWriter, r *http.Request) error {
	s, err := p.App.Invoice(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.sendInvoice(w, r, s)
}

func (p *Pages) sendInvoice(w http.ResponseWriter, r *http.Request, s app.Shown) error {
	if err := p.App.CheckAddresses(r.Context(), s.Invoice); err != nil {
		return err
	}
	out := publicInvoice{Invoice: p.Renderer.Invoice(s, merchant.Public, p.Now())}
	if o, ok := s.Option("BTC"); ok && s.Status == invoice.New {
		out.BuyerTotalBTCAmount, out.BitcoinAddress = amount(o.Asset, o.Due), o.Address
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	return p.sendJSON(w, http.StatusOK, map[string]any{"invoice": out})
}

func (p *Pages) selectableWallets(w http.ResponseWriter, _ *http.Request) error {
	var list any = []struct{}{}
	if p.Wallets != nil {
		list = p.Wallets()
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	return p.sendJSON(w, http.StatusOK, map[string]any{"data": list})
}

func (p *Pages) setCurrency(w http.ResponseWriter, r *http.Request) error {
	id, value, err := wish(r, "buyerSelectedTransactionCurrency")
	if err != nil {
		return err
	}
	s, err := p.App.ChooseAsset(r.Context(), id, value)
	if err != nil {
		return err
	}
	return p.sendInvoice(w, r, s)
}

func (p *Pages) setEmail(w http.ResponseWriter, r *http.Request) error {
	id, value, err := wish(r, "buyerProvidedEmail")
	if err != nil {
		return err
	}
	s, err := p.setContact(r, id, value)
	if err != nil {
		return err
	}
	return p.sendInvoice(w, r, s)
}

// wish reads {"invoiceId": …, field: …}; the type of the content is not looked at.
func wish(r *http.Request, field string) (id, value string, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", "", err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return "", "", fault.New(fault.Invalid0, "The body is not a JSON object")
	}
	id, err1 := stringIn(m, "invoiceId")
	value, err2 := stringIn(m, field)
	return id, value, errors.Join(err1, err2)
}

func stringIn(m map[string]json.RawMessage, field string) (s string, err error) {
	raw, ok := m[field]
	if !ok || string(raw) == "null" {
		return "", fault.Missing(fault.InvoiceMissing, field)
	}
	if json.Unmarshal(raw, &s) != nil {
		return "", fault.Invalid(fault.InvoiceInvalid, field, "expected a string")
	}
	return s, nil
}
