package pages

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"github.com/quittance/quittance/internal/fault"
)

// handler writes an answer or returns why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// maxBody bounds what a form may send.
const maxBody = 16 << 10

func (p *Pages) routes() map[string]handler {
	m := map[string]handler{
		"GET /{$}":           p.start,
		"GET /status":        p.status,
		"GET /invoice":       p.checkout,
		"GET /i/{id}":        p.shortLink,
		"GET /invoice/state": p.state,
		"GET /invoice/live":  p.stream,

		"GET /bill":      p.bill,
		"POST /bill/pay": p.payBill,

		"POST /invoice/currency": p.chooseCurrency,
		"POST /invoice/email":    p.giveEmail,
		"POST /invoice/refund":   p.askClaimAgain,

		"GET /invoiceData/{id}":                                 p.invoiceData,
		"GET /invoiceData/selectableWallets":                    p.selectableWallets,
		"POST /invoiceData/setBuyerSelectedTransactionCurrency": p.setCurrency,
		"POST /invoiceData/setBuyerProvidedEmail":               p.setEmail,
		"GET /api-access-request":                               p.accessRequest,
		"POST /api-access-request":                              p.approveAccess,
		"GET /settlement-address":                               p.settlementAddress,
		"POST /settlement-address":                              p.confirmSettlementAddress,
		"GET /refund":                                           p.refundClaim,
		"POST /refund":                                          p.claimRefund,
		"GET /dashboard/merchant/api-tokens":                    p.tokens,
		"POST /dashboard/merchant/api-tokens":                   p.useTokens,
		"GET /dashboard/payments/{id}":                          p.dashboardPayment,
		"GET /recipient":                                        p.recipient,
		"POST /recipient":                                       p.recipientStep,
		"GET /static/{name}":                                    p.staticFile,
		"GET /bitpay.min.js":                                    p.shopScript,
		"GET /bitpay.js":                                        p.shopScript,
	}
	if p.Sandbox {
		m["POST /invoice/pay"] = p.play
		m["GET /sandbox/mails"] = p.mails
	}
	return m
}

// serve puts what every answer has in common around a handler: headers that
// allow nothing but what the pages need, a bound on the body, and refusal of
// forms that another site made the browser send.
func (p *Pages) serve(h handler) http.Handler {
	run := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
	guarded := p.csrf.Handler(run)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), "'none'")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		guarded.ServeHTTP(w, r)
	})
}

// secure sets the headers of a page. frames says who may show it in a frame.
func secure(h http.Header, frames string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "+frames)
	h.Set("X-Content-Type-Options", "nosniff")
	// same-origin and not no-referrer: with that, browsers send "Origin: null" with
	// our own forms, which then look like another site's.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	h.Set("Cache-Control", "no-store")
	if frames == "'none'" {
		h.Set("X-Frame-Options", "DENY")
	} else {
		h.Del("X-Frame-Options")
	}
}

// show renders a page whole before the first byte is sent.
func (p *Pages) show(w http.ResponseWriter, status int, name string, data any) error {
	var b bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&b, "page", data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	if err != nil {
		p.Log.Debug("the browser went away", "error", err)
	}
	return nil
}

// refusal turns any error into what the reader may know of it.
func (p *Pages) refusal(r *http.Request, err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return fault.Access(http.StatusRequestEntityTooLarge, "The request is longer than %d bytes", big.Limit)
	}
	if r.Context().Err() == nil {
		p.Log.Error("a page failed", "route", r.Pattern, "error", err)
	}
	return fault.New(fault.Generic, "Something went wrong on this server; please try again")
}

func (p *Pages) loadTemplates() error {
	p.templates = map[string]*template.Template{}
	funcs := template.FuncMap{
		"fill": fill, "asset": func(name string) string { return p.paths[name] }, "sandbox": func() bool { return p.Sandbox },
	}
	base, err := template.New("").Funcs(funcs).ParseFS(files, "templates/base.html")
	if err != nil {
		return err
	}
	for _, name := range []string{"checkout", "bill", "problem", "access", "tokens", "mails", "start", "refund", "recipient", "settlement", "status"} {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(files, "templates/"+name+".html")
		}
		if err != nil {
			return err
		}
		p.templates[name] = t
	}
	return nil
}

// origin is scheme and host of an address, as browsers write it.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}
