package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors "

func TestEveryPageHasTheStrictHeaders(t *testing.T) {
	w := newWorld(t)
	id := w.order().ID
	for _, target := range []string{
		"/", "/invoice?id=" + id, "/invoice?id=nope", "/invoice?id=nope&view=modal", "/api-access-request", "/api-access-request?pairingCode=abcdefg",
		"/dashboard/merchant/api-tokens", "/sandbox/mails", "/refund?id=x&code=y", "/settlement-address?merchant=x&code=y", "/bill?id=nope", "/invoice/state?id=" + id, "/invoiceData/" + id, "/invoiceData/selectableWallets",
	} {
		page := w.get(target)
		h := page.Header()
		if got := h.Get("Content-Security-Policy"); got != policy+"'none'" {
			t.Errorf("%s: policy %q", target, got)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", target, name, h.Get(name))
			}
		}
		if len(h.Values("Set-Cookie")) > 0 {
			t.Errorf("%s sets a cookie", target)
		}
		for name, values := range h {
			if len(values) > 1 {
				t.Errorf("%s: %s is sent %d times", target, name, len(values))
			}
		}
	}
}

func TestOnlyTheModalCheckoutMayBeFramed(t *testing.T) {
	w := newWorld(t)
	h := w.get("/invoice?view=modal&id=" + w.order().ID).Header()
	if h.Get("Content-Security-Policy") != policy+"https: http:" || h.Get("X-Frame-Options") != "" {
		t.Errorf("policy %q, X-Frame-Options %q", h.Get("Content-Security-Policy"), h.Get("X-Frame-Options"))
	}
}

func TestTheShopsScriptMayBeLoadedFromAnywhere(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"/bitpay.js", "/bitpay.min.js"} {
		got := w.get(name)
		if got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/javascript") || got.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %d %v", name, got.Code, got.Header())
		}
		for _, f := range []string{"showInvoice", "hideFrame", "enableTestMode", "setApiUrlPrefix", "onModalWillEnter", "onModalWillLeave"} {
			if !strings.Contains(got.Body.String(), f+":") {
				t.Errorf("%s does not define bitpay.%s", name, f)
			}
		}
	}
}

// No page of a buyer's holds what belongs to the merchant.
func TestNoSecretIsOnThePage(t *testing.T) {
	w := newWorld(t)
	inv := w.order(func(o *invoice.Order) {
		o.PosData, o.OrderID, o.NotificationURL, o.NotificationEmail = "pos-secret", "order-secret", "https://hook-secret.example/x", "mail-secret@shop.example"
		o.Buyer = &invoice.Buyer{Name: "buyer-secret", Address1: "street-secret", Email: "buyer-mail-secret@home.example", Phone: "phone-secret"}
	})
	for _, target := range []string{
		"/invoice?id=" + inv.ID, "/invoice?view=modal&id=" + inv.ID, "/invoice/state?id=" + inv.ID, "/invoiceData/" + inv.ID + "?poll=false",
	} {
		body := w.get(target).Body.String()
		for _, secret := range []string{"-secret", inv.Token, inv.APIToken, inv.GUID, w.merchant.ID, w.merchant.WebhookSecret, inv.Terms.Options[0].Wallet} {
			if strings.Contains(body, secret) {
				t.Errorf("%s holds %q", target, secret)
			}
		}
	}
}

// hostile are generated texts: each way out of a text, an attribute, an address
// or a script, with each thing one would do there.
func hostile() []string {
	exits := []string{"", `"`, `'`, `">`, `'>`, "</title>", "</p>", "</script>", "</style>", "</textarea>", "</noscript>", "-->", "]]>", "`", "\\\"", "\\x22>", "&quot;>", "&#34;>", "%22%3E", "\u2028", "\u202e", "{{", "+ADw-"}
	deeds := []string{
		"<script>alert(1)</script>", "<ScRiPt src=//evil.example/x.js>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", " onmouseover=alert(1) x=",
		` autofocus onfocus="alert(1)`, "<iframe srcdoc='<script>alert(1)</script>'>", "<a href=javascript:alert(1)>x</a>", "javascript:alert(1)", "<base href=//evil.example/>",
		"<meta http-equiv=refresh content=0;url=//evil.example>", "<link rel=stylesheet href=//evil.example/x.css>", "<style>*{background:url(//evil.example)}</style>",
		"<form action=//evil.example><input name=key>", ".Token}}{{.Price}}", "<details open ontoggle=alert(1)>", "<math><mtext><script>alert(1)</script>", "<object data=//evil.example>", "<b style=position:fixed>",
		"<!--", "<x y=z>", "&lt;script&gt;", "${alert(1)}",
	}
	var list []string
	for _, e := range exits {
		for _, d := range deeds {
			list = append(list, e+d)
		}
	}
	return list
}

// elements is everything our own templates write.
var elements = strings.Fields(`html head meta title link script noscript body p main section h1 h2 ul ol li span dl div dt dd svg circle rect path
	figure figcaption a form input button details summary label footer nav b code pre select option fieldset legend
	table tbody tr td th br textarea`)

// inspect parses a page as a browser does and reports what our templates never write.
func inspect(t *testing.T, page string) {
	t.Helper()
	doc, err := html.ParseWithOptions(strings.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("a comment: %q", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(elements, n.Data) {
			t.Errorf("an element that is not ours: <%s>", n.Data)
		}
		if n.Data == "script" && n.FirstChild != nil {
			t.Error("a script inside the page")
		}
		for _, a := range n.Attr {
			checkAttribute(t, n.Data, a)
		}
	}
}

func checkAttribute(t *testing.T, element string, a html.Attribute) {
	t.Helper()
	switch key := strings.ToLower(a.Key); {
	case strings.HasPrefix(key, "on"), key == "style", key == "srcdoc", key == "formaction", key == "ping":
		t.Errorf("<%s %s=%q>", element, a.Key, a.Val)
	case key == "src" || element == "link" && key == "href":
		if !strings.HasPrefix(a.Val, "/static/") {
			t.Errorf("<%s> loads %q", element, a.Val)
		}
	case key == "action":
		if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
			t.Errorf("a form goes to %q", a.Val)
		}
	case key == "href":
		u, err := url.Parse(a.Val)
		if err != nil || !slices.Contains([]string{"", "http", "https", "bitcoin"}, u.Scheme) || u.Scheme == "" && u.Host != "" {
			t.Errorf("a link leads to %q", a.Val)
		}
	case element == "meta" && key == "content" && strings.Contains(a.Val, "url"):
		t.Errorf("the page sends the browser to %q", a.Val)
	}
}

// Threat A8: whatever text a merchant, a client or a mail brings, the page
// holds it as text (xss-corpus).
func TestHostileTextsStayText(t *testing.T) {
	w := newWorld(t)
	corpus := hostile()
	if len(corpus) < 500 {
		t.Fatalf("%d texts, want at least 500", len(corpus))
	}
	inv := w.order()
	for i, s := range corpus {
		// The stored row is written past every check, as a hole elsewhere would.
		w.alter(inv.ID, func(inv *invoice.Invoice) {
			o := &inv.Terms.Order
			o.MerchantName, o.ItemDesc, o.ItemCode, o.OrderID, o.PosData = s, s, s, s, s
			o.Items = []invoice.Item{{Description: s, Amount: s}}
			o.RedirectURL, o.CloseURL = "https://shop.example/"+s, s
			if i%2 == 1 {
				o.RedirectURL, o.CloseURL = s, "https://shop.example/?x="+s
			}
			o.Buyer = &invoice.Buyer{Name: s, Email: s}
			inv.State.Email = s
			inv.Status = []invoice.Status{invoice.New, invoice.Complete, invoice.Invalid}[i%3]
			inv.Terms.Lock.Rates["BTC"]["USD"] = s
		})
		if page := w.get("/invoice?id=" + inv.ID); page.Code != http.StatusOK || !strings.Contains(html.UnescapeString(page.Body.String()), s) {
			t.Fatalf("text %d %q is not shown at all: %d", i, s, page.Code)
		}
		q := url.QueryEscape(s)
		inspect(t, w.get("/invoice?view=modal&id="+inv.ID+"&lang="+q).Body.String())
		// The texts are many: each goes to one of the other pages in turn.
		switch i % 4 {
		case 0:
			inspect(t, w.get("/invoice?view="+q+"&lang="+q+"&id="+q).Body.String())
		case 1:
			inspect(t, w.get("/api-access-request?pairingCode="+q).Body.String())
		case 2:
			inspect(t, w.do("POST", "/invoice/pay", form("id", inv.ID, "what", s, "lang", s, "view", s)).Body.String())
		case 3:
			inspect(t, w.do("POST", "/invoice/currency", form("id", inv.ID, "currency", s)).Body.String())
		}
		if t.Failed() {
			t.Fatalf("text %d: %q", i, s)
		}
	}
}

func TestHostileLabelsAndMailsStayText(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for i, s := range hostile() {
		if i%5 > 0 {
			continue
		}
		label := s[:min(len(s), 55)]
		inspect(t, w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key, "action", "pair", "facade", s, "label", label)).Body.String())
		tok, err := w.app.RequestToken(ctx, sin, "pos", strings.ToValidUTF8(strings.ReplaceAll(label, "\u2028", ""), ""), "")
		if err != nil {
			t.Fatal(err)
		}
		inspect(t, w.get("/api-access-request?pairingCode="+tok.Code).Body.String())
		mail := store.Mail{ID: fmt.Sprint(i), Sent: epoch, Recipient: s, Subject: s, Text: s, HTML: s}
		if err := w.store.Update(ctx, func(tx *store.Tx) error { return tx.AddMail(mail) }); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("text %d: %q", i, s)
		}
	}
	mails := w.get("/sandbox/mails").Body.String()
	inspect(t, mails)
	if !strings.Contains(mails, "&lt;img src=x onerror=alert(1)&gt;") {
		t.Error("the mails are not shown")
	}
}

// alter changes the stored row, terms included, as somebody with the database
// could.
func (w *world) alter(id string, change func(*invoice.Invoice)) {
	w.t.Helper()
	ctx := context.Background()
	var inv *invoice.Invoice
	err := w.store.View(ctx, func(tx *store.Tx) (err error) {
		inv, err = tx.Invoice(id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	change(inv)
	terms, err1 := json.Marshal(&inv.Terms)
	state, err2 := json.Marshal(&inv.State)
	_, err3 := w.raw.ExecContext(ctx, `UPDATE invoice SET status = ?, terms = ?, state = ? WHERE id = ?`, string(inv.Status), string(terms), string(state), id)
	if err := errors.Join(err1, err2, err3); err != nil {
		w.t.Fatal(err)
	}
}

// Threat A19: a form that another site makes the browser send changes nothing.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	inv := w.order(func(o *invoice.Order) { o.PaymentCurrencies = nil })
	tok, err := w.app.RequestToken(context.Background(), sin, "merchant", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for target, f := range map[string]url.Values{
		"/invoice/pay":                   form("id", inv.ID, "what", "exact"),
		"/invoice/currency":              form("id", inv.ID, "currency", "LTC"),
		"/invoice/email":                 form("id", inv.ID, "email", "evil@example.com"),
		"/invoice/refund":                form("id", inv.ID),
		"/refund":                        form("id", "x", "code", "y", "address", "z"),
		"/settlement-address":            form("merchant", w.merchant.ID, "code", "x"),
		"/api-access-request":            form("pairingCode", tok.Code, "key", w.key),
		"/dashboard/merchant/api-tokens": form("key", w.key, "action", "open"),
	} {
		for _, from := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			if got := w.do("POST", target, f, from...); got.Code != http.StatusForbidden {
				t.Errorf("POST %s with %v answered %d", target, from, got.Code)
			}
		}
	}
	now, err := w.app.Invoice(context.Background(), inv.ID)
	if err != nil || now.Version != inv.Version || now.State.Email != "" || len(now.Credits) > 0 {
		t.Errorf("the invoice changed: %+v, %v", now.State, err)
	}
	if list, _ := w.app.MerchantTokens(context.Background(), w.merchant.ID); len(list) != 1 {
		t.Errorf("the merchant has %d tokens", len(list))
	}
	for _, from := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://pay.example.com"}, {}} {
		if got := w.do("POST", "/invoice/currency", form("id", inv.ID, "currency", "LTC"), from...); got.Code != http.StatusSeeOther {
			t.Errorf("our own form with %v answered %d", from, got.Code)
		}
	}
}

func TestOverlongFormsAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/invoice/pay", "/invoice/email", "/invoice/refund", "/refund", "/bill/pay", "/recipient", "/settlement-address", "/api-access-request", "/dashboard/merchant/api-tokens", "/invoiceData/setBuyerProvidedEmail"} {
		got := w.do("POST", target, form("id", strings.Repeat("x", maxBody)))
		if got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("POST %s answered %d", target, got.Code)
		}
	}
}

func TestPeersOfOneNetworkAreOne(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:99": "2001:db8:1:2::/64", "[::ffff:192.0.2.7]:1": "::ffff:192.0.2.7", "@": "@",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		if got := peer(r); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}
