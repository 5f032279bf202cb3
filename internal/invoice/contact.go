package invoice

import (
	"net/mail"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
)

const (
	smsCodeLife  = 15 * time.Minute
	smsMaxTries  = 5
	maxEmailSize = 254
)

// CheckEmail verifies the form of a plain address (no display name).
func CheckEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= maxEmailSize && strings.Contains(s[strings.LastIndexByte(s, '@'):], ".")
}

// SetEmail gives the invoice the buyer's address. It can be set once.
func (inv *Invoice) SetEmail(email string) error {
	if err := inv.contactOpen(); err != nil {
		return err
	}
	if !CheckEmail(email) {
		return fault.Invalid(fault.InvoiceInvalid, "buyerEmail", "%q is not an e-mail address", email)
	}
	if inv.State.Email != "" {
		if inv.State.Email == email {
			return nil
		}
		return fault.New(fault.InvoiceEmailSet, "Email already set on invoice")
	}
	inv.State.Email = email
	return nil
}

func (inv *Invoice) contactOpen() error {
	if inv.Terms.Order.HighValue && inv.Contact() != "" {
		return fault.New(fault.InvoiceContactFixed, "Unable to update contact requirement on high-value invoice")
	}
	if inv.Status == Declined || inv.IsCancelled() {
		return fault.New(fault.InvoiceState, "Invalid invoice state: %s", inv.Status)
	}
	return nil
}

// CheckSMSNumber verifies the international form: + and 8 to 15 digits (E.164).
func CheckSMSNumber(s string) error {
	digits := strings.TrimPrefix(s, "+")
	if digits == s || len(digits) < 8 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" || digits[0] == '0' {
		return fault.Invalid(fault.InvoiceSMSNumber, "buyerSms", "%q is not a number in international form, such as +14155550123", s)
	}
	return nil
}

// SetSMS gives the invoice the buyer's number; codeHash is of the code that is
// sent to it. With an empty hash the number counts as verified at once.
func (inv *Invoice) SetSMS(number, codeHash string, now time.Time) error {
	if err := inv.contactOpen(); err != nil {
		return err
	}
	if err := CheckSMSNumber(number); err != nil {
		return err
	}
	if inv.State.SMSVerified {
		return fault.New(fault.InvoiceContactFixed, "A verified SMS number is already set on invoice")
	}
	inv.State.SMS, inv.State.SMSCode, inv.State.SMSTries, inv.State.SMSSent = number, codeHash, 0, now
	inv.State.SMSVerified = codeHash == ""
	return nil
}

// VerifySMS checks the code that the buyer typed. A wrong code is counted, also
// when the error is returned: the caller stores the invoice either way.
func (inv *Invoice) VerifySMS(number, codeHash string, now time.Time) error {
	st := &inv.State
	switch {
	case st.SMSVerified && st.SMS == number:
		return nil
	case st.SMS != number || st.SMSCode == "":
		return fault.New(fault.InvoiceSMSVerify, "Error verifying SMS: no code was sent to %s; send buyerSms without smsCode first", number)
	case now.After(st.SMSSent.Add(smsCodeLife)) || st.SMSTries >= smsMaxTries:
		return fault.New(fault.InvoiceSMSVerify, "Error verifying SMS: the code is no longer valid; send buyerSms without smsCode for a new one")
	case st.SMSCode != codeHash:
		st.SMSTries++
		return fault.New(fault.InvoiceSMSVerify, "Error verifying SMS: wrong code")
	}
	st.SMSVerified, st.SMSCode = true, ""
	return nil
}
