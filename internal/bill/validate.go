package bill

import (
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// Limits on what a bill holds.
const (
	maxText     = 1024 // bytes of one text
	maxItems    = 100  // as on the invoice that pays it
	maxQuantity = 1_000_000_000
	maxCC       = 20
	maxDigits   = 12 // of the sum, in whole units of the currency
)

// Check refuses what cannot be billed and spells the currency as the table does.
func (t *Terms) Check() error {
	cur, ok := money.Lookup(t.Currency)
	if !ok {
		return fault.Invalid(fault.Invalid0, "currency", "%.40q is not an ISO 4217 or crypto currency code", t.Currency)
	}
	t.Currency = cur.Code
	if err := t.checkTexts(); err != nil {
		return err
	}
	if t.Email == "" && !t.NoEmail || t.Email != "" && !invoice.CheckEmail(t.Email) {
		// The words of the live service: clients look for them.
		f := fault.New(fault.Invalid0, "Validation errors occurred: Valid email required if emailBill is not set to false.")
		f.Params = []fault.Param{{Name: "email", Message: "Valid email required if emailBill is not set to false."}}
		return f
	}
	if len(t.CC) > maxCC {
		return fault.Invalid(fault.Invalid0, "cc", "at most %d addresses", maxCC)
	}
	for _, a := range t.CC {
		if !invoice.CheckEmail(a) {
			return fault.Invalid(fault.Invalid0, "cc", "%.80q is not an e-mail address", a)
		}
	}
	return t.checkItems(cur)
}

func (t *Terms) checkTexts() error {
	for _, f := range []struct{ name, value string }{
		{"number", t.Number}, {"name", t.Name}, {"address1", t.Address1}, {"address2", t.Address2}, {"city", t.City},
		{"state", t.Region}, {"zip", t.Zip}, {"country", t.Country}, {"phone", t.Phone},
	} {
		if len(f.value) > maxText {
			return fault.Invalid(fault.Invalid0, f.name, "at most %d bytes", maxText)
		}
	}
	return nil
}

func (t *Terms) checkItems(cur *money.Currency) error {
	if len(t.Items) == 0 {
		return fault.Missing(fault.Missing0, "items")
	}
	if len(t.Items) > maxItems {
		return fault.Invalid(fault.Invalid0, "items", "at most %d", maxItems)
	}
	for _, it := range t.Items {
		switch {
		case strings.TrimSpace(it.Description) == "":
			return fault.Missing(fault.Missing0, "items.description")
		case len(it.Description) > maxText:
			return fault.Invalid(fault.Invalid0, "items.description", "at most %d bytes", maxText)
		case it.Quantity < 1 || it.Quantity > maxQuantity:
			return fault.Invalid(fault.Invalid0, "items.quantity", "expected a whole number from 1 to %d", maxQuantity)
		}
	}
	net, err := t.Net()
	if err != nil || net.Big().Cmp(money.Pow10(maxDigits+cur.Decimals)) >= 0 {
		return fault.Invalid(fault.Invalid0, "items", "their sum is too large")
	}
	least, err := money.ParseDecimal(cur, cur.Minimum)
	if err == nil && net.Cmp(least) < 0 {
		return fault.Invalid(fault.Invalid0, "items", "their sum is below the minimum of %s %s", cur.Minimum, cur.Code)
	}
	return nil
}

// The forms of a due date that clients send; "2021-5-31" is one SDK's own.
var dueForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05",
	"2006-1-2", "20060102", "1/2/2006",
}

// ParseDue reads a due date, in UTC unless it names a zone; a bare day is its
// midnight. Years run from 1970 to 9999.
func ParseDue(s string) (time.Time, bool) {
	for _, form := range dueForms {
		if t, err := time.ParseInLocation(form, strings.TrimSpace(s), time.UTC); err == nil {
			t = t.UTC().Truncate(time.Millisecond)
			return t, t.Year() >= 1970 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}
