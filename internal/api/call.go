package api

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// call is one request on its way.
type call struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	route  *route
	params map[string]string
	method string

	body    []byte
	fields  object     // of the body
	query   url.Values // of the URL
	written bool

	facade   merchant.Facade // Public without a token
	token    *merchant.Token // the API token, also behind a resource's own
	merchant *merchant.Merchant
	sin      string // who signed; empty unless the signature was checked

	session string
	number  int64
}

// parse reads the query and the body.
func (c *call) parse() error {
	for _, v := range c.params {
		if !utf8.ValidString(v) || len(v) > 256 {
			return fault.New(c.invalid(), "The path is not valid text")
		}
	}
	if len(c.r.URL.RawQuery) > 8<<10 {
		return fault.New(c.invalid(), "The query is longer than 8 KiB")
	}
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return fault.New(c.invalid(), "The query cannot be read")
	}
	for _, vs := range q {
		for _, v := range vs {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return fault.New(c.invalid(), "The query is not valid UTF-8 text")
			}
		}
	}
	c.query = q
	if len(bytes.TrimSpace(c.body)) == 0 || c.r.Method == http.MethodGet {
		c.fields = object{}
		return nil
	}
	c.fields, err = decode(c.body)
	if err != nil {
		return fault.New(c.invalid(), "The request's body cannot be used: %v", err)
	}
	return nil
}

func (c *call) invalid() fault.Code {
	if c.route != nil && c.route.invalid != "" {
		return c.route.invalid
	}
	return fault.Invalid0
}

func (c *call) missing() fault.Code {
	if c.route != nil && c.route.missing != "" {
		return c.route.missing
	}
	return fault.Missing0
}

// tokenText is the token as sent: in the query of GET and DELETE, in the body of
// POST and PUT. If it is in both, they must agree.
func (c *call) tokenText() (string, error) {
	if c.route.pathToken {
		return c.params["token"], nil
	}
	inBody, err := c.fields.text(c.invalid(), "token")
	if err != nil {
		return "", err
	}
	inQuery := c.query.Get("token")
	if inBody != "" && inQuery != "" && inBody != inQuery {
		return "", fault.Invalid(c.invalid(), "token", "the query and the body name different tokens")
	}
	if inBody != "" {
		return inBody, nil
	}
	return inQuery, nil
}

// authorize finds out who asks and holds it against the route's row.
func (c *call) authorize() error {
	c.facade = merchant.Public
	if c.route.bySIN {
		return c.requireSignature()
	}
	if len(c.route.facades) == 0 {
		return nil
	}
	text, err := c.tokenText()
	if err != nil {
		return err
	}
	if text == "" {
		if c.route.anonymous {
			return nil
		}
		return fault.Missing(c.missing(), "token")
	}
	if err := c.resolve(text); err != nil {
		return err
	}
	if c.token.RequireSIN && !c.route.unsigned {
		if err := c.requireSignature(); err != nil {
			return err
		}
		if !c.token.Has(c.sin) {
			return fault.Access(http.StatusUnauthorized, "SIN %s is not linked to this %s token: pair this client, or sign with the key the token was paired with", c.sin, c.token.Facade)
		}
	}
	if !slices.Contains(c.route.facades, c.facade) {
		return fault.Access(http.StatusForbidden, "A token of the %s facade cannot do this; it needs one of %s", c.facade, facadeNames(c.route.facades))
	}
	return c.server.limits.merchant(c.merchant.ID)
}

func facadeNames(list []merchant.Facade) string {
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// resolve turns the token's text into an API token and its merchant.
func (c *call) resolve(text string) error {
	t, m, err := c.server.App.Token(c.r.Context(), text)
	switch {
	case err == nil && t.State == merchant.Active && m != nil:
		c.token, c.merchant, c.facade = t, m, t.Facade
		return nil
	case err == nil && t.State == merchant.Inactive:
		return fault.Access(http.StatusUnauthorized, "This %s token waits for approval: open /api-access-request?pairingCode=%s, or run `quittance pair approve %s`", t.Facade, t.Code, t.Code)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	if c.route.resource {
		if ok, err := c.resolveResource(text); ok || err != nil {
			return err
		}
	}
	return fault.Access(http.StatusUnauthorized, "Invalid token: it is unknown or no longer valid")
}

// resolveResource accepts the resource's own token in place of the API token it
// was created with; that token's policy still holds.
func (c *call) resolveResource(text string) (bool, error) {
	inv, err := c.server.App.Invoice(c.r.Context(), c.params["id"])
	if errors.Is(err, fault.InvoiceNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if subtle.ConstantTimeCompare([]byte(inv.Token), []byte(text)) != 1 {
		return false, nil
	}
	t, m, err := c.server.App.Token(c.r.Context(), inv.APIToken)
	if err != nil || t.State != merchant.Active || m == nil {
		return false, err
	}
	c.token, c.merchant, c.facade = t, m, t.Facade
	return true, nil
}

// owned reads an invoice of the caller's merchant; somebody else's does not exist.
func (c *call) owned(id string) (app.Shown, error) {
	inv, err := c.server.App.Invoice(c.r.Context(), id)
	return c.mine(inv, err)
}

func (c *call) mine(inv app.Shown, err error) (app.Shown, error) {
	if err == nil && c.merchant != nil && inv.Merchant != c.merchant.ID {
		err = fault.New(fault.InvoiceNotFound, "Invoice not found")
	}
	return inv, err
}

// show wraps an invoice in its envelope.
func (c *call) show(inv app.Shown) any {
	return wire.Envelope{
		Facade: string(c.facade) + "/invoice",
		Data:   c.server.Renderer.Invoice(inv, c.facade, c.server.App.Now()),
	}
}

// reply writes the answer once and keeps it for a session.
func (c *call) reply(status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		c.server.Log.Error("an answer could not be encoded", "route", routeName(c.route), "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"status":"error","code":"000000","data":null,"error":"Generic server error","message":"Generic server error"}`)
	}
	if c.session != "" {
		if err := c.keep(status, b); err != nil {
			c.server.Log.Error("a session's answer could not be kept", "error", err)
		}
	}
	c.send(status, b)
}

func (c *call) send(status int, b []byte) {
	c.written = true
	writeRaw(c.w, status, b)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{}`)
	}
	writeRaw(w, status, b)
}

func writeRaw(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may have gone
}

func envelopeOf(method string, f *fault.Error) wire.Error {
	e := wire.Error{Status: "error", Code: methodDigits(method) + string(f.Code), Error: f.Message, Message: f.Message}
	for _, p := range f.Params {
		e.Errors = append(e.Errors, wire.ParamError{Error: p.Message, Param: p.Name})
	}
	return e
}
