package pages

import (
	"net/http"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/recipient"
)

// recipientPage leads somebody who is to be paid from the mail to a proven
// address. Step says what is shown: confirm, wait, give, prove, read or done.
type recipientPage struct {
	T       *text
	Problem string
	Step    string
	Link    string // goes on in the forms; empty once it is used up
	By      string // who pays
	Email   string // partly hidden
	Expires string

	Stages []stage
	Typed  string // in the form that was refused, to be mended

	Assets  []string // to choose from
	Asset   string
	Groups  []string // of the address
	Text    string   // to be signed
	Nonce   string
	CanSign bool
	CanTest bool

	Change  bool // there is an address already
	Current string
	From    string // when the new address counts; empty at once
	Hold    int    // hours that a changed address is held
}

func (p *Pages) recipient(w http.ResponseWriter, r *http.Request) error {
	return p.showRecipient(w, r, r.URL.Query().Get("link"), nil)
}

// recipientStep does what a form asks for. Only a POST acts: mail scanners open
// every link that they see.
func (p *Pages) recipientStep(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	link := r.PostFormValue("link")
	if err := p.slowDown(w, r); err != nil {
		return p.recipientProblem(w, r, &recipientPage{T: &english}, err)
	}
	done, err := p.takeStep(r, link)
	if err == nil && done != nil && done.Status == recipient.Active && done.State.Candidate == nil {
		return p.show(w, http.StatusOK, "recipient", p.doneWith(done))
	}
	return p.showRecipient(w, r, link, err)
}

// takeStep runs one step. The recipient is returned when an address was proven.
func (p *Pages) takeStep(r *http.Request, link string) (done *recipient.Recipient, err error) {
	ctx, value := r.Context(), r.PostFormValue
	nonce := value("nonce")
	switch value("step") {
	case "confirm":
		_, err = p.App.ConfirmRecipient(ctx, link)
	case "address":
		_, err = p.App.GiveAddress(ctx, link, value("asset"), value("address"))
	case "forget":
		_, err = p.App.ForgetAddress(ctx, link, nonce)
	case "test":
		_, err = p.App.StartTestAmount(ctx, link, nonce)
	case "sign":
		if done, err = p.App.SignAddress(ctx, link, nonce, value("signature")); err != nil {
			p.countFault(r, err)
		}
	case "amount":
		if done, err = p.App.ReadTestAmount(ctx, link, nonce, value("amount")); err != nil {
			p.countFault(r, err)
		}
	default:
		err = fault.Invalid(fault.Invalid0, "step", "this page has no such button")
	}
	return done, err
}

func (p *Pages) countFault(r *http.Request, err error) {
	if _, refused := fault.As(err); refused {
		p.keys.failed(p.ClientAddr(r), p.Now())
	}
}

// showRecipient shows how things stand, with the reason why a step was refused.
func (p *Pages) showRecipient(w http.ResponseWriter, r *http.Request, link string, refused error) error {
	// The page's own address holds the link: it is not repeated to anybody.
	w.Header().Set("Referrer-Policy", "origin")
	m := &recipientPage{T: &english}
	if link == "" {
		return p.recipientProblem(w, r, m, recipient.UnknownLink())
	}
	if err := p.slowDown(w, r); err != nil {
		return p.recipientProblem(w, r, m, err)
	}
	o, err := p.App.RecipientPage(r.Context(), link)
	if err != nil {
		if f, ok := fault.As(err); ok && f.Message == recipient.UnknownLink().Message {
			p.countFault(r, err)
		}
		return p.recipientProblem(w, r, m, err)
	}
	m = p.onboardingPage(o, link)
	if refused != nil {
		return p.recipientProblem(w, r, m, refused)
	}
	return p.show(w, http.StatusOK, "recipient", m)
}

func (p *Pages) recipientProblem(w http.ResponseWriter, r *http.Request, m *recipientPage, err error) error {
	f := p.refusal(r, err)
	m.Problem, m.Typed = sentence(f), typed(r)
	return p.show(w, f.Status, "recipient", m)
}

// typed is what the refused form had in its one field.
func typed(r *http.Request) string {
	for step, field := range map[string]string{"address": "address", "sign": "signature", "amount": "amount"} {
		if r.PostFormValue("step") == step {
			return r.PostFormValue(field)
		}
	}
	return ""
}

func (p *Pages) onboardingPage(o app.Onboarding, link string) *recipientPage {
	m := &recipientPage{
		T: &english, Link: link, By: o.Merchant.Name, Email: hidden(o.Email), Expires: day(o.Expires),
		CanTest: p.App.TestAmount != nil, Hold: int(recipient.AddressHold / time.Hour), Change: len(o.State.Addresses) > 0,
	}
	for _, a := range o.Assets {
		m.Assets = append(m.Assets, a.Code)
		if now, ok := o.AddressAt(a.Code, p.Now()); ok && m.Current == "" {
			m.Current = now.Address
		}
	}
	m.Step = map[recipient.Status]string{recipient.Invited: "confirm", recipient.Unverified: "wait"}[o.Status]
	if m.Step == "" {
		m.Step = "give"
		if c := o.State.Candidate; c != nil {
			p.candidate(m, o, c)
		}
	}
	m.Stages = onboardingStages(m.Step, m.Change)
	return m
}

// onboardingStages is how far somebody got. Who changes an address was confirmed
// and checked before.
func onboardingStages(step string, change bool) []stage {
	const mail, address, proof = "E-mail", "Address", "Proof"
	at := map[string]int{"give": 1, "prove": 2, "read": 2}[step]
	switch {
	case change:
		return timeline(at-1, true, address, proof)
	case step == "wait":
		return timeline(1, true, mail, "Check", address, proof)
	}
	return timeline(at, true, mail, address, proof)
}

func (p *Pages) candidate(m *recipientPage, o app.Onboarding, c *recipient.Candidate) {
	m.Step, m.Asset, m.Groups, m.Nonce, m.Text = "prove", c.Asset, groups(c.Address), c.Nonce, o.Challenge()
	if a, ok := p.App.Asset(c.Asset); ok {
		m.CanSign = a.Messages != nil
	}
	if c.Test != nil {
		m.Step = "read"
	}
}

// doneWith is the last page: the address that was just proven.
func (p *Pages) doneWith(r *recipient.Recipient) *recipientPage {
	m := &recipientPage{T: &english, Step: "done"}
	if n := len(r.State.Addresses); n > 0 {
		a := r.State.Addresses[n-1]
		m.Asset, m.Groups = a.Asset, groups(a.Address)
		if a.From.After(p.Now()) {
			m.From = a.From.UTC().Format("2 January 2006, 15:04 UTC")
		}
	}
	return m
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// hidden shows enough of a mail address for its owner to know it again.
func hidden(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 1 {
		return "…"
	}
	return string([]rune(email)[:1]) + "…" + email[at:]
}
