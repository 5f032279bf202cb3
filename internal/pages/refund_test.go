package pages

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/refund"
)

// shows holds the checkout page against what it has to say, and what not.
func (w *world) shows(target string, want []string, not ...string) {
	w.t.Helper()
	page := w.get(target)
	if page.Code != http.StatusOK {
		w.t.Fatalf("%s answered %d", target, page.Code)
	}
	for _, s := range want {
		if !strings.Contains(page.Body.String(), s) {
			w.t.Errorf("%s does not say %q:\n%s", target, s, page.Body)
		}
	}
	for _, s := range not {
		if strings.Contains(page.Body.String(), s) {
			w.t.Errorf("%s says %q", target, s)
		}
	}
}

// The buyer of a paid invoice finds the refund on its page and can have the link
// sent again, but not more often than every ten minutes, and never sees it there.
func TestTheCheckoutPageHasARefundsLinkSentAgain(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	w.pay(inv, due(inv))
	w.mine(6)
	target, again := "/invoice?id="+inv.ID, `data-testid="ask-again"`
	f := w.refunded(inv, func(*refund.Refund) {})
	code := f.ClaimCode(1)
	w.shows(target, []string{"A refund of 0.000100 BTC is waiting for you", "b•••@example.com", "2026-03-01, 12:00 UTC", `http-equiv="refresh"`}, again, code, "buyer@example.com")
	w.shows(target+"&lang=de", []string{"wartet auf Sie"})
	ask := form("id", inv.ID)
	if got := w.do("POST", "/invoice/refund", ask); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "sent just now") {
		t.Errorf("asked at once: %d %s", got.Code, got.Body)
	}
	w.pass(10 * time.Minute)
	w.shows(target, []string{again}, code)
	if got := w.do("POST", "/invoice/refund", ask); got.Code != http.StatusSeeOther || got.Header().Get("Location") != target {
		t.Errorf("asked later: %d to %q", got.Code, got.Header().Get("Location"))
	}
	w.shows(target, []string{"2026-03-01, 12:10 UTC"}, again)
	list, err := w.app.Deliveries(context.Background(), f.ID)
	if err != nil || len(list) != 1 || list[0].Endpoint != "buyer@example.com" {
		t.Errorf("mailed: %+v, %v", list, err)
	}
	if got, err := w.app.Refund(context.Background(), f.ID); err != nil || got.ClaimCode(got.State.Claims) != code {
		t.Errorf("the mail that came first is of no use any more: %v", err)
	}
}

func TestARefundsStatesAreToldOnTheCheckoutPage(t *testing.T) {
	for _, c := range []struct {
		status  refund.Status
		address string
		says    string
		stages  int
	}{
		{refund.Created, "", "is waiting for you", 0},
		{refund.Created, "bcrt1q", "is being prepared", 1},
		{refund.Pending, "bcrt1q", "is on its way", 1},
		{refund.Success, "bcrt1q", "has arrived", 3},
		{refund.Canceled, "", "was withdrawn", 0},
		{refund.Failure, "bcrt1q", "could not be sent", 0},
	} {
		w := newWorld(t)
		inv := w.order()
		w.refunded(inv, func(f *refund.Refund) { f.Status, f.State.Address = c.status, c.address })
		w.shows("/invoice?id="+inv.ID, []string{c.says}, "bcrt1q<")
		if got := strings.Count(w.get("/invoice?id="+inv.ID).Body.String(), `class="done"`); got != c.stages {
			t.Errorf("%s: %d stages are done, want %d", c.status, got, c.stages)
		}
	}
	w := newWorld(t)
	inv := w.order()
	w.refunded(inv, func(f *refund.Refund) { f.Status = refund.Preview })
	w.shows("/invoice?id="+inv.ID, nil, `data-testid="refund"`)
}

// A link that was confirmed leads to where the money went; another address cannot
// take its place.
func TestAConfirmedRefundIsFollowedAndNotTurnedAside(t *testing.T) {
	w := newInvited(t)
	inv := w.order()
	f := w.refunded(inv, func(*refund.Refund) {})
	claim := claimOf(f)
	here := "/refund?" + claim.Encode()
	for _, c := range []struct{ address, says string }{
		{"", "No address was given."},
		{"bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l", "This address belongs to network main"},
		{"0x52908400098527886E0F7030069857D2E4169EE7", "This is an Ethereum address; a Bitcoin address is needed."},
	} {
		claim.Set("address", c.address)
		w.shows(w.do("POST", "/refund", claim), http.StatusBadRequest, c.says, `aria-invalid="true"`)
	}
	claim.Set("address", w.who.address)
	w.shows(w.do("POST", "/refund", claim), http.StatusOK, "Is this your address?", w.who.address)
	claim.Set("confirm", w.who.address)
	if got := w.do("POST", "/refund", claim); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/refund?code="+claim.Get("code")+"&id="+f.ID {
		t.Errorf("confirmed: %d to %q", got.Code, got.Header().Get("Location"))
	}
	w.shows(w.get(here), http.StatusOK, w.who.address, "It will be sent to this address", `http-equiv="refresh"`)
	other := newPayee(t, "other")
	claim.Set("address", other.address)
	claim.Set("confirm", other.address)
	w.do("POST", "/refund", claim)
	w.shows(w.get(here), http.StatusOK, w.who.address)
	if now, err := w.app.Refund(context.Background(), f.ID); err != nil || now.State.Address != w.who.address {
		t.Errorf("it goes to %q, %v", now.State.Address, err)
	}
}

func TestARefundsLinkEnds(t *testing.T) {
	for _, c := range []struct {
		name, says string
		change     func(w *world, f *refund.Refund)
		status     int
	}{
		{"expired", "Please ask the shop to send a new one", func(w *world, _ *refund.Refund) { w.pass(refund.ClaimFor + time.Second) }, 400},
		{"withdrawn", "Please ask the shop", func(w *world, f *refund.Refund) { f.Status = refund.Canceled; w.setRefund(f) }, 400},
		{"replaced", "Open the link in the latest mail", func(w *world, f *refund.Refund) { f.State.Claims++; w.setRefund(f) }, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			f := w.refunded(w.order(func(o *invoice.Order) { o.OrderID = "7" }), func(*refund.Refund) {})
			target := "/refund?" + claimOf(f).Encode()
			c.change(w, f)
			page := w.get(target)
			if page.Code != c.status || !strings.Contains(page.Body.String(), c.says) || !strings.Contains(page.Body.String(), "This link cannot be used") {
				t.Errorf("%d %s", page.Code, page.Body)
			}
		})
	}
}
