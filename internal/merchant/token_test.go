package merchant

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/fault"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func request(t *testing.T) Token {
	t.Helper()
	tok, err := Request("token", "C4Lg7oW", vectorSIN, Full, "back office", "", now)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func offer(t *testing.T) Token {
	t.Helper()
	tok, err := Offer("token", "C4Lg7oW", "m", POS, "till 1", false, now)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestARequestIsOfNoUseUntilAMerchantApprovesIt(t *testing.T) {
	tok := request(t)
	if tok.State != Inactive || tok.Merchant != "" || !tok.RequireSIN {
		t.Errorf("a fresh request is %+v", tok)
	}
	if err := tok.Approve("m", now.Add(PairLife)); err != nil {
		t.Fatal(err)
	}
	if tok.State != Active || tok.Merchant != "m" || tok.Code != "" || !tok.CodeExpiry.IsZero() {
		t.Errorf("approved: %+v", tok)
	}
	if err := tok.Approve("other", now); err == nil || tok.Merchant != "m" {
		t.Errorf("approved twice: %v, now of %s", err, tok.Merchant)
	}
}

func TestACodeLivesForADay(t *testing.T) {
	late := now.Add(PairLife + time.Second)
	a, b := request(t), offer(t)
	for name, err := range map[string]error{"approval": a.Approve("m", late), "claim": b.Claim(vectorSIN, late)} {
		if !errors.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "expired at 2026-01-03") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnOfferIsClaimedOnce(t *testing.T) {
	tok := offer(t)
	if err := tok.Claim(vectorSIN, now); err != nil {
		t.Fatal(err)
	}
	if tok.State != Active || !tok.Has(vectorSIN) {
		t.Errorf("claimed: %+v", tok)
	}
	if err := tok.Claim("TfOther", now); !errors.Is(err, fault.NotFound) || tok.Has("TfOther") {
		t.Errorf("claimed twice: %v", err)
	}
}

func TestOnlyAPosTokenMayBeOpen(t *testing.T) {
	tok, err := Offer("token", "code", "m", POS, "", true, now)
	if err != nil || tok.State != Active || tok.RequireSIN || tok.Code != "" {
		t.Errorf("%+v %v", tok, err)
	}
	for _, f := range []Facade{Full, Payout} {
		if _, err := Offer("token", "code", "m", f, "", true, now); err == nil {
			t.Errorf("an open %s token was made", f)
		}
	}
}

func TestTheLastSINAndTheSignersOwnStay(t *testing.T) {
	tok := request(t)
	if err := tok.Unlink(vectorSIN, "TfOther"); err == nil {
		t.Error("the last SIN was removed")
	}
	tok.Link("TfOther")
	tok.Link("TfOther")
	if len(tok.SINs) != 2 {
		t.Errorf("linked twice: %v", tok.SINs)
	}
	if err := tok.Unlink("TfOther", "TfOther"); err == nil {
		t.Error("a SIN removed itself")
	}
	if err := tok.Unlink("TfNobody", vectorSIN); !errors.Is(err, fault.NotFound) {
		t.Errorf("an unknown SIN: %v", err)
	}
	if err := tok.Unlink("TfOther", vectorSIN); err != nil || len(tok.SINs) != 1 {
		t.Errorf("%v %v", tok.SINs, err)
	}
}

func TestFormsOfARequest(t *testing.T) {
	for _, c := range []struct {
		facade string
		want   Facade
		ok     bool
	}{{"", POS, true}, {"pos", POS, true}, {"merchant", Full, true}, {"payout", Payout, true}, {"public", "", false}, {"Merchant", "", false}} {
		if f, err := ParseFacade(c.facade); f != c.want || (err == nil) != c.ok {
			t.Errorf("facade %q: %q %v", c.facade, f, err)
		}
	}
	for code, ok := range map[string]bool{"C4Lg7oW": true, "0000000": true, "": false, "C4Lg7o": false, "C4Lg7oWx": false, "C4Lg-oW": false, "C4Lg7oé": false} {
		if (CheckPairingCode(code) == nil) != ok {
			t.Errorf("pairing code %q: %v", code, !ok)
		}
	}
	for label, ok := range map[string]bool{"a b_c-d": true, strings.Repeat("ü", MaxLabel): true, strings.Repeat("x", MaxLabel+1): false, "a\nb": false} {
		if _, err := Request("t", "c", vectorSIN, POS, label, "", now); (err == nil) != ok {
			t.Errorf("label %q: %v", label, err)
		}
	}
}
