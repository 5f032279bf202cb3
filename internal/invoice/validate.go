package invoice

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/quittance/quittance/internal/fault"
)

// Limits on free text, in bytes, and on lists.
const (
	maxText    = 1024
	maxPosData = 4096
	maxURL     = 2048
	maxItems   = 100
	maxAssets  = 50
)

// Check refuses an order that cannot be honoured. allowHTTP lets notification
// and return addresses use plain HTTP (sandbox and private networks).
func (o *Order) Check(allowHTTP bool) error {
	for _, t := range []struct {
		name, value string
		max         int
	}{
		{"orderId", o.OrderID, maxText}, {"itemDesc", o.ItemDesc, maxText}, {"itemCode", o.ItemCode, maxText},
		{"posData", o.PosData, maxPosData}, {"merchantName", o.MerchantName, maxText},
	} {
		if len(t.value) > t.max {
			return fault.Invalid(fault.InvoiceInvalid, t.name, "at most %d bytes", t.max)
		}
		if strings.ContainsRune(t.value, 0) || !utf8.ValidString(t.value) {
			return fault.Invalid(fault.InvoiceInvalid, t.name, "not valid text")
		}
	}
	switch o.Speed {
	case High, Medium, Low:
	default:
		return fault.Invalid(fault.InvoiceInvalid, "transactionSpeed", "%q is not one of high, medium, low", o.Speed)
	}
	if err := o.checkURLs(allowHTTP); err != nil {
		return err
	}
	if o.NotificationEmail != "" && !CheckEmail(o.NotificationEmail) {
		return fault.Invalid(fault.InvoiceInvalid, "notificationEmail", "%q is not an e-mail address", o.NotificationEmail)
	}
	if o.Window != 0 && (o.Window < MinWindow.Milliseconds() || o.Window > MaxWindow.Milliseconds()) {
		return fault.Invalid(fault.InvoiceInvalid, "acceptanceWindow", "expected milliseconds between %d and %d", MinWindow.Milliseconds(), MaxWindow.Milliseconds())
	}
	return o.checkParts()
}

func (o *Order) checkParts() error {
	if len(o.Items) > maxItems {
		return fault.Invalid(fault.InvoiceInvalid, "itemizedDetails", "at most %d lines", maxItems)
	}
	for _, it := range o.Items {
		if len(it.Description) > maxText {
			return fault.Invalid(fault.InvoiceInvalid, "itemizedDetails", "a description has at most %d bytes", maxText)
		}
	}
	if len(o.PaymentCurrencies) > maxAssets {
		return fault.Invalid(fault.InvoiceInvalid, "paymentCurrencies", "at most %d", maxAssets)
	}
	if p := o.PresetCurrency; p != "" && len(o.PaymentCurrencies) > 0 && !slices.Contains(o.PaymentCurrencies, p) {
		return fault.Invalid(fault.InvoiceInvalid, "forcedBuyerSelectedTransactionCurrency", "%s is not among paymentCurrencies", p)
	}
	if o.Buyer == nil {
		return nil
	}
	b := o.Buyer
	for _, t := range []struct{ name, value string }{
		{"buyer.name", b.Name}, {"buyer.address1", b.Address1}, {"buyer.address2", b.Address2}, {"buyer.locality", b.Locality},
		{"buyer.region", b.Region}, {"buyer.postalCode", b.PostalCode}, {"buyer.country", b.Country}, {"buyer.phone", b.Phone},
	} {
		if len(t.value) > maxText {
			return fault.Invalid(fault.InvoiceInvalid, t.name, "at most %d bytes", maxText)
		}
	}
	if b.Email != "" && !CheckEmail(b.Email) {
		return fault.Invalid(fault.InvoiceInvalid, "buyer.email", "%q is not an e-mail address", b.Email)
	}
	return nil
}

func (o *Order) checkURLs(allowHTTP bool) error {
	for _, u := range []struct {
		name, value string
		notify      bool
	}{{"notificationURL", o.NotificationURL, true}, {"redirectURL", o.RedirectURL, false}, {"closeURL", o.CloseURL, false}} {
		if u.value == "" {
			continue
		}
		if why := checkURL(u.value, allowHTTP || !u.notify); why != "" {
			return fault.Invalid(fault.InvoiceInvalid, u.name, "%s", why)
		}
	}
	return nil
}

// WhyNotURL says why a notification URL would be refused; empty when it is fine.
func WhyNotURL(s string, allowHTTP bool) string { return checkURL(s, allowHTTP) }

// WhyNotEmail says why a mail address would be refused; empty when it is fine.
func WhyNotEmail(s string) string {
	if CheckEmail(s) {
		return ""
	}
	return "it is not an e-mail address"
}

// checkURL looks at the form only; where a name leads is known when it is dialled.
func checkURL(s string, allowHTTP bool) string {
	u, err := url.Parse(s)
	switch {
	case len(s) > maxURL:
		return "the URL is too long"
	case err != nil || u.Host == "" || u.Opaque != "" || u.Hostname() == "":
		return "not an absolute URL"
	case u.User != nil:
		return "a URL with a user name is not accepted"
	case u.Scheme == "https" || u.Scheme == "http" && allowHTTP:
		return ""
	case u.Scheme == "http":
		return "only https is accepted"
	}
	if net.ParseIP(u.Hostname()) != nil {
		return "only https is accepted"
	}
	return "only http and https are accepted"
}
