package api

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/quittance/quittance/internal/merchant"
)

// badRequests is the size of the campaign.
const badRequests = 24_000 / campaignShare

// Thousands of wrong requests, made from the route table by a seeded generator:
// each gets a documented refusal, none a 5xx, and no row changes.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	g := newGenerator(w)
	before := w.rows()
	var tried atomic.Int64
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		wait.Go(func() {
			for n := worker; n < badRequests && !t.Failed(); n += workers {
				r := g.make(rand.New(rand.NewPCG(2026, uint64(n))), n)
				if why := r.judge(w); why != "" {
					t.Errorf("request %d (%s): %s %.300s %.200q: %s", n, r.kind, r.method, r.target, r.body, why)
				}
				tried.Add(1)
			}
		})
	}
	wait.Wait()
	if w.rows() != before {
		t.Error("a refused request changed the database")
	}
	if tried.Load() != badRequests {
		t.Errorf("%d requests tried, not %d", tried.Load(), badRequests)
	}
}

// badRequest is one wrong request and what is wrong with it.
type badRequest struct {
	kind, method, target string
	body                 []byte
	header               http.Header
}

// judge sends the request past the network and says what is wrong with the answer.
func (r badRequest) judge(w *world) string {
	u, err := url.ParseRequestURI(r.target)
	if err != nil {
		return "" // the HTTP server itself refuses such a line
	}
	req := &http.Request{
		Method: r.method, URL: u, RequestURI: r.target, Host: "pay.example.com", Header: r.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)), RemoteAddr: "192.0.2.1:1234",
	}
	rec := httptest.NewRecorder()
	w.front.ServeHTTP(rec, req.WithContext(w.t.Context()))
	a := &answer{t: w.t, status: rec.Code, header: rec.Header(), raw: rec.Body.Bytes()}
	a.decode()
	if rec.Code < 400 || rec.Code >= 500 {
		return fmt.Sprintf("status %d: %s", rec.Code, a.raw)
	}
	if err := conforms(r.method, u.EscapedPath(), a); err != nil {
		return err.Error()
	}
	return ""
}

// generator makes wrong requests around one good one per route.
type generator struct {
	w       *world
	own     map[*family]map[string]any // the shop's
	foreign map[*family]map[string]any // the rival's
	routes  []*route
}

func newGenerator(w *world) *generator {
	g := &generator{w: w, own: map[*family]map[string]any{}, foreign: map[*family]map[string]any{}}
	for i := range table {
		g.routes = append(g.routes, &table[i])
	}
	for _, name := range sortedKeys(families) {
		if f := families[name]; f.make != nil {
			g.own[f], g.foreign[f] = f.make(w.shops(f.makers[0])), f.make(w.rivals(f.makers[0]))
		}
	}
	return g
}

// make builds the nth request: every route and every kind of fault in turn.
func (g *generator) make(r *rand.Rand, n int) badRequest {
	rt := g.routes[n%len(g.routes)]
	kinds := g.kinds(rt)
	k := kinds[n/len(g.routes)%len(kinds)]
	b := badRequest{kind: k.name, method: rt.method, header: http.Header{"X-Accept-Version": {"2.0.0"}}}
	k.do(r, rt, &b)
	return b
}

type kind struct {
	name string
	do   func(r *rand.Rand, rt *route, b *badRequest)
}

// kinds are the faults that make no sense of a route's request for certain.
func (g *generator) kinds(rt *route) []kind {
	list := []kind{
		{"huge query", g.hugeQuery}, {"broken query", g.brokenQuery}, {"bad path", g.badPath}, {"huge body", g.hugeBody}, {"bad session", g.badSession},
	}
	if rt.method != "GET" {
		list = append(list, kind{"broken JSON", g.brokenJSON}, kind{"broken JSON", g.brokenJSON}, kind{"bad number", g.badNumber})
	}
	if len(rt.facades) > 0 {
		list = append(list, kind{"unknown token", g.unknownToken}, kind{"mutated signature", g.mutatedSignature})
	}
	if isAbout(rt) {
		list = append(list, kind{"foreign id", g.foreignID})
	}
	if entryOf(rt).bad != nil {
		for range 4 {
			list = append(list, kind{"bad field", g.badField})
		}
	}
	if entryOf(rt).filter != nil {
		list = append(list, kind{"bad filter", g.badFilter}, kind{"bad filter", g.badFilter})
	}
	return list
}

// mine is the shop's resource of a route's family; nil where there is none.
func (g *generator) mine(rt *route) map[string]any { return g.own[familyOf(rt)] }

func (g *generator) path(rt *route, res map[string]any) string { return pathOf(rt, res, g.caller(rt)) }

func (g *generator) goodBody(rt *route) fields { return goodBody(rt, g.mine(rt)) }

// caller is a client that the route lets in.
func (g *generator) caller(rt *route) *client {
	if len(rt.facades) > 0 && rt.facades[0] == merchant.Payout {
		return g.w.payout
	}
	return g.w.merchant
}

// finish signs what was built, with the token where it belongs.
func (g *generator) finish(rt *route, b *badRequest, path string, query url.Values, body fields) {
	c := g.caller(rt)
	carries := len(rt.facades) > 0 && !rt.pathToken
	if rt.method == "GET" || rt.method == "DELETE" {
		if carries && !query.Has("token") {
			query.Set("token", c.token)
		}
	} else if b.body == nil {
		if carries {
			body = fields{"token": c.token}.with(body)
		}
		b.body = encode(g.w.t, body)
	}
	b.target = path
	if len(query) > 0 {
		b.target += "?" + query.Encode()
	}
	g.sign(c, b)
}

func (g *generator) sign(c *client, b *badRequest) {
	b.header.Set("X-Identity", c.signer.Identity())
	b.header.Set("X-Signature", c.signer.Sign(publicURL+b.target, b.body))
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (g *generator) hugeQuery(r *rand.Rand, rt *route, b *badRequest) {
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{"x": {strings.Repeat(pick(r, "a", "%", "é"), 8<<10+r.IntN(9000))}}, g.goodBody(rt))
}

func (g *generator) brokenQuery(r *rand.Rand, rt *route, b *badRequest) {
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{}, g.goodBody(rt))
	sep := "?"
	if strings.Contains(b.target, "?") {
		sep = "&"
	}
	b.target += sep + "x" + strconv.Itoa(r.IntN(1000)) + pick(r, "=%zz", "=%", "=%f", "=%ff%fe", "=%00", "=a;b=c", "=%c3%28", "=%ed%a0%80")
	g.sign(g.caller(rt), b)
}

func (g *generator) badPath(r *rand.Rand, rt *route, b *badRequest) {
	path := g.path(rt, g.mine(rt))
	switch {
	case strings.Contains(rt.pattern, "{"):
		i := strings.LastIndexByte(path, '/')
		path = path[:i+1] + pick(r, "%00", "%ff", strings.Repeat("x", 257+r.IntN(3000)), "%c3%28", "a%00b", "a%2fb%ff")
	default:
		path += pick(r, "/x/y/z/", "//", "/%2e%2e/x/y", "%00", "x", "/"+strings.Repeat("y/", r.IntN(40)+4), ".json")
	}
	g.finish(rt, b, path, url.Values{}, g.goodBody(rt))
}

func (g *generator) hugeBody(r *rand.Rand, rt *route, b *badRequest) {
	size := MaxBody + 1 + r.IntN(3)*1000
	b.body = []byte(`{"token":"` + g.caller(rt).token + `","pad":"` + strings.Repeat("x", size) + `"}`)[:size]
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{}, nil)
}

func (g *generator) badSession(r *rand.Rand, rt *route, b *badRequest) {
	if rt.noSession {
		g.hugeBody(r, rt, b)
		return
	}
	s := fields{"sessionId": pick(r, "x", strings.Repeat("s", r.IntN(300)+1), "ü", "1"), "requestNumber": pick(r, "1", "0", "-1", "99999999999999999999", "1.5", "x", "1e400", "")}
	query, body := url.Values{}, g.goodBody(rt).with(s)
	if rt.method == "GET" || rt.method == "DELETE" || r.IntN(3) == 0 {
		for k, v := range s {
			query.Set(k, v.(string))
		}
		body = g.goodBody(rt)
	}
	g.finish(rt, b, g.path(rt, g.mine(rt)), query, body)
}

func (g *generator) brokenJSON(r *rand.Rand, rt *route, b *badRequest) {
	good := string(encode(g.w.t, g.goodBody(rt).with(fields{"token": g.caller(rt).token})))
	inside := good[:len(good)-1] + `,"x":`
	deep := strings.Repeat("[", 32) + strings.Repeat("]", 32)
	b.body = []byte(pick(r,
		good[:r.IntN(len(good)-1)+1], good+pick(r, "x", "{}", "[]", " 1", "\x00", good), "["+good+"]", `"`+"x"+`"`, "null", "true", "17",
		good[:len(good)-1]+`,"token":"`+g.caller(rt).token+`"}`, inside+"\"\xff\xfe\"}", inside+`"\u0000"}`, inside+`"\x"}`, inside+"\"a\nb\"}",
		inside+deep+"}", inside+strings.Repeat("[", 5000)+"}", inside+strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 41), inside+"NaN}", inside+"01}", inside+"+1}", inside+".5}",
		inside+"[1,]}", inside+"1,}", inside+`"a" "b"}`, "\xef\xbb\xbf"+good, "\xff"+good, inside+"["+strings.Repeat("1,", fieldsAbove(rt))+"1]}", good+"//", "/**/"+good, inside+"'a'}"))
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{}, nil)
}

func (g *generator) badNumber(r *rand.Rand, rt *route, b *badRequest) {
	good := string(encode(g.w.t, g.goodBody(rt).with(fields{"token": g.caller(rt).token})))
	b.body = []byte(good[:len(good)-1] + `,"` + pick(r, "amount", "x", "a.b", "pad") + `":` + pick(r, "", "[", `{"deep":`) +
		pick(r, "1e999999999", "-1e999999999", "1e-999999999", "1e19", "1E+19", "1e-19", strings.Repeat("9", 33), "0."+strings.Repeat("1", 32), "1e"+strings.Repeat("9", 400)))
	// Whatever was opened is closed again: only the number is wrong.
	switch {
	case bytes.Contains(b.body, []byte(`":[`)):
		b.body = append(b.body, ']')
	case bytes.Contains(b.body, []byte(`{"deep":`)):
		b.body = append(b.body, '}')
	}
	b.body = append(b.body, '}')
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{}, nil)
}

func (g *generator) unknownToken(r *rand.Rand, rt *route, b *badRequest) {
	token := pick(r, "x", strings.Repeat("1", 44), "ü€", strings.Repeat("z", 5000), g.own[invoiceFamily]["token"].(string)+"1", g.foreign[invoiceFamily]["token"].(string), " ", "null", "' OR 1=1 --")
	if own, ok := g.foreign[familyOf(rt)]["token"].(string); ok && r.IntN(4) == 0 {
		token = own
	}
	query, body := url.Values{}, g.goodBody(rt).with(fields{"token": token})
	if rt.method == "GET" || rt.method == "DELETE" {
		query.Set("token", token)
	}
	path := g.path(rt, g.mine(rt))
	if rt.pathToken {
		path = strings.Replace(path, g.w.merchant.token, url.PathEscape(token), 1)
	}
	g.finish(rt, b, path, query, body)
}

func (g *generator) mutatedSignature(r *rand.Rand, rt *route, b *badRequest) {
	if rt.unsigned { // nothing to spoil: it needs none
		g.unknownToken(r, rt, b)
		return
	}
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{}, g.goodBody(rt))
	sig := []byte(b.header.Get("X-Signature"))
	switch r.IntN(7) {
	case 0:
		i := 10 + r.IntN(len(sig)-10)
		sig[i] = "0123456789abcdef"[(strings.IndexByte("0123456789abcdef", sig[i])+1+r.IntN(15))%16]
	case 1:
		sig = sig[:r.IntN(len(sig))]
	case 2:
		sig = append(sig, '0', '0')
	case 3:
		b.header.Del("X-Signature")
	case 4:
		b.header.Set("X-Identity", pick(r, "", "02", strings.Repeat("f", 66), "zz"+b.header.Get("X-Identity")[2:], g.w.rival.signer.Identity()))
	case 5:
		g.sign(g.w.rival, b) // a good signature of somebody else
		sig = []byte(b.header.Get("X-Signature"))
	case 6:
		b.body = append(bytes.Clone(b.body), ' ') // one byte that was not signed
	}
	if b.header.Get("X-Signature") != "" {
		b.header.Set("X-Signature", string(sig))
	}
}

func (g *generator) foreignID(r *rand.Rand, rt *route, b *badRequest) {
	res := maps.Clone(g.foreign[familyOf(rt)])
	switch r.IntN(3) {
	case 0:
		res["id"], res["guid"] = randomText(r, 22), randomText(r, 36)
	case 1:
		res["id"] = url.PathEscape(pick(r, "x' OR '1'='1", "%", "*", "..;", "🧾", randomText(r, 200)))
		res["guid"] = url.PathEscape(pick(r, "x'--", "%", "_"))
	}
	g.finish(rt, b, g.path(rt, res), url.Values{}, goodBody(rt, res))
}

func randomText(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[r.IntN(58)]
	}
	return string(b)
}

func (g *generator) badFilter(r *rand.Rand, rt *route, b *badRequest) {
	query, all := goodQuery(rt, g.mine(rt)), entryOf(rt).filter
	name := pick(r, sortedKeys(all)...)
	query.Set(name, pick(r, all[name]...))
	g.finish(rt, b, g.path(rt, g.mine(rt)), query, g.goodBody(rt))
}

func (g *generator) badField(r *rand.Rand, rt *route, b *badRequest) {
	all := entryOf(rt).bad
	name := pick(r, sortedKeys(all)...)
	body := g.goodBody(rt).with(fields{name: pick(r, all[name]...)})
	if rt.pattern == "/tokens" && name != "id" {
		body["id"] = g.w.merchant.sin()
	}
	g.finish(rt, b, g.path(rt, g.mine(rt)), url.Values{}, body)
}

// fieldsAbove is how many fields are more than a route's body may have, in no more
// bytes than it may have.
func fieldsAbove(rt *route) int {
	if rt.bulk {
		return 20_500
	}
	return 2100
}
