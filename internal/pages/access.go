package pages

import (
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
)

// accessPage shows what a client asks for and lets a merchant approve it.
type accessPage struct {
	T        *text
	Code     string
	Facade   string
	May      string // what the facade allows
	Label    string
	SIN      string
	Expires  string
	Problem  string
	Approved string // name of the merchant
}

var facades = map[merchant.Facade]string{
	merchant.POS:    "create invoices and read them",
	merchant.Full:   "create, read, change, cancel and refund invoices, and read the account",
	merchant.Payout: "send money out to recipients",
}

func (p *Pages) accessRequest(w http.ResponseWriter, r *http.Request) error {
	code := r.FormValue("pairingCode")
	if code == "" {
		return p.show(w, http.StatusOK, "access", &accessPage{T: &english})
	}
	m, err := p.pairing(w, r, code)
	if err != nil {
		return p.accessProblem(w, r, &accessPage{T: &english}, err)
	}
	return p.show(w, http.StatusOK, "access", m)
}

// pairing reads the request behind a code. Unknown codes are counted, so that
// they cannot be searched.
func (p *Pages) pairing(w http.ResponseWriter, r *http.Request, code string) (*accessPage, error) {
	if err := p.slowDown(w, r); err != nil {
		return nil, err
	}
	t, err := p.App.PairingRequest(r.Context(), code)
	if err != nil {
		if _, refused := fault.As(err); refused {
			p.keys.failed(p.ClientAddr(r), p.Now())
		}
		return nil, err
	}
	if t.State == merchant.Unclaimed {
		return nil, fault.New(fault.Invalid0, "Pairing code %s was made by a merchant for a client to claim. There is nothing to approve here: enter the code in the shop's plugin or send it as pairingCode to POST /tokens", code)
	}
	m := &accessPage{T: &english, Code: code, Facade: string(t.Facade), May: facades[t.Facade], Label: t.Label, Expires: t.CodeExpiry.UTC().Format(time.RFC1123)}
	if len(t.SINs) > 0 {
		m.SIN = t.SINs[0]
	}
	if p.Now().After(t.CodeExpiry) {
		return nil, fault.New(fault.NotFound, "Pairing code %s expired at %s. Start the pairing in the client again for a new code", code, m.Expires)
	}
	return m, nil
}

func (p *Pages) approveAccess(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	code := r.PostFormValue("pairingCode")
	m, err := p.pairing(w, r, code)
	if err != nil {
		return p.accessProblem(w, r, &accessPage{T: &english}, err)
	}
	who, err := p.merchantOf(w, r)
	if err != nil {
		return p.accessProblem(w, r, m, err)
	}
	if _, err := p.App.ApprovePairing(r.Context(), code, who.ID); err != nil {
		return p.accessProblem(w, r, m, err)
	}
	p.Log.Info("pairing approved on the page", "merchant", who.ID, "facade", m.Facade, "sin", m.SIN)
	m.Approved = who.Name
	return p.show(w, http.StatusOK, "access", m)
}

func (p *Pages) accessProblem(w http.ResponseWriter, r *http.Request, m *accessPage, err error) error {
	f := p.refusal(r, err)
	m.Problem = f.Message
	return p.show(w, f.Status, "access", m)
}

// merchantOf finds the account whose access key the form holds. The key is the
// only authority: there is no cookie that another site could use.
func (p *Pages) merchantOf(w http.ResponseWriter, r *http.Request) (*merchant.Merchant, error) {
	if err := p.slowDown(w, r); err != nil {
		return nil, err
	}
	key := r.PostFormValue("key")
	if key == "" {
		return nil, fault.Missing(fault.Missing0, "access key. Type the key that starts with qk_; it was shown when the merchant was created, and `quittance merchant key` makes a new one")
	}
	m, err := p.App.MerchantByKey(r.Context(), key)
	if _, refused := fault.As(err); refused {
		p.keys.failed(p.ClientAddr(r), p.Now())
	}
	return m, err
}
