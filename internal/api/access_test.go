package api

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/merchant"
)

// caller is one way of asking, with everything the authorization table may look at.
type caller struct {
	name   string
	client *client
	facade merchant.Facade
	// dead tokens are unknown, revoked or not approved yet.
	dead bool
	// waits marks a token that is not approved yet: it is known, but of no use.
	waits  bool
	signed bool // by an identity linked to the token
	needs  bool // the token asks for such a signature
	rival  bool // belongs to another merchant
	// of is the resource whose own token this is.
	of *made
}

func callers(w *world, revoked, waiting *client, targets []made) []caller {
	unsigned := func(c *client) *client { return &client{w: w, token: c.token} }
	list := []caller{
		{name: "nobody", client: &client{w: w}, facade: merchant.Public},
		{name: "a signature without a token", client: w.newClient(1), facade: merchant.Public, signed: true},
		{name: "till", client: w.till, facade: merchant.POS},
		{name: "till with a foreign signature", client: &client{w: w, signer: w.rival.signer, token: w.till.token}, facade: merchant.POS},
		{name: "pos", client: w.pos, facade: merchant.POS, signed: true, needs: true},
		{name: "pos unsigned", client: unsigned(w.pos), facade: merchant.POS, needs: true},
		{name: "merchant", client: w.merchant, facade: merchant.Full, signed: true, needs: true},
		{name: "merchant unsigned", client: unsigned(w.merchant), facade: merchant.Full, needs: true},
		{name: "merchant signed by another", client: &client{w: w, signer: w.rival.signer, token: w.merchant.token}, facade: merchant.Full, needs: true},
		{name: "payout", client: w.payout, facade: merchant.Payout, signed: true, needs: true},
		{name: "rival", client: w.rival, facade: merchant.Full, signed: true, needs: true, rival: true},
		{name: "rival's payout", client: w.rivalPayout, facade: merchant.Payout, signed: true, needs: true, rival: true},
		{name: "unknown token", client: &client{w: w, signer: w.merchant.signer, token: strings.Repeat("x", 44)}, dead: true},
		{name: "revoked token", client: revoked, dead: true},
		{name: "token that waits for approval", client: waiting, dead: true, waits: true},
	}
	for i := range targets {
		m := &targets[i]
		token, ok := m.res["token"].(string)
		if !ok {
			continue
		}
		name := "token of the " + m.name()
		list = append(list,
			caller{name: name, client: &client{w: w, signer: w.shops(m.maker).signer, token: token}, facade: m.maker, signed: true, needs: true, of: m},
			caller{name: name + " unsigned", client: &client{w: w, token: token}, facade: m.maker, needs: true, of: m})
	}
	return list
}

func (w *world) revoked() *client {
	c := w.pair(w.shop, merchant.Full, 20)
	_, err := w.app.ChangeToken(w.t.Context(), c.token, w.shop.ID, func(t *merchant.Token) error {
		t.State = merchant.Invalidated
		return nil
	})
	w.must(err)
	return c
}

func (w *world) waiting() *client {
	c := w.newClient(21)
	c.token = c.do("POST", "/tokens", fields{"id": c.sin(), "facade": "merchant"}).list()[0].(map[string]any)["token"].(string)
	return c
}

// expected reads a row of the table: the status that a caller must get, and
// through which facade an answer comes.
func expected(rt *route, c caller, target *made) (status int, facade merchant.Facade) {
	facade = c.facade
	switch has := c.client.token != ""; {
	case rt.bySIN && c.client.signer != nil:
		return http.StatusOK, facade
	case rt.bySIN:
		return http.StatusUnauthorized, facade
	case rt.pathToken && (!has || c.dead && !c.waits || c.of != nil):
		return http.StatusNotFound, facade
	case !has && rt.anonymous:
		return ownership(rt, c, target)
	case !has:
		return http.StatusBadRequest, facade
	case c.dead, c.of != nil && (rt.resource == nil || c.of != target):
		return http.StatusUnauthorized, facade
	case c.needs && !c.signed && !rt.unsigned:
		return http.StatusUnauthorized, facade
	case !slices.Contains(rt.facades, c.facade):
		return http.StatusForbidden, facade
	}
	return ownership(rt, c, target)
}

func ownership(rt *route, c caller, target *made) (int, merchant.Facade) {
	if !isAbout(rt) {
		if strings.HasSuffix(rt.pattern, "{sin}") {
			return http.StatusBadRequest, c.facade // one's own identity
		}
		return http.StatusOK, c.facade
	}
	foreign := c.facade == merchant.POS && target.maker != merchant.POS
	switch {
	case target.res == nil, c.rival, foreign && !rt.anonymous:
		return http.StatusNotFound, c.facade
	case foreign:
		return http.StatusOK, merchant.Public
	}
	return http.StatusOK, c.facade
}

// secrets are what a caller without any right must not find in an answer.
func secrets(target map[string]any) []string {
	out := []string{"secret-", "secret@"}
	for _, key := range []string{"token", "guid"} {
		if s, ok := target[key].(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func TestAuthorizationMatrix(t *testing.T) {
	w := newWorld(t)
	w.play.open()
	revoked, waiting := w.revoked(), w.waiting()
	tried := 0
	for i := range table {
		rt := &table[i]
		if len(rt.facades) == 0 && !rt.bySIN {
			continue
		}
		f := familyOf(rt)
		targets := f.makeAll(w, rt)
		for k := range targets {
			for n := 0; ; n++ {
				target, all := &targets[k], callers(w, revoked, waiting, targets)
				if n == len(all) {
					break
				}
				tried++
				t.Run(fmt.Sprintf("%s %s/%s/%s", rt.method, rt.pattern, target.name(), all[n].name), func(t *testing.T) {
					w.t = t
					checkCell(w, rt, all[n], target)
				})
				w.t = t
				if status, _ := expected(rt, all[n], target); status == http.StatusOK && rt.method != "GET" {
					targets = f.makeAll(w, rt) // what was reached may have changed
				}
			}
		}
	}
	t.Logf("%d cells", tried)
}

func checkCell(w *world, rt *route, c caller, target *made) {
	status, facade := expected(rt, c, target)
	before := ""
	if status != http.StatusOK {
		before = w.rows()
	}
	a := ask(c.client, rt, target.res)
	if a.status != status {
		w.t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	if status != http.StatusOK {
		if w.rows() != before {
			w.t.Error("a refusal changed the database")
		}
		noLeak(w.t, a, target.res)
		return
	}
	if got, there := a.body["facade"]; there && got != string(facade)+"/"+target.family.kind {
		w.t.Errorf("facade %v, want %s", got, facade)
	}
	if facade == merchant.Public && !rt.bySIN || c.rival {
		noLeak(w.t, a, target.res)
	}
}

func noLeak(t testing.TB, a *answer, res map[string]any) {
	t.Helper()
	for _, s := range secrets(res) {
		if bytes.Contains(a.raw, []byte(s)) {
			t.Errorf("%q leaked: %s", s, a.raw)
		}
	}
}

// ask makes a good request for a route.
func ask(c *client, rt *route, res map[string]any) *answer {
	target, query := pathOf(rt, res, c), goodQuery(rt, res)
	if c.token != "" && !rt.pathToken && !rt.bySIN && (rt.method == "GET" || rt.method == "DELETE") {
		query.Set("token", c.token)
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	if rt.method == "GET" || rt.method == "DELETE" {
		return c.do(rt.method, target, nil)
	}
	body := fields{}
	if !rt.pathToken && c.token != "" {
		body["token"] = c.token
	}
	return c.do(rt.method, target, body.with(goodBody(rt, res)))
}

// What needs no token must not be bothered by credentials, good, bad or stale.
func TestPublicRoutesIgnoreCredentials(t *testing.T) {
	w := newWorld(t)
	stale := w.merchant.signer.Sign("https://pay.example.com/elsewhere", nil)
	for _, path := range []string{"/rates", "/rates/ETH", "/rates/BTC/EUR", "/currencies", "/supportedwallets"} {
		for name, header := range map[string][2]string{
			"none": {}, "stale": {w.merchant.signer.Identity(), stale}, "broken": {"0x", "zz"},
		} {
			req, err := http.NewRequest("GET", w.http.URL+path+"?token=whatever", nil)
			w.must(err)
			if name != "none" {
				req.Header.Set("X-Identity", header[0])
				req.Header.Set("X-Signature", header[1])
			}
			if a := w.send(req); a.status != http.StatusOK {
				t.Errorf("%s with %s credentials: %s", path, name, a.raw)
			}
		}
	}
}

func TestAnOpenTillIgnoresABadSignature(t *testing.T) {
	w := newWorld(t)
	req, err := http.NewRequest("POST", w.http.URL+"/invoices", strings.NewReader(`{"token":"`+w.till.token+`","price":"10.00","currency":"usd"}`))
	w.must(err)
	req.Header.Set("X-Identity", w.merchant.signer.Identity())
	req.Header.Set("X-Signature", "00")
	w.send(req).ok()
}
