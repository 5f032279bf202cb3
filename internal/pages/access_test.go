package pages

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/merchant"
)

// sin is the identity of the test vector in the wire specification.
const sin = "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jy"

func TestAMerchantApprovesAClient(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	tok, err := w.app.RequestToken(ctx, sin, "merchant", "corner shop", "")
	if err != nil {
		t.Fatal(err)
	}
	page := w.get("/api-access-request?pairingCode=" + tok.Code)
	for _, want := range []string{tok.Code, sin, "corner shop", ">merchant</b>", "refund invoices", "Mon, 02 Mar 2026 12:00:00 UTC", `type="password"`} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.Body.String(), tok.Token) {
		t.Error("the page shows the token")
	}
	done := w.do("POST", "/api-access-request", form("pairingCode", tok.Code, "key", " "+w.key+"\n"))
	if done.Code != http.StatusOK || !strings.Contains(done.Body.String(), `data-testid="approved"`) {
		t.Fatalf("answered %d:\n%s", done.Code, done.Body)
	}
	if strings.Contains(done.Body.String(), w.key) || strings.Contains(done.Body.String(), tok.Token) {
		t.Error("the answer repeats the key or shows the token")
	}
	list, err := w.app.ActiveTokens(ctx, sin)
	if err != nil || len(list) != 1 || list[0].Merchant != w.merchant.ID || list[0].Facade != merchant.Full {
		t.Errorf("active tokens: %+v, %v", list, err)
	}
	again := w.do("POST", "/api-access-request", form("pairingCode", tok.Code, "key", w.key))
	if again.Code != http.StatusNotFound || !strings.Contains(again.Body.String(), "already used") {
		t.Errorf("the second approval answered %d", again.Code)
	}
}

func TestAWrongKeyApprovesNothing(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	tok, err := w.app.RequestToken(ctx, sin, "merchant", "", "")
	if err != nil {
		t.Fatal(err)
	}
	wrong := w.do("POST", "/api-access-request", form("pairingCode", tok.Code, "key", "qk_wrong"))
	if wrong.Code != http.StatusForbidden || !strings.Contains(wrong.Body.String(), "access key is not known") || !strings.Contains(wrong.Body.String(), sin) {
		t.Fatalf("answered %d:\n%s", wrong.Code, wrong.Body)
	}
	if none := w.do("POST", "/api-access-request", form("pairingCode", tok.Code)); none.Code != http.StatusBadRequest || !strings.Contains(none.Body.String(), "qk_") {
		t.Errorf("no key answered %d", none.Code)
	}
	// The key counts in the body only: an address ends up in logs.
	if inURL := w.do("POST", "/api-access-request?key="+w.key, form("pairingCode", tok.Code)); inURL.Code != http.StatusBadRequest {
		t.Errorf("a key in the address answered %d", inURL.Code)
	}
	if list, _ := w.app.ActiveTokens(ctx, sin); len(list) > 0 {
		t.Errorf("%d tokens are active", len(list))
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	tok, err := w.app.RequestToken(context.Background(), sin, "pos", "", "")
	if err != nil {
		t.Fatal(err)
	}
	f := form("pairingCode", tok.Code, "key", "qk_wrong")
	for i := range 10 {
		if got := w.do("POST", "/api-access-request", f); got.Code != http.StatusForbidden {
			t.Fatalf("try %d answered %d", i+1, got.Code)
		}
	}
	f.Set("key", w.key)
	slow := w.do("POST", "/api-access-request", f)
	if slow.Code != http.StatusTooManyRequests || slow.Header().Get("Retry-After") != "6" || !strings.Contains(slow.Body.String(), "Wait 6 seconds") {
		t.Fatalf("answered %d, Retry-After %q:\n%s", slow.Code, slow.Header().Get("Retry-After"), slow.Body)
	}
	if got := w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key)); got.Code != http.StatusTooManyRequests {
		t.Errorf("the other page answered %d", got.Code)
	}
	w.pass(6 * time.Second)
	if got := w.do("POST", "/api-access-request", f); got.Code != http.StatusOK {
		t.Errorf("after the wait it answered %d", got.Code)
	}
}

func TestCodesThatCannotBeApproved(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	offered, err := w.app.OfferToken(ctx, w.merchant.ID, merchant.POS, "", false)
	if err != nil {
		t.Fatal(err)
	}
	old, err := w.app.RequestToken(ctx, sin, "pos", "", "")
	if err != nil {
		t.Fatal(err)
	}
	w.pass(25 * time.Hour)
	for _, c := range []struct {
		name, code, says string
		status           int
	}{
		{"unknown", "abcdefg", "unknown or was already used", http.StatusNotFound},
		{"not a code", "../../etc", "7 letters or digits", http.StatusBadRequest},
		{"made by a merchant", offered.Code, "for a client to claim", http.StatusBadRequest},
		{"expired", old.Code, "Start the pairing in the client again", http.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, got := range []*http.Response{
				w.get("/api-access-request?pairingCode=" + c.code).Result(),
				w.do("POST", "/api-access-request", form("pairingCode", c.code, "key", w.key)).Result(),
			} {
				var b strings.Builder
				_ = got.Write(&b)
				if got.StatusCode != c.status || !strings.Contains(b.String(), c.says) {
					t.Errorf("answered %d, want %d and %q:\n%s", got.StatusCode, c.status, c.says, b.String())
				}
			}
		})
	}
}

func TestAMerchantMakesACode(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for _, facade := range []string{"pos", "merchant", "payout"} {
		got := w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key, "action", "pair", "facade", facade, "label", "kiosk"))
		code := find(t, got.Body.String(), `data-testid="pairing-code">([A-Za-z0-9]{7})<`)
		tok, err := w.app.ClaimToken(ctx, sin, code)
		if err != nil || string(tok.Facade) != facade || tok.Merchant != w.merchant.ID || !tok.RequireSIN || tok.Label != "kiosk" {
			t.Errorf("claimed %+v, %v", tok, err)
		}
	}
}

func TestAMerchantMakesAnOpenToken(t *testing.T) {
	w := newWorld(t)
	got := w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key, "action", "open", "facade", "pos"))
	tok, m, err := w.app.Token(context.Background(), find(t, got.Body.String(), `data-testid="open-token">([^<]+)<`))
	if err != nil || m.ID != w.merchant.ID || tok.RequireSIN || tok.State != merchant.Active {
		t.Errorf("made %+v, %v", tok, err)
	}
	refused := w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key, "action", "open", "facade", "merchant"))
	if refused.Code != http.StatusBadRequest || !strings.Contains(refused.Body.String(), "pos facade only") {
		t.Errorf("an open merchant token answered %d", refused.Code)
	}
}

// The list is one merchant's alone, and shows no token whole.
func TestTheListOfTokens(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	other, otherKey := w.newMerchant("Somebody else")
	theirs, err := w.app.OfferToken(ctx, other.ID, merchant.POS, "their terminal", false)
	if err != nil {
		t.Fatal(err)
	}
	mine := w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key, "action", "list")).Body.String()
	if !strings.Contains(mine, "till") || strings.Contains(mine, w.token.Token) || strings.Contains(mine, "their terminal") || strings.Contains(mine, theirs.Code) {
		t.Errorf("the list is wrong:\n%s", mine)
	}
	if all := w.do("POST", "/dashboard/merchant/api-tokens", form("key", otherKey, "action", "list")).Body.String(); !strings.Contains(all, theirs.Code) || strings.Contains(all, "till") {
		t.Errorf("the other list is wrong:\n%s", all)
	}
	if wrong := w.do("POST", "/dashboard/merchant/api-tokens", form("key", "qk_wrong", "action", "list")); wrong.Code != http.StatusForbidden || strings.Contains(wrong.Body.String(), "till") {
		t.Errorf("a wrong key answered %d", wrong.Code)
	}
	if unknown := w.do("POST", "/dashboard/merchant/api-tokens", form("key", w.key, "action", "burn")); unknown.Code != http.StatusBadRequest {
		t.Errorf("an unknown action answered %d", unknown.Code)
	}
}

func find(t *testing.T, body, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no %s in\n%s", pattern, body)
	}
	return m[1]
}
