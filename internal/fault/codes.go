package fault

import "net/http"

// Code is the last four digits of an API error code: two for the resource, two
// for the error. The API puts the method before it: 01 POST, 02 GET, 03 PUT,
// 04 DELETE, 00 for everything else.
type Code string

// The whole table of the seed.
const (
	Generic  Code = "0000" // generic server error, also limits and outages: worth repeating later
	NotFound Code = "0001" // resource not found
	Invalid0 Code = "0002" // invalid parameters, token or signature
	Missing0 Code = "0003" // missing parameters

	InvoiceGeneric       Code = "0100"
	InvoiceNotFound      Code = "0101"
	InvoiceInvalid       Code = "0102"
	InvoiceMissing       Code = "0103"
	InvoiceCancelState   Code = "0107" // invalid invoice state for cancel
	InvoiceNoContact     Code = "0108" // missing e-mail or SMS
	InvoiceSMSUnverified Code = "0109" // SMS not verified
	InvoicePriceLow      Code = "0110" // price below the threshold
	InvoicePriceHigh     Code = "0111" // price above the threshold
	InvoiceSMSNumber     Code = "0112" // invalid SMS number
	InvoiceSMSVerify     Code = "0113" // error verifying SMS
	InvoiceContactFixed  Code = "0114" // contact of a high-value invoice cannot change
	InvoiceEmailSet      Code = "0115" // e-mail already set
	InvoiceDemoOnly      Code = "0116" // only in the demo environment
	InvoiceState         Code = "0117" // invalid invoice state
	InvoiceMisconfigured Code = "0118" // misconfigured account
	InvoiceMockPayment   Code = "0119" // unable to apply mock transaction
	RefundGeneric        Code = "0200"
	RefundNotFound       Code = "0201"
	RefundInvalid        Code = "0202"
	RefundMissing        Code = "0203"
	RefundActive         Code = "0204" // active refund exists
	RefundInvoiceState   Code = "0207" // invalid invoice state for refund
	RefundFeeAboveAmount Code = "0208" // fees are greater than the refund amount
)

// Meaning is what each code says when nothing more precise is known.
var Meaning = map[Code]string{
	Generic:  "Generic server error",
	NotFound: "Resource not found",
	Invalid0: "Invalid parameters",
	Missing0: "Missing required parameters",

	InvoiceGeneric:       "Generic invoice error",
	InvoiceNotFound:      "Invoice not found",
	InvoiceInvalid:       "Invalid invoice parameters",
	InvoiceMissing:       "Missing required invoice parameters",
	InvoiceCancelState:   "Invalid invoice state for cancel",
	InvoiceNoContact:     "Missing email or SMS",
	InvoiceSMSUnverified: "SMS not verified",
	InvoicePriceLow:      "Invoice price is below minimum threshold",
	InvoicePriceHigh:     "Invoice price is above maximum threshold",
	InvoiceSMSNumber:     "Invalid SMS number",
	InvoiceSMSVerify:     "Error verifying SMS",
	InvoiceContactFixed:  "Unable to update contact requirement on high-value invoice",
	InvoiceEmailSet:      "Email already set on invoice",
	InvoiceDemoOnly:      "Unable to perform action outside of demo environment",
	InvoiceState:         "Invalid invoice state",
	InvoiceMisconfigured: "Misconfigured account",
	InvoiceMockPayment:   "Unable to apply mock transaction to invoice",

	RefundGeneric:        "Generic refund error",
	RefundNotFound:       "Refund not found",
	RefundInvalid:        "Invalid refund parameters",
	RefundMissing:        "Missing required refund parameters",
	RefundActive:         "Active refund request already exists",
	RefundInvoiceState:   "Invalid invoice state for refund",
	RefundFeeAboveAmount: "Fees are greater than refund amount",
}

// Error makes a code usable as the target of errors.Is.
func (c Code) Error() string { return string(c) + ": " + Meaning[c] }

func (c Code) status() int {
	switch c {
	case Generic, InvoiceGeneric, RefundGeneric:
		return http.StatusInternalServerError
	case NotFound, InvoiceNotFound, RefundNotFound:
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}
