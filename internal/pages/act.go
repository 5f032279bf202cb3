package pages

import (
	"net/http"
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
)

// The forms of the checkout page. Who knows an invoice's id may use them: they
// hold no authority beyond that, so there is none for another site to borrow.

func (p *Pages) chooseCurrency(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, func(id string) (app.Shown, error) {
		return p.App.ChooseAsset(r.Context(), id, r.PostFormValue("currency"))
	})
}

func (p *Pages) giveEmail(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, func(id string) (app.Shown, error) { return p.setContact(r, id, r.PostFormValue("email")) })
}

func (p *Pages) askClaimAgain(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, func(id string) (app.Shown, error) { return p.App.SendClaimAgain(r.Context(), id) })
}

func (p *Pages) play(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, func(id string) (app.Shown, error) {
		return p.App.PlayInvoice(r.Context(), id, app.Play(r.PostFormValue("what")))
	})
}

// act runs a form's operation, then answers the script with the new state or
// sends the browser back to the page.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, do func(id string) (app.Shown, error)) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := r.PostFormValue("id")
	if id == "" {
		return fault.Missing(fault.InvoiceMissing, "id")
	}
	s, err := do(id)
	if err != nil {
		return err
	}
	if wantsJSON(r) {
		return p.sendState(w, s)
	}
	rt := routeOf(r)
	http.Redirect(w, r, rt.String(), http.StatusSeeOther)
	return nil
}

func (p *Pages) setContact(r *http.Request, id, email string) (app.Shown, error) {
	email = strings.TrimSpace(email)
	if email == "" {
		return app.Shown{}, fault.Missing(fault.InvoiceMissing, "email")
	}
	return p.App.UpdateInvoice(r.Context(), id, app.InvoiceUpdate{Email: email})
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json") || strings.HasPrefix(r.URL.Path, "/invoiceData/")
}

// badForm keeps the news that a body is too long and calls anything else
// unreadable.
func badForm(err error) error {
	if strings.Contains(err.Error(), "too large") {
		return fault.Access(http.StatusRequestEntityTooLarge, "The form is longer than %d bytes", maxBody)
	}
	return fault.New(fault.Invalid0, "The form could not be read")
}
