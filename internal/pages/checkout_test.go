package pages

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
)

func TestEachPhaseIsShownInPlainWords(t *testing.T) {
	words := map[phase][]string{
		open:           {"Waiting for your payment", "0.000400 BTC"},
		partial:        {"0.000300 BTC is still missing", "0.000100 BTC has arrived", "amount=0.0003"},
		closing:        {"checking whether a payment was made"},
		paid:           {"Payment received", "0 of 1 confirmations"},
		confirmed:      {"Payment confirmed", "2 of 6 confirmations"},
		complete:       {"Payment complete"},
		expired:        {"No payment arrived"},
		expiredPartial: {"0.000100 BTC of 0.000400 BTC arrived", "the shop can see it"},
		late:           {"Your payment came after the time was over", "0.000400 BTC arrived"},
		invalid:        {"could not be confirmed"},
		cancelled:      {"The shop has cancelled", "do not send anything"},
		declined:       {"0.000400 BTC had arrived"},
	}
	for _, l := range lives {
		t.Run(string(l.phase), func(t *testing.T) {
			w := newWorld(t)
			inv := w.order()
			l.live(w, inv)
			page := w.get("/invoice?id=" + inv.ID)
			body := html.UnescapeString(page.Body.String())
			if page.Code != http.StatusOK || !strings.Contains(body, `data-state="`+string(l.phase)+`"`) {
				t.Fatalf("status %d, page:\n%s", page.Code, body)
			}
			for _, want := range words[l.phase] {
				if !strings.Contains(body, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			shows := strings.Contains(body, inv.Terms.Options[0].Address)
			if payable := l.phase == open || l.phase == partial; shows != payable {
				t.Errorf("address shown: %v, want %v", shows, payable)
			}
		})
	}
}

func TestTooMuchIsSaid(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	w.pay(inv, due(inv)+5000)
	body := w.get("/invoice?id=" + inv.ID).Body.String()
	if !strings.Contains(body, "You sent 0.000050 BTC more than was asked") {
		t.Errorf("overpayment is not explained:\n%s", body)
	}
}

// All that is needed to pay is in the page itself, without any script.
func TestThePageWorksWithoutScript(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	body := html.UnescapeString(w.get("/invoice?id=" + inv.ID).Body.String())
	addr := inv.Terms.Options[0].Address
	for _, want := range []string{
		`data-testid="address"`, `>` + addr + `</span>`, `data-qr="bitcoin:` + addr + `?amount=0.0004"`,
		`href="bitcoin:` + addr + `?amount=0.0004&label=Caf%C3%A9%20Gr%C3%B6%C3%9Fenwahn"`,
		`<path d="M4 4h7v1h-7z`, `<noscript><meta http-equiv="refresh" content="15"></noscript>`,
		"Please pay before 12:15 UTC", "1 BTC = 50\u202f000 USD", "20.00 USD",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestTheBuyerChoosesTheCurrency(t *testing.T) {
	w := newWorld(t)
	inv := w.order(func(o *invoice.Order) { o.PaymentCurrencies = nil })
	if body := w.get("/invoice?id=" + inv.ID).Body.String(); !strings.Contains(body, `value="LTC" aria-pressed="false"`) {
		t.Fatalf("no choice is offered:\n%s", body)
	}
	sent := w.do("POST", "/invoice/currency", form("id", inv.ID, "currency", "LTC", "lang", "de"))
	if sent.Code != http.StatusSeeOther || sent.Header().Get("Location") != "/invoice?id="+inv.ID+"&lang=de" {
		t.Fatalf("answered %d to %s", sent.Code, sent.Header().Get("Location"))
	}
	body := w.get("/invoice?id=" + inv.ID).Body.String()
	if o, _ := inv.Option("LTC"); !strings.Contains(body, o.Address) || !strings.Contains(body, "0.250000 LTC") {
		t.Errorf("the page does not ask for litecoin:\n%s", body)
	}
	if wrong := w.do("POST", "/invoice/currency", form("id", inv.ID, "currency", "DOGE")); wrong.Code != http.StatusBadRequest {
		t.Errorf("a currency that is not offered: %d", wrong.Code)
	}
}

// An address that somebody changed in the database is never shown (threat A8).
func TestATamperedAddressIsNotShown(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	w.tamper(inv.ID, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
	for _, target := range []string{"/invoice?id=" + inv.ID, "/invoiceData/" + inv.ID + "?poll=false"} {
		page := w.get(target)
		if page.Code != http.StatusInternalServerError || strings.Contains(page.Body.String(), "bcrt1") || strings.Contains(page.Body.String(), "bitcoin:") {
			t.Errorf("%s answered %d:\n%s", target, page.Code, page.Body)
		}
	}
}

func TestSandboxButtonsPay(t *testing.T) {
	for _, c := range []struct {
		steps []string
		want  phase
	}{
		{[]string{"exact"}, paid},
		{[]string{"partial"}, partial},
		{[]string{"partial", "exact"}, paid},
		{[]string{"over"}, paid},
		{[]string{"exact", "mine"}, confirmed},
	} {
		w := newWorld(t)
		inv := w.order()
		for _, what := range c.steps {
			sent := w.do("POST", "/invoice/pay", form("id", inv.ID, "what", what), "Accept", "application/json")
			if sent.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", what, sent.Code, sent.Body)
			}
		}
		if state := w.get("/invoice/state?id=" + inv.ID).Body.String(); !strings.Contains(state, `"phase":"`+string(c.want)+`"`) {
			t.Errorf("after %v: %s", c.steps, state)
		}
	}
	w := newWorld(t)
	inv := w.order()
	if sent := w.do("POST", "/invoice/pay", form("id", inv.ID, "what", "all of it")); sent.Code != http.StatusBadRequest {
		t.Errorf("an unknown step answered %d", sent.Code)
	}
}

func TestOnlyTheSandboxHasButtons(t *testing.T) {
	w := newWorld(t, func(_ *app.Config, c *Config) { c.Sandbox = false })
	inv := w.order()
	if body := w.get("/invoice?id=" + inv.ID).Body.String(); strings.Contains(body, "pay-button") || !strings.Contains(body, "Test network") {
		t.Error("a live server offers play money, or does not say that it is a test network")
	}
	if sent := w.do("POST", "/invoice/pay", form("id", inv.ID, "what", "exact")); sent.Code == http.StatusSeeOther || sent.Code == http.StatusOK {
		t.Errorf("POST /invoice/pay answered %d", sent.Code)
	}
	if mails := w.get("/sandbox/mails"); mails.Code != http.StatusNotFound {
		t.Errorf("GET /sandbox/mails answered %d", mails.Code)
	}
}

func TestTheBuyerLeavesAnAddress(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	if bad := w.do("POST", "/invoice/email", form("id", inv.ID, "email", "nobody")); bad.Code != http.StatusBadRequest {
		t.Errorf("a bad address answered %d", bad.Code)
	}
	if sent := w.do("POST", "/invoice/email", form("id", inv.ID, "email", "ada@example.com")); sent.Code != http.StatusSeeOther {
		t.Fatalf("answered %d: %s", sent.Code, sent.Body)
	}
	now, err := w.app.Invoice(context.Background(), inv.ID)
	if err != nil || now.State.Email != "ada@example.com" {
		t.Errorf("stored %q, %v", now.State.Email, err)
	}
	if body := w.get("/invoice?id=" + inv.ID).Body.String(); strings.Contains(body, "ada@example.com") || !strings.Contains(body, "can reach you") {
		t.Error("the page shows the address, or does not say that it is known")
	}
}

func TestTheWayBack(t *testing.T) {
	for _, c := range []struct {
		name             string
		redirect, closed string
		pay, auto        bool
		want, not        string
	}{
		{"a payer who gives up", "https://shop.example/ok", "https://shop.example/cart", false, false, `href="https://shop.example/cart"`, "shop.example/ok"},
		{"a payer who has paid", "https://shop.example/ok", "https://shop.example/cart", true, false, `href="https://shop.example/ok"`, "data-auto"},
		{"taken back at once", "https://shop.example/ok", "", true, true, "data-auto", ""},
		{"nothing to go back to", "", "", true, false, "Payment received", "back-link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			inv := w.order(func(o *invoice.Order) { o.RedirectURL, o.CloseURL, o.AutoRedirect = c.redirect, c.closed, c.auto })
			if c.pay {
				w.pay(inv, due(inv))
			}
			body := w.get("/invoice?id=" + inv.ID).Body.String()
			if !strings.Contains(body, c.want) || c.not != "" && strings.Contains(body, c.not) {
				t.Errorf("want %q and not %q in\n%s", c.want, c.not, body)
			}
		})
	}
}

func TestOnlyWebAddressesAreLinked(t *testing.T) {
	for in, want := range map[string]string{
		"https://shop.example/a?b=c": "https://shop.example/a?b=c", "http://10.0.0.2/x": "http://10.0.0.2/x",
		"javascript:alert(1)": "", "JaVaScRiPt://x/%0aalert(1)": "", "data:text/html,x": "", "//evil.example": "", "/relative": "",
		"https://user:pw@shop.example/": "", "mailto:a@b.example": "", "https:evil": "", "": "",
	} {
		if got := webLink(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
	for _, uri := range []string{"javascript:alert(1)", "data:text/html;x", "https://x.example/", "bitcoin:a b", `bitcoin:"x"`, "bitcoin", ""} {
		if walletLink(uri) != "" {
			t.Errorf("%q is taken for a payment request", uri)
		}
	}
}

func TestAVeryLongNameDoesNotSpoilTheCode(t *testing.T) {
	w := newWorld(t)
	inv := w.order(func(o *invoice.Order) { o.MerchantName = strings.Repeat("ß", 512) })
	if page := w.get("/invoice?id=" + inv.ID); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `viewBox="0 0 45 45"`) {
		t.Errorf("answered %d", page.Code)
	}
}

func TestShortLinkLeadsToTheInvoice(t *testing.T) {
	w := newWorld(t)
	page := w.get("/i/Hpqc63wvE1ZjzeeH4kEycF")
	if page.Code != http.StatusFound || page.Header().Get("Location") != "/invoice?id=Hpqc63wvE1ZjzeeH4kEycF" {
		t.Errorf("answered %d to %s", page.Code, page.Header().Get("Location"))
	}
}

func TestAnUnknownInvoice(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/invoice", "/invoice?id=nope", "/invoice?id=%00", "/invoice/state?id=nope", "/invoice/live?id=nope", "/invoiceData/nope"} {
		if page := w.get(target); page.Code != http.StatusNotFound {
			t.Errorf("%s answered %d: %s", target, page.Code, page.Body)
		}
	}
}

func TestWithoutAMempoolThePageSaysSo(t *testing.T) {
	w := newWorld(t, func(c *app.Config, _ *Config) { c.Assets[0].Unconfirmed = false })
	inv := w.order()
	if body := w.get("/invoice?id=" + inv.ID).Body.String(); !strings.Contains(body, "once they are in a block") {
		t.Error("nothing is said about blocks")
	}
}

// tamper changes the address in the stored row, as somebody with the database
// could.
func (w *world) tamper(id, addr string) {
	w.t.Helper()
	w.alter(id, func(inv *invoice.Invoice) { inv.Terms.Options[0].Address = addr })
	now, err := w.app.Invoice(context.Background(), id)
	if err != nil || now.Terms.Options[0].Address != addr {
		w.t.Fatalf("the row was not changed: %v", err)
	}
}

var hashedName = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

func TestAssetsAreNamedAfterTheirContent(t *testing.T) {
	w := newWorld(t)
	body := w.get("/invoice?id=" + w.order().ID).Body.String()
	found := hashedName.FindAllStringSubmatch(body, -1)
	if len(found) != 3 {
		t.Fatalf("found %d assets in the page, want sheet, script and icon", len(found))
	}
	for _, m := range found {
		got := w.get(m[1])
		if got.Code != http.StatusOK || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %q", m[1], got.Code, got.Header().Get("Cache-Control"))
		}
	}
	if got := w.get("/static/style.css"); got.Code != http.StatusNotFound {
		t.Errorf("a name without hash answered %d", got.Code)
	}
}

func TestLimiterLetsThroughAgain(t *testing.T) {
	l := newLimiter(3, time.Second)
	now := epoch
	for range 3 {
		if l.wait("a", now) != 0 {
			t.Fatal("refused too early")
		}
		l.failed("a", now)
	}
	if got := l.wait("a", now); got != time.Second {
		t.Errorf("has to wait %v, want 1s", got)
	}
	if l.wait("b", now) != 0 {
		t.Error("another address waits too")
	}
	if l.wait("a", now.Add(time.Second)) != 0 {
		t.Error("still refused when the first try came back")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(1, time.Second)
	for i := range maxAddresses {
		l.failed(strings.Repeat("x", i%7)+string(rune('a'+i%26))+time.Duration(i).String(), epoch)
	}
	if l.wait("new", epoch) == 0 {
		t.Error("a full limiter lets strangers through")
	}
	if l.wait("new", epoch.Add(time.Hour)) != 0 || len(l.debt) > 0 {
		t.Errorf("%d addresses are kept after their time", len(l.debt))
	}
}
