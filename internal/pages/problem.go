package pages

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/wire"
)

// problemPage tells in plain words why there is nothing to see.
type problemPage struct {
	T          *text
	Head, Body string
	Back       string // our own address, or empty
}

// byLink are the pages that a mailed link leads to.
var byLink = map[string]bool{"/refund": true, "/settlement-address": true}

// fail answers with a page for people and with the API's envelope for scripts.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := p.refusal(r, err)
	if f.Status == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "10")
	}
	if wantsJSON(r) || r.URL.Path == "/invoice/state" || r.URL.Path == "/invoice/live" {
		_ = p.sendJSON(w, f.Status, envelope(r.Method, f))
		return
	}
	t := choose(r)
	page := &problemPage{T: t, Head: http.StatusText(f.Status), Body: f.Message}
	status := f.Status
	switch {
	case errors.Is(f, fault.InvoiceNotFound):
		page.Head, page.Body = t.NotFoundHead, t.NotFoundText
	case errors.Is(f, fault.NotFound) && strings.HasPrefix(r.URL.Path, "/bill"):
		page.Head, page.Body = t.NoBillHead, t.NoBillText
	case strings.HasPrefix(r.URL.Path, "/bill"):
	case byLink[r.URL.Path] && f.Status < http.StatusInternalServerError && f.Status != http.StatusTooManyRequests:
		page.Head = "This link cannot be used"
	case errors.Is(f, fault.InvoiceGeneric) && r.URL.Path == "/invoice":
		page.Head, page.Body = t.UnverifiedHead, t.UnverifiedText
	case r.Method == http.MethodPost && r.PostFormValue("id") != "":
		page.Head, page.Back = fill(t.Failed, "error", ""), routeOf(r).String()
	}
	if err := p.show(w, status, "problem", page); err != nil {
		http.Error(w, "Something went wrong on this server; please try again", http.StatusInternalServerError)
	}
}

// sentence is a refusal for the person who filled in a form: without the field's
// name in front, which the API's clients need.
func sentence(f *fault.Error) string {
	s := f.Message
	if what, missing := strings.CutPrefix(s, "Missing required parameter: "); missing {
		s = "please fill in the field: " + what
	} else if len(f.Params) > 0 {
		s = strings.TrimPrefix(s, "Invalid "+f.Params[0].Name+": ")
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// envelope is the error of the API, for the routes that scripts read.
func envelope(method string, f *fault.Error) wire.Error {
	prefix := map[string]string{"POST": "01", "GET": "02"}[method]
	if prefix == "" {
		prefix = "00"
	}
	e := wire.Error{Status: "error", Code: prefix + string(f.Code), Error: f.Message, Message: f.Message}
	for _, q := range f.Params {
		e.Errors = append(e.Errors, wire.ParamError{Error: q.Message, Param: q.Name})
	}
	return e
}

// slowDown refuses an address that has failed too often.
func (p *Pages) slowDown(w http.ResponseWriter, r *http.Request) error {
	wait := p.keys.wait(p.ClientAddr(r), p.Now())
	if wait <= 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return fault.Access(http.StatusTooManyRequests, "Too many wrong keys or codes came from your address. Wait %d seconds, then try again", seconds)
}
