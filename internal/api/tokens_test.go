package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/merchant"
)

func TestPairingThatTheClientBegins(t *testing.T) {
	w := newWorld(t)
	c := w.newClient(30)
	// Java sends guid and count as well; Magento malformed signatures.
	body := fields{"id": c.sin(), "facade": "merchant", "label": "My shop_1-a", "guid": "g", "count": 1}
	asked := c.do("POST", "/tokens", body).list()[0].(map[string]any)
	want(t, asked, fields{
		"facade": "merchant", "label": "My shop_1-a", "dateCreated": epoch.UnixMilli(), "pairingExpiration": epoch.Add(24 * time.Hour).UnixMilli(),
		"policies": []fields{{"policy": "id", "method": "inactive", "params": []string{c.sin()}}},
	})
	again := c.do("POST", "/tokens", body).list()[0].(map[string]any)
	want(t, again, fields{"token": asked["token"], "pairingCode": asked["pairingCode"]})
	if n := len(c.do("GET", "/tokens", nil).list()); n != 0 {
		t.Errorf("%d tokens before the approval", n)
	}
	c.token = asked["token"].(string)
	c.post("/invoices", order).refused(http.StatusUnauthorized, "010002")
	_, err := w.app.ApprovePairing(t.Context(), asked["pairingCode"].(string), w.shop.ID)
	w.must(err)
	c.create(nil)
	list := c.do("GET", "/tokens", nil).list()
	if len(list) != 1 {
		t.Fatalf("%v", list)
	}
	want(t, list[0].(map[string]any), fields{"merchant": c.token})
	// Nobody who knows the guid gets a token that is in use: this call is unsigned.
	if other := w.till.do("POST", "/tokens", body).list()[0].(map[string]any); other["token"] == c.token {
		t.Error("an unsigned call was handed an active token")
	}
}

func TestPairingThatTheMerchantBegins(t *testing.T) {
	w := newWorld(t)
	offer, err := w.app.OfferToken(t.Context(), w.shop.ID, merchant.POS, "till 2", false)
	w.must(err)
	c := w.newClient(31)
	got := c.do("POST", "/tokens", fields{"id": c.sin(), "pairingCode": offer.Code}).list()[0].(map[string]any)
	want(t, got, fields{
		"facade": "pos", "label": "till 2", "token": offer.Token, "pairingCode": nil, "pairingExpiration": nil,
		"policies": []fields{{"policy": "id", "method": "requireSin", "params": []string{c.sin()}}},
	})
	c.token = offer.Token
	c.create(nil)
	(&client{w: w, token: c.token}).post("/invoices", order).refused(http.StatusUnauthorized, "010002")
}

func TestAFacadeIsPosUnlessToldOtherwise(t *testing.T) {
	w := newWorld(t)
	c := w.newClient(32)
	want(t, c.do("POST", "/tokens", fields{"id": c.sin()}).list()[0].(map[string]any), fields{"facade": "pos"})
}

func TestTheIdentitiesOfAToken(t *testing.T) {
	w := newWorld(t)
	second := w.newClient(33)
	second.token = w.merchant.token
	sins := "/tokens/" + w.merchant.token + "/sins"
	if got := w.merchant.do("GET", sins, nil).list(); len(got) != 1 || got[0] != w.merchant.sin() {
		t.Fatalf("%v", got)
	}
	second.do("GET", sins, nil).refused(http.StatusUnauthorized, "020002")
	for range 2 { // linking twice changes nothing
		if got := w.merchant.do("POST", sins, fields{"sin": second.sin()}).list(); len(got) != 2 {
			t.Fatalf("%v", got)
		}
	}
	second.create(nil)
	// Only another linked identity may remove one, and one always stays.
	second.do("DELETE", sins+"/"+second.sin(), nil).refused(http.StatusBadRequest, "040002")
	if got := w.merchant.do("DELETE", sins+"/"+second.sin(), nil).list(); len(got) != 1 {
		t.Fatalf("%v", got)
	}
	second.post("/invoices", order).refused(http.StatusUnauthorized, "010002")
	w.merchant.do("DELETE", sins+"/"+w.merchant.sin(), nil).refused(http.StatusBadRequest, "040002")
	w.rival.do("GET", sins, nil).refused(http.StatusUnauthorized, "020002")
	w.payout.do("GET", "/tokens/"+w.payout.token+"/sins", nil).list()
	w.pos.do("GET", "/tokens/"+w.pos.token+"/sins", nil).refused(http.StatusForbidden, "020002")
}
