package invoice

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
)

// in is an invoice in a state, with or without money received.
func in(s Status, paid bool) *Invoice {
	inv := demand(Medium)
	inv.Status = s
	if paid {
		inv.See(Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: "a"}, Asset: "BTC", Amount: money.NewUnits(100)}, t0)
	}
	return inv
}

func TestCancelling(t *testing.T) {
	email := func(inv *Invoice) { inv.State.Email = "buyer@example.com" }
	number := func(inv *Invoice) { inv.State.SMS = "+14155550123" }
	verified := func(inv *Invoice) { number(inv); inv.State.SMSVerified = true }
	nobody := func(*Invoice) {}
	for _, c := range []struct {
		name   string
		from   Status
		paid   bool
		buyer  func(*Invoice)
		force  bool
		to     Status
		refuse error
	}{
		{"an unpaid invoice expires", New, false, nobody, false, Expired, nil},
		{"a partly paid one needs to know whom to refund", New, true, nobody, false, New, fault.InvoiceNoContact},
		{"a partly paid one with an address expires", New, true, email, false, Expired, nil},
		{"a partly paid one is forced", New, true, nobody, true, Expired, nil},
		{"a paid one without contact stays", Paid, true, nobody, false, Paid, fault.InvoiceNoContact},
		{"a paid one with an unverified number stays", Paid, true, number, false, Paid, fault.InvoiceSMSUnverified},
		{"a paid one with a verified number is declined", Paid, true, verified, false, Declined, nil},
		{"a paid one with an address is declined", Paid, true, email, false, Declined, nil},
		{"a paid one is forced", Paid, true, nobody, true, Declined, nil},
		{"a confirmed one is declined", Confirmed, true, email, false, Declined, nil},
		{"an invalid one is declined", Invalid, true, email, false, Declined, nil},
		{"an invalid one whose money is gone is declined", Invalid, false, nobody, false, Declined, nil},
		{"a complete one is done", Complete, true, email, true, Complete, fault.InvoiceCancelState},
		{"an expired one is over", Expired, false, nobody, true, Expired, fault.InvoiceCancelState},
		{"a declined one is over", Declined, true, email, true, Declined, fault.InvoiceCancelState},
	} {
		inv := in(c.from, c.paid)
		c.buyer(inv)
		changes, err := inv.Cancel(c.force, after(2))
		if c.refuse != nil {
			if !errors.Is(err, c.refuse) || inv.Status != c.from || inv.IsCancelled() || changes != nil {
				t.Errorf("%s: %s, %v, %v", c.name, inv.Status, changes, err)
			}
			continue
		}
		if err != nil || inv.Status != c.to || !inv.State.Cancelled.Equal(after(2)) || len(changes) != 1 || changes[0].To != c.to || changes[0].From != c.from {
			t.Errorf("%s: %s, %+v, %v", c.name, inv.Status, changes, err)
		}
		if again, err := inv.Cancel(false, after(3)); again != nil || err != nil || !inv.State.Cancelled.Equal(after(2)) {
			t.Errorf("%s: cancelled twice: %+v, %v", c.name, again, err)
		}
	}
}

func TestAPaymentAfterACancellationIsLate(t *testing.T) {
	s := tell(t, Medium).at(2)
	if _, err := s.inv.Cancel(false, s.now); err != nil {
		t.Fatal(err)
	}
	s.at(3).see("a", 100, 101).height(110).is(Expired, "late_payment")
	// One that was under way before it is honoured.
	s = tell(t, Medium).at(2)
	if _, err := s.inv.Cancel(false, s.now); err != nil {
		t.Fatal(err)
	}
	s.inv.See(Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: "b"}, Asset: "BTC", Amount: money.NewUnits(100), Block: blockAt(101, after(1))}, s.now)
	s.height(101).is(Confirmed, "paid", "confirmed")
}

func TestADeclinedInvoiceIsMovedByNothing(t *testing.T) {
	s := tell(t, Medium).see("a", 100, 0)
	if _, err := s.inv.Cancel(true, s.now); err != nil {
		t.Fatal(err)
	}
	s.out = nil
	s.see("a", 100, 101).height(120).unmine(101).lose("a").at(300).is(Declined)
}

func TestTheBuyersEmail(t *testing.T) {
	inv := demand(Medium)
	for _, bad := range []string{"", "buyer", "buyer@example", "Buyer <buyer@example.com>", "a b@example.com", strings.Repeat("a", 250) + "@example.com"} {
		if err := inv.SetEmail(bad); !errors.Is(err, fault.InvoiceInvalid) {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
	if err := inv.SetEmail("buyer@example.com"); err != nil || inv.Contact() != "buyer@example.com" {
		t.Fatalf("%q, %v", inv.Contact(), err)
	}
	if err := inv.SetEmail("buyer@example.com"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := inv.SetEmail("other@example.com"); !errors.Is(err, fault.InvoiceEmailSet) {
		t.Errorf("another: %v", err)
	}
}

func TestTheBuyersContactOfAHighValueOrAClosedInvoiceIsFixed(t *testing.T) {
	inv := demand(Medium)
	inv.Terms.Order.HighValue = true
	if err := inv.SetEmail("buyer@example.com"); err != nil {
		t.Fatalf("the first contact: %v", err)
	}
	if err := inv.SetEmail("other@example.com"); !errors.Is(err, fault.InvoiceContactFixed) {
		t.Errorf("another address: %v", err)
	}
	if err := inv.SetSMS("+14155550123", "hash", t0); !errors.Is(err, fault.InvoiceContactFixed) {
		t.Errorf("a number: %v", err)
	}
	closed := in(Declined, true)
	if err := closed.SetEmail("buyer@example.com"); !errors.Is(err, fault.InvoiceState) {
		t.Errorf("declined: %v", err)
	}
	cancelled := demand(Medium)
	_, _ = cancelled.Cancel(false, t0)
	if err := cancelled.SetSMS("+14155550123", "hash", t0); !errors.Is(err, fault.InvoiceState) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestContactPrefersWhatWasGivenLast(t *testing.T) {
	inv := demand(Medium)
	inv.State.SMS = "+14155550123"
	if inv.Contact() != "" {
		t.Error("an unverified number reaches nobody")
	}
	inv.State.SMSVerified = true
	if inv.Contact() != "+14155550123" {
		t.Error("a verified number is not used")
	}
	inv.Terms.Order.Buyer = &Buyer{Email: "order@example.com"}
	if inv.Contact() != "order@example.com" {
		t.Error("the order's address is not used")
	}
	inv.State.Email = "update@example.com"
	if inv.Contact() != "update@example.com" {
		t.Error("the updated address is not used")
	}
}

func TestNumbersAreInternational(t *testing.T) {
	for _, good := range []string{"+14155550123", "+49301234567", "+12345678", "+123456789012345"} {
		if err := CheckSMSNumber(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "+", "14155550123", "+0123456789", "+1 415 555 0123", "+1234567", "+1234567890123456", "+1415555a123"} {
		if err := CheckSMSNumber(bad); !errors.Is(err, fault.InvoiceSMSNumber) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestVerifyingANumber(t *testing.T) {
	const number = "+14155550123"
	fresh := func() *Invoice {
		inv := demand(Medium)
		if err := inv.SetSMS(number, "good", t0); err != nil {
			t.Fatal(err)
		}
		return inv
	}
	inv := fresh()
	if err := inv.VerifySMS(number, "good", after(15)); err != nil || !inv.State.SMSVerified || inv.State.SMSCode != "" {
		t.Errorf("the right code: %v, %+v", err, inv.State)
	}
	if err := inv.VerifySMS(number, "whatever", after(99)); err != nil {
		t.Errorf("a verified number again: %v", err)
	}
	if err := inv.SetSMS("+14155550124", "new", t0); !errors.Is(err, fault.InvoiceContactFixed) {
		t.Errorf("a verified number is replaced: %v", err)
	}
	if err := fresh().VerifySMS(number, "good", after(15).Add(time.Millisecond)); !errors.Is(err, fault.InvoiceSMSVerify) {
		t.Errorf("a code of 15 minutes ago: %v", err)
	}
	if err := fresh().VerifySMS("+14155550124", "good", t0); !errors.Is(err, fault.InvoiceSMSVerify) {
		t.Errorf("another number: %v", err)
	}
	inv = fresh()
	for range smsMaxTries {
		if err := inv.VerifySMS(number, "bad", t0); !errors.Is(err, fault.InvoiceSMSVerify) {
			t.Errorf("a wrong code: %v", err)
		}
	}
	if err := inv.VerifySMS(number, "good", t0); !errors.Is(err, fault.InvoiceSMSVerify) {
		t.Errorf("the right code after %d wrong ones: %v", smsMaxTries, err)
	}
	if err := inv.SetSMS(number, "new", t0); err != nil || inv.VerifySMS(number, "new", t0) != nil {
		t.Error("a new code is not taken")
	}
	inv = demand(Medium)
	if err := inv.SetSMS(number, "", t0); err != nil || !inv.State.SMSVerified {
		t.Errorf("without a code: %v, %+v", err, inv.State)
	}
}
