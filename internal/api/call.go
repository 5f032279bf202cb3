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
	status  int // as sent

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
		if !validText(v) || len(v) > 256 {
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
			if !validText(v) {
				return fault.New(c.invalid(), "The query is not valid UTF-8 text")
			}
		}
	}
	c.query = q
	if len(bytes.TrimSpace(c.body)) == 0 || c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		c.fields = object{}
		return nil
	}
	keys := maxKeys
	if c.route != nil && c.route.bulk {
		keys = maxBulkKeys
	}
	c.fields, err = decodeUpTo(c.body, keys)
	if err != nil {
		return fault.New(c.invalid(), "The request's body cannot be used: %v", err)
	}
	return nil
}

// validText reports what both database engines can compare and keep as text.
func validText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

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

// authorize finds out who asks and holds it against the route's row. What has
// no row is refused; allowed are the methods that have one at this path.
func (c *call) authorize(allowed []string) error {
	c.facade = merchant.Public
	if c.route == nil && len(allowed) > 0 {
		c.w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
		return fault.Access(http.StatusMethodNotAllowed, "%.20s is not possible here", c.r.Method)
	}
	if c.route == nil {
		return fault.New(fault.NotFound, "Nothing is at this address")
	}
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
	if c.token == nil {
		return c.unknownToken()
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

// unknownToken refuses a token that is nobody's. Where it is the resource that
// is asked for, that resource is not there.
func (c *call) unknownToken() error {
	if c.route.pathToken {
		return fault.New(fault.NotFound, "Token not found")
	}
	return fault.Access(http.StatusUnauthorized, "Invalid token: it is unknown or no longer valid")
}

// resolve turns the token's text into an API token and its merchant; none is
// left when there is no such token.
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
	if c.route.resource != nil {
		return c.resolveResource(text)
	}
	return nil
}

// credential is what opens a resource besides the API tokens of its merchant.
type credential struct {
	token    string // the resource's own
	apiToken string // that it was created with; empty when the server made it
	merchant string // whose it is, when no token made it
}

// ofInvoice finds the credential of the invoice {id}.
func ofInvoice(s *Server, c *call) (credential, error) {
	inv, err := s.App.Invoice(c.r.Context(), c.params["id"])
	if err != nil {
		return credential{}, err
	}
	return credential{token: inv.Token, apiToken: inv.APIToken}, nil
}

// resolveResource accepts the resource's own token in place of the API token it
// was created with; that token's policy still holds.
func (c *call) resolveResource(text string) error {
	own, err := c.route.resource(c.server, c)
	if f, ok := fault.As(err); ok && f.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(own.token), []byte(text)) != 1 {
		return nil
	}
	if own.apiToken == "" {
		return c.bySigner(own.merchant)
	}
	t, m, err := c.server.App.Token(c.r.Context(), own.apiToken)
	if err != nil || t.State != merchant.Active || m == nil {
		return err
	}
	c.token, c.merchant, c.facade = t, m, t.Facade
	return nil
}

// bySigner lets in who signs with an identity that a merchant token of the owner
// is linked to: what the server made itself has no API token behind it.
func (c *call) bySigner(merchantID string) error {
	if err := c.requireSignature(); err != nil {
		return err
	}
	list, err := c.server.App.ActiveTokens(c.r.Context(), c.sin)
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.Merchant != merchantID || t.Facade != merchant.Full {
			continue
		}
		known, m, err := c.server.App.Token(c.r.Context(), t.Token)
		if err != nil || m == nil {
			return err
		}
		c.token, c.merchant, c.facade = known, m, known.Facade
		return nil
	}
	return nil
}

// owned reads an invoice of the caller's merchant; somebody else's does not exist.
func (c *call) owned(id string) (app.Shown, error) {
	inv, err := c.server.App.Invoice(c.r.Context(), id)
	return c.mine(inv, err)
}

// mine refuses what is not the caller's own. A pos token may lie open in a page:
// of what was made through another facade it learns no more than the public.
func (c *call) mine(inv app.Shown, err error) (app.Shown, error) {
	if err != nil || c.merchant == nil {
		return inv, err
	}
	foreign := c.facade == merchant.POS && inv.Terms.Order.Facade != string(merchant.POS)
	if inv.Merchant != c.merchant.ID || foreign && !c.route.anonymous {
		return app.Shown{}, fault.New(fault.InvoiceNotFound, "Invoice not found")
	}
	if foreign {
		c.facade = merchant.Public
	}
	return inv, nil
}

// ownedByGUID reads the invoice that the caller's merchant made under a guid.
func (c *call) ownedByGUID(guid string) (app.Shown, error) {
	return c.mine(c.server.App.InvoiceByGUID(c.r.Context(), c.merchant.ID, guid))
}

// show wraps an invoice in its envelope.
func (c *call) show(inv app.Shown) (any, error) {
	if err := c.server.verify(c.r.Context(), inv); err != nil {
		return nil, err
	}
	return c.envelope(c.server.Renderer.Invoice(inv, c.facade, c.server.App.Now())), nil
}

func (c *call) envelope(data any) wire.Envelope { return c.wrap("invoice", data) }

// wrap puts data of a kind of resource into its envelope.
func (c *call) wrap(kind string, data any) wire.Envelope {
	return wire.Envelope{Facade: string(c.facade) + "/" + kind, Data: data}
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
	c.written, c.status = true, status
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

// ack says that something was done of which nothing is to be shown. Each of its
// fields is what one of the official SDKs looks at.
func ack() any {
	return struct {
		Status  string         `json:"status"`
		Success bool           `json:"success"`
		Data    map[string]any `json:"data"`
		Message any            `json:"message"`
	}{"success", true, map[string]any{}, nil}
}
