package recipient

import (
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/money"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newRecipient() *Recipient {
	r, _ := Invite("r1", "m1", "api", "own", Invitation{Email: "a@x.de"}, t0)
	return r
}

func verified(t *testing.T) *Recipient {
	t.Helper()
	r := newRecipient()
	if _, err := r.ConfirmEmail("shopper", false); err != nil || r.Status != Verified {
		t.Fatalf("%s, %v", r.Status, err)
	}
	return r
}

func prove(t *testing.T, r *Recipient, address string, now time.Time) []Change {
	t.Helper()
	if err := r.Give("BTC", address, "n-"+address, now); err != nil {
		t.Fatal(err)
	}
	list, err := r.Prove(Proof{Kind: BySignature}, now)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAPauseLeadsBackToWhereItBegan(t *testing.T) {
	for _, from := range []Status{Invited, Unverified, Verified, Active} {
		r := &Recipient{Status: from}
		if list, err := r.Pause(); err != nil || r.Status != Paused || len(list) != 1 {
			t.Fatalf("paused from %s it is %s, %v", from, r.Status, err)
		}
		if list, err := r.Pause(); err != nil || len(list) != 0 {
			t.Errorf("paused twice: %v, %v", list, err)
		}
		if list, err := r.Resume(); err != nil || r.Status != from || len(list) != 1 || list[0].To != from {
			t.Errorf("resumed from %s it is %s, %v", from, r.Status, err)
		}
		if _, err := r.Resume(); err == nil {
			t.Error("what is not paused can be resumed")
		}
	}
	if _, err := (&Recipient{Status: Removed}).Pause(); err == nil {
		t.Error("a removed one can be paused")
	}
}

func TestConfirmingTwiceTellsOnce(t *testing.T) {
	r := newRecipient()
	if list, err := r.ConfirmEmail("one", true); err != nil || len(list) != 1 || r.Status != Unverified {
		t.Fatalf("%v, %v", list, err)
	}
	if list, err := r.ConfirmEmail("two", true); err != nil || len(list) != 0 || r.State.ShopperID != "one" {
		t.Errorf("%v, %v, %s", list, err, r.State.ShopperID)
	}
	if list, err := r.Verify(t0); err != nil || len(list) != 2 || list[0].To != Verified || list[1].Kind != LinkAsked {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := r.Verify(t0); err != nil || len(list) != 0 {
		t.Errorf("checked twice: %v, %v", list, err)
	}
}

func TestTheFirstAddressCountsAtOnceAndALaterOneAfterADay(t *testing.T) {
	r := verified(t)
	if list := prove(t, r, "one", t0); len(list) != 1 || list[0].To != Active || list[0].On != AddressSigned {
		t.Errorf("changes %v", list)
	}
	if list := prove(t, r, "two", t0.Add(time.Hour)); len(list) != 1 || list[0].Kind != AddressChanged {
		t.Errorf("changes %v", list)
	}
	for after, want := range map[time.Duration]string{0: "one", 24 * time.Hour: "one", 25*time.Hour - 1: "one", 25 * time.Hour: "two"} {
		if a, ok := r.AddressAt("BTC", t0.Add(after)); !ok || a.Address != want {
			t.Errorf("after %s it is %s", after, a.Address)
		}
	}
	if _, ok := r.AddressAt("BTC", t0.Add(-1)); ok {
		t.Error("there was an address before the first")
	}
	if _, ok := r.AddressAt("LTC", t0.Add(time.Hour)); ok {
		t.Error("there is an address of another asset")
	}
	if a, ok := r.NextAddress("BTC", t0.Add(2*time.Hour)); !ok || a.Address != "two" {
		t.Errorf("next is %v", a)
	}
	prove(t, r, "three", t0.Add(3*time.Hour))
	if a, ok := r.AddressAt("BTC", t0.Add(26*time.Hour)); !ok || a.Address != "one" {
		t.Errorf("one that was overruled counts: %s", a.Address)
	}
	if a, _ := r.AddressAt("BTC", t0.Add(27*time.Hour)); a.Address != "three" || len(r.State.Addresses) != 3 {
		t.Errorf("in the end it is %s of %d", a.Address, len(r.State.Addresses))
	}
	if err := r.Give("BTC", "three", "n", t0.Add(28*time.Hour)); err == nil {
		t.Error("the address that is used can be given as a new one")
	}
}

func TestAnAddressIsTakenOnlyWhenItIsTime(t *testing.T) {
	for _, s := range []Status{Invited, Unverified, Paused, Removed} {
		r := &Recipient{ID: "r", Status: s}
		if err := r.Give("BTC", "x", "n", t0); err == nil || r.State.Candidate != nil {
			t.Errorf("given while %s: %v", s, err)
		}
	}
	r := verified(t)
	if err := r.Give("BTC", "x", "n1", t0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Pending("n0"); err == nil {
		t.Error("another page's nonce is accepted")
	}
	if _, err := r.Pending("n1"); err != nil {
		t.Error(err)
	}
	if text := r.Challenge(); strings.ContainsAny(text, "\r\n") || !strings.Contains(text, "r1") || !strings.Contains(text, "n1") || strings.TrimSpace(text) != text {
		t.Errorf("the text is %q", text)
	}
	if _, err := r.Pause(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Pending("n1"); err == nil {
		t.Error("a paused recipient can prove an address")
	}
}

func TestATestAmountIsCounted(t *testing.T) {
	r := verified(t)
	if err := r.Give("BTC", "x", "n", t0); err != nil {
		t.Fatal(err)
	}
	if err := r.ReadTest(money.NewUnits(5)); err == nil {
		t.Error("read before it was sent")
	}
	one, err := r.StartTest("t1", money.NewUnits(1234))
	if err != nil {
		t.Fatal(err)
	}
	if two, err := r.StartTest("t2", money.NewUnits(9)); err != nil || two != one || r.State.Tests != 1 {
		t.Errorf("asked for again it is %v, %v", two, err)
	}
	for i := range MaxTestTries {
		if err := r.ReadTest(money.NewUnits(1)); err == nil {
			t.Fatalf("try %d was accepted", i)
		}
	}
	if r.State.Candidate != nil {
		t.Error("the address is still open to guesses")
	}
}

func TestALinkSaysWhyItCannotBeUsed(t *testing.T) {
	l := Link{Expires: t0.Add(LinkLife)}
	for _, c := range []struct {
		status Status
		used   bool
		now    time.Time
		says   string
	}{
		{Invited, false, t0, ""}, {Active, false, t0.Add(LinkLife), ""},
		{Active, false, t0.Add(LinkLife + 1), "expired on 8 March 2026"},
		{Verified, true, t0, "already used"}, {Paused, false, t0, "on hold"}, {Removed, true, t0, "withdrawn"},
	} {
		l.Used = c.used
		err := l.Check(&Recipient{Status: c.status}, c.now)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s, used %v, at %s: %v, want %q", c.status, c.used, c.now, err, c.says)
		}
	}
	if HashLink("a") == HashLink("b") || len(HashLink("a")) != 64 {
		t.Error("links are not told apart")
	}
}
