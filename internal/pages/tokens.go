package pages

import (
	"fmt"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
)

// tokensPage lists a merchant's tokens and shows what was just made.
type tokensPage struct {
	T        *text
	Merchant string
	Problem  string
	Code     string // a new pairing code
	Expires  string
	Open     string // a new open token, shown this once
	Facade   string
	Label    string
	Tokens   []tokenRow
}

// tokenRow is one token. Its text is cut: the whole one is the client's secret.
type tokenRow struct {
	Token, Facade, Label, State, Since string
	SINs                               []string
	Code                               string // waiting to be claimed
	Open                               bool
}

func (p *Pages) tokens(w http.ResponseWriter, _ *http.Request) error {
	return p.show(w, http.StatusOK, "tokens", &tokensPage{T: &english})
}

func (p *Pages) useTokens(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	m := &tokensPage{T: &english, Facade: r.PostFormValue("facade"), Label: r.PostFormValue("label")}
	err := p.fillTokens(w, r, m)
	if err == nil {
		return p.show(w, http.StatusOK, "tokens", m)
	}
	f := p.refusal(r, err)
	m.Problem = f.Message
	return p.show(w, f.Status, "tokens", m)
}

func (p *Pages) fillTokens(w http.ResponseWriter, r *http.Request, m *tokensPage) error {
	who, err := p.merchantOf(w, r)
	if err != nil {
		return err
	}
	m.Merchant = who.Name
	if err := p.makeToken(r, who, m); err != nil {
		return err
	}
	list, err := p.App.MerchantTokens(r.Context(), who.ID)
	if err != nil {
		return err
	}
	for _, t := range list {
		m.Tokens = append(m.Tokens, rowOf(t))
	}
	return nil
}

// makeToken does what the pressed button says.
func (p *Pages) makeToken(r *http.Request, who *merchant.Merchant, m *tokensPage) error {
	action := r.PostFormValue("action")
	if action == "list" || action == "" {
		return nil
	}
	f, err := merchant.ParseFacade(m.Facade)
	if err != nil {
		return err
	}
	if action != "pair" && action != "open" {
		return fault.Invalid(fault.Invalid0, "action", "%q is not one of list, pair, open", action)
	}
	if action == "open" && f != merchant.POS {
		return fault.New(fault.Invalid0, "An open token works without signatures, so it is for the pos facade only. Choose pos, or press “Make a pairing code” for %s", f)
	}
	t, err := p.App.OfferToken(r.Context(), who.ID, f, m.Label, action == "open")
	if err != nil {
		return err
	}
	p.Log.Info("token made on the page", "merchant", who.ID, "facade", f, "open", action == "open")
	if action == "open" {
		m.Open = t.Token
		return nil
	}
	m.Code, m.Expires = t.Code, t.CodeExpiry.UTC().Format(time.RFC1123)
	return nil
}

func rowOf(t *merchant.Token) tokenRow {
	row := tokenRow{
		Token: fmt.Sprintf("%.4s…%s", t.Token, t.Token[max(0, len(t.Token)-4):]), Facade: string(t.Facade), Label: t.Label,
		State: string(t.State), Since: t.Created.UTC().Format("2006-01-02 15:04"), SINs: t.SINs, Open: !t.RequireSIN,
	}
	if t.State == merchant.Unclaimed {
		row.Code = t.Code
	}
	return row
}
