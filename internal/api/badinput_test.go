package api

import (
	"bytes"
	"fmt"
	"io"
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
	inv     map[string]any // the shop's
	foreign map[string]any // the rival's
	routes  []*route
}

func newGenerator(w *world) *generator {
	g := &generator{w: w, inv: w.merchant.create(sensible), foreign: w.rival.create(sensible)}
	for i := range table {
		g.routes = append(g.routes, &table[i])
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
	if strings.Contains(rt.pattern, "{id}") || strings.Contains(rt.pattern, "{guid}") {
		list = append(list, kind{"foreign id", g.foreignID})
	}
	if badFields[rt.method+" "+rt.pattern] != nil {
		for range 4 {
			list = append(list, kind{"bad field", g.badField})
		}
	}
	if rt.pattern == "/invoices" && rt.method == "GET" {
		list = append(list, kind{"bad filter", g.badFilter}, kind{"bad filter", g.badFilter})
	}
	return list
}

func (g *generator) path(rt *route, inv map[string]any) string {
	return strings.NewReplacer("{id}", id(inv), "{guid}", inv["guid"].(string), "{token}", g.w.merchant.token,
		"{sin}", g.w.merchant.sin(), "{base}", "BTC", "{quote}", "USD").Replace(rt.pattern)
}

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
	g.finish(rt, b, g.path(rt, g.inv), url.Values{"x": {strings.Repeat(pick(r, "a", "%", "é"), 8<<10+r.IntN(9000))}}, goodBody(rt))
}

func (g *generator) brokenQuery(r *rand.Rand, rt *route, b *badRequest) {
	g.finish(rt, b, g.path(rt, g.inv), url.Values{}, goodBody(rt))
	sep := "?"
	if strings.Contains(b.target, "?") {
		sep = "&"
	}
	b.target += sep + "x" + strconv.Itoa(r.IntN(1000)) + pick(r, "=%zz", "=%", "=%f", "=%ff%fe", "=%00", "=a;b=c", "=%c3%28", "=%ed%a0%80")
	g.sign(g.caller(rt), b)
}

func (g *generator) badPath(r *rand.Rand, rt *route, b *badRequest) {
	path := g.path(rt, g.inv)
	switch {
	case strings.Contains(rt.pattern, "{"):
		i := strings.LastIndexByte(path, '/')
		path = path[:i+1] + pick(r, "%00", "%ff", strings.Repeat("x", 257+r.IntN(3000)), "%c3%28", "a%00b", "a%2fb%ff")
	default:
		path += pick(r, "/x/y/z/", "//", "/%2e%2e/x/y", "%00", "x", "/"+strings.Repeat("y/", r.IntN(40)+4), ".json")
	}
	g.finish(rt, b, path, url.Values{}, goodBody(rt))
}

func (g *generator) hugeBody(r *rand.Rand, rt *route, b *badRequest) {
	size := MaxBody + 1 + r.IntN(3)*1000
	b.body = []byte(`{"token":"` + g.caller(rt).token + `","pad":"` + strings.Repeat("x", size) + `"}`)[:size]
	g.finish(rt, b, g.path(rt, g.inv), url.Values{}, nil)
}

func (g *generator) badSession(r *rand.Rand, rt *route, b *badRequest) {
	if rt.noSession {
		g.hugeBody(r, rt, b)
		return
	}
	s := fields{"sessionId": pick(r, "x", strings.Repeat("s", r.IntN(300)+1), "ü", "1"), "requestNumber": pick(r, "1", "0", "-1", "99999999999999999999", "1.5", "x", "1e400", "")}
	query, body := url.Values{}, goodBody(rt).with(s)
	if rt.method == "GET" || rt.method == "DELETE" || r.IntN(3) == 0 {
		for k, v := range s {
			query.Set(k, v.(string))
		}
		body = goodBody(rt)
	}
	g.finish(rt, b, g.path(rt, g.inv), query, body)
}

func (g *generator) brokenJSON(r *rand.Rand, rt *route, b *badRequest) {
	good := string(encode(g.w.t, goodBody(rt).with(fields{"token": g.caller(rt).token})))
	inside := good[:len(good)-1] + `,"x":`
	deep := strings.Repeat("[", 32) + strings.Repeat("]", 32)
	b.body = []byte(pick(r,
		good[:r.IntN(len(good)-1)+1], good+pick(r, "x", "{}", "[]", " 1", "\x00", good), "["+good+"]", `"`+"x"+`"`, "null", "true", "17",
		good[:len(good)-1]+`,"token":"`+g.caller(rt).token+`"}`, inside+"\"\xff\xfe\"}", inside+`"\u0000"}`, inside+`"\x"}`, inside+"\"a\nb\"}",
		inside+deep+"}", inside+strings.Repeat("[", 5000)+"}", inside+strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 41), inside+"NaN}", inside+"01}", inside+"+1}", inside+".5}",
		inside+"[1,]}", inside+"1,}", inside+`"a" "b"}`, "\xef\xbb\xbf"+good, "\xff"+good, inside+"["+strings.Repeat("1,", 2100)+"1]}", good+"//", "/**/"+good, inside+"'a'}"))
	g.finish(rt, b, g.path(rt, g.inv), url.Values{}, nil)
}

func (g *generator) badNumber(r *rand.Rand, rt *route, b *badRequest) {
	good := string(encode(g.w.t, goodBody(rt).with(fields{"token": g.caller(rt).token})))
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
	g.finish(rt, b, g.path(rt, g.inv), url.Values{}, nil)
}

func (g *generator) unknownToken(r *rand.Rand, rt *route, b *badRequest) {
	token := pick(r, "x", strings.Repeat("1", 44), "ü€", strings.Repeat("z", 5000), g.inv["token"].(string)+"1", g.foreign["token"].(string), " ", "null", "' OR 1=1 --")
	query, body := url.Values{}, goodBody(rt).with(fields{"token": token})
	if rt.method == "GET" || rt.method == "DELETE" {
		query.Set("token", token)
	}
	path := g.path(rt, g.inv)
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
	g.finish(rt, b, g.path(rt, g.inv), url.Values{}, goodBody(rt))
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
	inv := map[string]any{"id": id(g.foreign), "guid": g.foreign["guid"]}
	switch r.IntN(3) {
	case 0:
		inv = map[string]any{"id": randomText(r, 22), "guid": randomText(r, 36)}
	case 1:
		inv = map[string]any{"id": url.PathEscape(pick(r, "x' OR '1'='1", "%", "*", "..;", "🧾", randomText(r, 200))), "guid": url.PathEscape(pick(r, "x'--", "%", "_"))}
	}
	g.finish(rt, b, g.path(rt, inv), url.Values{}, goodBody(rt))
}

func randomText(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[r.IntN(58)]
	}
	return string(b)
}

func (g *generator) badFilter(r *rand.Rand, rt *route, b *badRequest) {
	query := url.Values{"dateStart": {"2026-01-01"}, "dateEnd": {"2026-12-31"}}
	name := pick(r, "dateStart", "dateEnd", "status", "limit", "offset")
	query.Set(name, map[string][]string{
		"dateStart": {"", "2026-13-01", "yesterday", "2026-02-30", "0001-01-01", "99999-01-01", "2026-01-01T25:00:00Z", "1767225600000", "31/12/2026", "2027-01-01", strings.Repeat("2", 900)},
		"dateEnd":   {"", "2025-12-31", "20260230", "13/13/2026", "-1", "2026-01-01T", "null"},
		"status":    {"lost", "new,paid", "*", "0", "'"},
		"limit":     {"-1", "0", "ten", "1.5", "1e999999999", "99999999999999999999", "0x10", "NaN", " 5"},
		"offset":    {"-1", "-9223372036854775808", "1e40", "x", "1.5", "99999999999999"},
	}[name][r.IntN(5)])
	g.finish(rt, b, "/invoices", query, nil)
}

var (
	notText   = []any{true, fields{}, fields{"a": 1}, []any{}, []any{"x"}}
	notFlag   = []any{"maybe", 2, fields{}, []any{true}, "nil", -1}
	notNumber = []any{"ten", true, fields{}, []any{1}, "0x10", "1,5", "NaN", "1e999999999", strings.Repeat("9", 33), "--1", "+1"}
	notObject = []any{true, 5, "text", []any{1}}
	badURL    = []any{"shop", "ftp://shop.example/x", "http://", "https://user:pw@shop.example/", "javascript:alert(1)", "https://" + strings.Repeat("x", 2100), "//shop.example", "http://[::1"}
)

func either(lists ...[]any) (out []any) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func long(n int) []any { return []any{strings.Repeat("x", n+1), strings.Repeat("é", n)} }

// badFields holds, per route, values that a field cannot have.
var badFields = map[string]map[string][]any{
	"POST /invoices": {
		"price":    either(notNumber, []any{0, -1, "-0.01", "0.001", 1e30, nil, ""}),
		"currency": either(notText, []any{"XXY", "US", "DOLLARS", nil, "", 5, "U\u0000D"}),
		"guid":     either(notText, long(128)), "orderId": either(notText, long(1024)), "itemDesc": either(notText, long(1024)), "itemCode": either(notText, long(1024)),
		"posData": either(notText, long(4096)), "merchantName": either(notText, long(1024)),
		"notificationURL": either(notText, badURL), "redirectURL": either(notText, badURL), "closeURL": either(notText, badURL),
		"notificationEmail": either(notText, []any{"a", "a@b", "a b@c.de", "@x.de", "Name <a@b.de>"}), "buyerEmail": either(notText, []any{"a", "a@b", "a@b.de,c@d.de"}),
		"buyerSms": either(notText, []any{"123", "+0123456789", "+12", "+1222333444455566", "phone"}), "transactionSpeed": either(notText, []any{"fast", "highest", 1}),
		"autoRedirect": notFlag, "fullNotifications": notFlag, "extendedNotifications": notFlag, "physical": notFlag, "bitpayIdRequired": notFlag, "jsonPayProRequired": notFlag,
		"acceptanceWindow":                       either(notNumber, []any{-1, 1, 999, 60_000.5, "1e18.5"}),
		"paymentCurrencies":                      []any{5, true, fields{}, []any{1}, []any{"XXY"}, []any{"ETH"}, []any{fields{}}, "LTC"},
		"buyer":                                  either(notObject, []any{fields{"name": fields{}}, fields{"email": "nobody"}, fields{"notify": "perhaps"}, fields{"phone": []any{1}}, fields{"country": strings.Repeat("x", 1025)}}),
		"itemizedDetails":                        []any{5, true, fields{}, []any{1}, []any{"x"}, []any{fields{"amount": "ten"}}, []any{fields{"description": fields{}}}, []any{fields{"isFee": "maybe"}}, []any{fields{"amount": 1, "description": strings.Repeat("x", 1025)}}},
		"forcedBuyerSelectedTransactionCurrency": either(notText, []any{"ETH", "XXY"}), "selectedTransactionCurrency": either(notText, []any{"DOGE"}), "forcedBuyerSelectedWallet": either(notText, long(128)),
	},
	"PUT /invoices/{id}": {
		"buyerEmail": either(notText, []any{"a", "a@b", "x y@z.de", "secret@buyer.example "}), "buyerSms": either(notText, []any{"123", "tel:+1222", "", nil}),
		"smsCode": notText, "autoVerify": notFlag,
	},
	"PUT /invoices/pay/{id}": {"status": either(notText, []any{"new", "expired", "paidish", 1}), "complete": notFlag},
	"POST /tokens": {
		"id":     either(notText, []any{"", nil, "T", "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jz", strings.Repeat("T", 35), strings.Repeat("1", 5000)}),
		"facade": either(notText, []any{"admin", "MERCHANT", "public", "merchant/invoice"}), "pairingCode": either(notText, []any{"short", "toolong8", "ÄÖÜäöüß", "AAAAAA!", "AAAAAAA"}),
		"label": either(notText, []any{strings.Repeat("x", 61), "a\nb", "\u007f"}), "guid": either(notText, long(128)),
	},
	"POST /tokens/{token}/sins": {"sin": either(notText, []any{"", nil, "T", "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jz"})},
}

func (g *generator) badField(r *rand.Rand, rt *route, b *badRequest) {
	all := badFields[rt.method+" "+rt.pattern]
	names := sortedKeys(all)
	name := names[r.IntN(len(names))]
	body := goodBody(rt).with(fields{name: pick(r, all[name]...)})
	if rt.pattern == "/tokens" && name != "id" {
		body["id"] = g.w.merchant.sin()
	}
	g.finish(rt, b, g.path(rt, g.inv), url.Values{}, body)
}
