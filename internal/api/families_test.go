package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/merchant"
)

// family is a kind of resource: all that the authorization matrix, the wrong
// requests and the document's check need to know of its routes. A new resource
// joins by one entry in families.
type family struct {
	// kind is the resource's name in an answer's facade, such as "invoice".
	kind string
	// make lets a client create one, filled with texts that hold "secret-" or
	// "secret@" wherever no stranger may read them. Nil: there is nothing to make.
	make func(c *client) map[string]any
	// makers are the facades that can make one.
	makers []merchant.Facade
	// params are the path's parameters for one that was made, or, for nil, such
	// as name none. Nil: {id} and {guid} of it.
	params func(res map[string]any) map[string]string
	// entries has each route of the family under "METHOD pattern".
	entries map[string]entry
}

// entry is one route.
type entry struct {
	// body is a good request's, about a resource of this kind where there is one.
	body func(res map[string]any) fields
	// names says that the body names the resource, as {id} in a path does.
	names bool
	// make makes the resource for this route, if it needs another one than the
	// family makes.
	make func(c *client) map[string]any
	// ask is the query about a resource, where the query names it.
	ask func(res map[string]any) string
	// query is what a good request has besides the token, such as "status=new".
	query string
	// bad are values that a field of the body cannot have.
	bad map[string][]any
	// filter are values that a parameter of the query cannot have.
	filter map[string][]string
}

// families holds every kind of resource under the first segment of its paths.
var families = map[string]*family{
	"tokens":           tokenFamily,
	"sessions":         {entries: map[string]entry{"POST /sessions": {}}},
	"invoices":         invoiceFamily,
	"bills":            billFamily,
	"subscriptions":    subscriptionFamily,
	"events":           {entries: map[string]entry{"GET /events": {}}},
	"rates":            {entries: map[string]entry{"GET /rates": {}, "GET /rates/{base}": {}, "GET /rates/{base}/{quote}": {}}},
	"currencies":       {entries: map[string]entry{"GET /currencies": {}}},
	"supportedwallets": {entries: map[string]entry{"GET /supportedwallets": {}}},
}

func init() {
	families["refunds"], families["ledgers"], families["settlements"] = refundFamily, ledgerFamily, settlementFamily
	families["recipients"], families["payouts"] = recipientFamily, payoutFamily
}

func familyOf(rt *route) *family {
	return families[strings.Split(rt.pattern, "/")[1]]
}

func (rt *route) key() string { return rt.method + " " + rt.pattern }

func entryOf(rt *route) entry { return familyOf(rt).entries[rt.key()] }

// The matrix and the campaign are made from the table: a route that nobody told
// them about would only seem to be tested.
func TestEveryRouteHasItsEntryInAFamily(t *testing.T) {
	served := map[string]bool{}
	for i := range table {
		rt := &table[i]
		served[rt.key()] = true
		f := familyOf(rt)
		if f == nil {
			t.Errorf("%s: there is no family for it", rt.key())
			continue
		}
		if _, there := f.entries[rt.key()]; !there {
			t.Errorf("%s: its family has no entry for it", rt.key())
		}
	}
	for name, f := range families {
		for key := range f.entries {
			if !served[key] {
				t.Errorf("%s: the family %s has an entry, but there is no such route", key, name)
			}
		}
		if (f.make == nil) != (len(f.makers) == 0) {
			t.Errorf("the family %s says who makes what without saying how, or the other way round", name)
		}
	}
}

// made is a resource and whose it is.
type made struct {
	family *family
	maker  merchant.Facade
	res    map[string]any // nil for one that does not exist
}

// name says in a test's name what was made.
func (m made) name() string {
	switch {
	case m.family.make == nil:
		return "nothing to name"
	case m.res == nil:
		return "unknown " + m.family.kind
	}
	return string(m.maker) + " " + m.family.kind
}

// makeAll makes one resource through each facade that can, and one that is not.
func (f *family) makeAll(w *world, rt *route) (list []made) {
	mk := f.make
	if own := entryOf(rt).make; own != nil {
		mk = own
	}
	for _, facade := range f.makers {
		list = append(list, made{f, facade, mk(w.shops(facade))})
	}
	return append(list, made{family: f})
}

// shops is the shop's client of a facade.
func (w *world) shops(f merchant.Facade) *client {
	switch f {
	case merchant.POS:
		return w.pos
	case merchant.Payout:
		return w.payout
	}
	return w.merchant
}

// rivals is the other merchant's client of a facade; pos counts as merchant.
func (w *world) rivals(f merchant.Facade) *client {
	if f == merchant.Payout {
		return w.rivalPayout
	}
	return w.rival
}

// isAbout tells whether a request for the route names a resource of its family.
func isAbout(rt *route) bool {
	f := familyOf(rt)
	return f.make != nil && (strings.Contains(rt.pattern, "{") || entryOf(rt).names)
}

// pathOf fills a route's pattern in for a resource and a client.
func pathOf(rt *route, res map[string]any, c *client) string {
	params := map[string]string{"id": "Hpqc63wvE1ZjzeeH4kEycF", "guid": "nobodys", "base": "BTC", "quote": "USD", "token": "none", "sin": "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jy"}
	if c.token != "" {
		params["token"] = c.token
	}
	if c.signer != nil {
		params["sin"] = c.sin()
	}
	for _, name := range []string{"id", "guid"} {
		if s, ok := res[name].(string); ok {
			params[name] = s
		}
	}
	if more := familyOf(rt).params; more != nil {
		for name, value := range more(res) {
			params[name] = value
		}
	}
	segments := strings.Split(rt.pattern, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = params[strings.Trim(s, "{}")]
		}
	}
	return strings.Join(segments, "/")
}

// goodBody is the body of a request that nothing is wrong with.
func goodBody(rt *route, res map[string]any) fields {
	if body := entryOf(rt).body; body != nil {
		return body(res)
	}
	return nil
}

func goodQuery(rt *route, res map[string]any) url.Values {
	text := entryOf(rt).query
	if ask := entryOf(rt).ask; ask != nil {
		text = ask(res)
	}
	q, err := url.ParseQuery(text)
	if err != nil {
		panic(err) // the entry itself is wrong
	}
	return q
}

func always(f fields) func(map[string]any) fields {
	return func(map[string]any) fields { return f }
}

// Values that are wrong for a field of a type, whatever it is about.
var (
	notText   = []any{true, fields{}, fields{"a": 1}, []any{}, []any{"x"}}
	notFlag   = []any{"maybe", 2, fields{}, []any{true}, "nil", -1}
	notNumber = []any{"ten", true, fields{}, []any{1}, "0x10", "1,5", "NaN", "1e999999999", strings.Repeat("9", 33), "--1", "+1"}
	notObject = []any{true, 5, "text", []any{1}}
	badURL    = []any{"shop", "ftp://shop.example/x", "http://", "https://user:pw@shop.example/", "javascript:alert(1)", "https://" + strings.Repeat("x", 2100), "//shop.example", "http://[::1"}

	notADate = []string{"2026-13-01", "yesterday", "2026-02-30", "0001-01-01", "99999-01-01", "2026-01-01T25:00:00Z", "1767225600000", "31/12/2026", strings.Repeat("2", 900)}
	notLimit = []string{"-1", "0", "ten", "1.5", "1e999999999", "99999999999999999999", "0x10", "NaN", " 5"}
	notSkip  = []string{"-1", "-9223372036854775808", "1e40", "x", "1.5", "99999999999999"}
)

func either(lists ...[]any) (out []any) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func long(n int) []any { return []any{strings.Repeat("x", n+1), strings.Repeat("é", n)} }
