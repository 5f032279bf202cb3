package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
)

// route is one row of the authorization table: what is not allowed here is
// refused. The tests enumerate route × facade × foreign id from it.
type route struct {
	method  string
	pattern string // segments; {name} takes one
	handle  func(*Server, *call) (any, error)

	// facades whose tokens may call it. None: no token is looked at.
	facades []merchant.Facade
	// anonymous lets a request without any token in, as the public facade.
	anonymous bool
	// resource finds the resource {id}: its own token may stand in for the API
	// token it was created with. Nil: only API tokens will do.
	resource func(*Server, *call) (credential, error)
	// unsigned waives the signature that the token would ask for.
	unsigned bool
	// bySIN asks for a signature instead of a token.
	bySIN bool
	// pathToken says that the API token is the path's {token}.
	pathToken bool
	// invalid and missing are the resource's own codes for bad requests.
	invalid, missing fault.Code
	// noSession keeps a route out of session numbering.
	noSession bool
	// bulk takes a body of up to MaxBulk bytes, with as many more fields.
	bulk bool
	// foldCase matches the path without regard to letter case.
	foldCase bool
}

var (
	merchantOnly = []merchant.Facade{merchant.Full}
	posOrFull    = []merchant.Facade{merchant.POS, merchant.Full}
	payoutOnly   = []merchant.Facade{merchant.Payout}
	tokenOwners  = []merchant.Facade{merchant.Full, merchant.Payout}
)

// table is every route of the API.
var table = []route{
	{method: "POST", pattern: "/tokens", handle: (*Server).postToken},
	{method: "GET", pattern: "/tokens", handle: (*Server).getTokens, bySIN: true},
	{method: "GET", pattern: "/tokens/{token}/sins", handle: (*Server).getSINs, facades: tokenOwners, pathToken: true},
	{method: "POST", pattern: "/tokens/{token}/sins", handle: (*Server).postSIN, facades: tokenOwners, pathToken: true},
	{method: "DELETE", pattern: "/tokens/{token}/sins/{sin}", handle: (*Server).deleteSIN, facades: tokenOwners, pathToken: true},
	{method: "POST", pattern: "/sessions", handle: (*Server).postSession, noSession: true},

	{method: "POST", pattern: "/invoices", handle: (*Server).postInvoice, facades: posOrFull, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "GET", pattern: "/invoices", handle: (*Server).getInvoices, facades: merchantOnly, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "GET", pattern: "/invoices/guid/{guid}", handle: (*Server).getInvoiceByGUID, facades: posOrFull, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "DELETE", pattern: "/invoices/guid/{guid}", handle: (*Server).deleteInvoiceByGUID, facades: merchantOnly, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "PUT", pattern: "/invoices/pay/{id}", handle: (*Server).payInvoice, facades: merchantOnly, resource: ofInvoice, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "GET", pattern: "/invoices/{id}", handle: (*Server).getInvoice, facades: posOrFull, anonymous: true, resource: ofInvoice, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "PUT", pattern: "/invoices/{id}", handle: (*Server).putInvoice, facades: merchantOnly, resource: ofInvoice, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "DELETE", pattern: "/invoices/{id}", handle: (*Server).deleteInvoice, facades: merchantOnly, resource: ofInvoice, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "POST", pattern: "/invoices/{id}/notifications", handle: (*Server).postInvoiceNotification, facades: posOrFull, resource: ofInvoice, unsigned: true, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "GET", pattern: "/invoices/{id}/events", handle: (*Server).getInvoiceEvents, facades: posOrFull, anonymous: true, resource: ofInvoice, invalid: fault.InvoiceInvalid, missing: fault.InvoiceMissing},
	{method: "GET", pattern: "/events", handle: (*Server).stream, noSession: true},

	{method: "POST", pattern: "/refunds", handle: (*Server).postRefund, facades: merchantOnly, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "GET", pattern: "/refunds", handle: (*Server).getRefunds, facades: merchantOnly, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "GET", pattern: "/refunds/guid/{guid}", handle: (*Server).getRefund, facades: merchantOnly, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "PUT", pattern: "/refunds/guid/{guid}", handle: (*Server).putRefund, facades: merchantOnly, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "DELETE", pattern: "/refunds/guid/{guid}", handle: (*Server).deleteRefund, facades: merchantOnly, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "GET", pattern: "/refunds/{id}", handle: (*Server).getRefund, facades: merchantOnly, resource: ofRefund, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "PUT", pattern: "/refunds/{id}", handle: (*Server).putRefund, facades: merchantOnly, resource: ofRefund, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "DELETE", pattern: "/refunds/{id}", handle: (*Server).deleteRefund, facades: merchantOnly, resource: ofRefund, invalid: fault.RefundInvalid, missing: fault.RefundMissing},
	{method: "POST", pattern: "/refunds/{id}/notifications", handle: (*Server).postRefundNotification, facades: merchantOnly, resource: ofRefund, invalid: fault.RefundInvalid, missing: fault.RefundMissing},

	{method: "GET", pattern: "/ledgers", handle: (*Server).getLedgers, facades: merchantOnly},
	{method: "GET", pattern: "/ledgers/{currency}", handle: (*Server).getLedger, facades: merchantOnly},

	{method: "GET", pattern: "/settlements", handle: (*Server).getSettlements, facades: merchantOnly},
	{method: "GET", pattern: "/settlements/{id}", handle: (*Server).getSettlement, facades: merchantOnly, resource: ofSettlement},
	{method: "GET", pattern: "/settlements/{id}/reconciliationReport", handle: (*Server).getReport, facades: merchantOnly, resource: ofSettlement, foldCase: true},

	{method: "POST", pattern: "/payouts", handle: (*Server).postPayout, facades: payoutOnly},
	{method: "GET", pattern: "/payouts", handle: (*Server).getPayouts, facades: payoutOnly},
	{method: "POST", pattern: "/payouts/group", handle: (*Server).postPayoutGroup, facades: payoutOnly, bulk: true},
	{method: "DELETE", pattern: "/payouts/group/{groupId}", handle: (*Server).deletePayoutGroup, facades: payoutOnly},
	{method: "GET", pattern: "/payouts/{id}", handle: (*Server).getPayout, facades: payoutOnly, resource: ofPayout},
	{method: "DELETE", pattern: "/payouts/{id}", handle: (*Server).deletePayout, facades: payoutOnly, resource: ofPayout},
	{method: "POST", pattern: "/payouts/{id}/notifications", handle: (*Server).postPayoutNotification, facades: payoutOnly, resource: ofPayout},

	{method: "POST", pattern: "/recipients", handle: (*Server).postRecipients, facades: payoutOnly, bulk: true},
	{method: "GET", pattern: "/recipients", handle: (*Server).getRecipients, facades: payoutOnly},
	{method: "GET", pattern: "/recipients/{id}", handle: (*Server).getRecipient, facades: payoutOnly, resource: ofRecipient},
	{method: "PUT", pattern: "/recipients/{id}", handle: (*Server).putRecipient, facades: payoutOnly, resource: ofRecipient},
	{method: "DELETE", pattern: "/recipients/{id}", handle: (*Server).deleteRecipient, facades: payoutOnly, resource: ofRecipient},
	{method: "POST", pattern: "/recipients/{id}/notifications", handle: (*Server).postRecipientNotification, facades: payoutOnly, resource: ofRecipient},

	{method: "POST", pattern: "/bills", handle: (*Server).postBill, facades: posOrFull},
	{method: "GET", pattern: "/bills", handle: (*Server).getBills, facades: merchantOnly},
	{method: "GET", pattern: "/bills/{id}", handle: (*Server).getBill, facades: posOrFull},
	{method: "PUT", pattern: "/bills/{id}", handle: (*Server).putBill, facades: merchantOnly, resource: ofBill},
	{method: "POST", pattern: "/bills/{id}/deliveries", handle: (*Server).postBillDelivery, facades: posOrFull, resource: ofBill},

	{method: "POST", pattern: "/subscriptions", handle: (*Server).postSubscription, facades: merchantOnly},
	{method: "GET", pattern: "/subscriptions", handle: (*Server).getSubscriptions, facades: merchantOnly},
	{method: "GET", pattern: "/subscriptions/{id}", handle: (*Server).getSubscription, facades: merchantOnly},
	{method: "PUT", pattern: "/subscriptions/{id}", handle: (*Server).putSubscription, facades: merchantOnly, resource: ofSubscription},

	{method: "GET", pattern: "/rates", handle: (*Server).getRates},
	{method: "GET", pattern: "/rates/{base}", handle: (*Server).getRates},
	{method: "GET", pattern: "/rates/{base}/{quote}", handle: (*Server).getRate},
	{method: "GET", pattern: "/currencies", handle: (*Server).getCurrencies},
	{method: "GET", pattern: "/supportedwallets", handle: (*Server).getWallets, foldCase: true},
}

// find looks a request up in the table by its path as it was sent, still
// escaped: an escaped slash belongs to a parameter. HEAD is answered like GET.
// Where no row fits, allowed lists the methods the path exists for.
func find(method, escaped string) (rt *route, params map[string]string, allowed []string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if len(escaped) > 1 {
		escaped = strings.TrimSuffix(escaped, "/")
	}
	segments := strings.Split(escaped, "/")
	for i := range table {
		p, ok := table[i].match(segments)
		if !ok {
			continue
		}
		if table[i].method == method {
			return &table[i], p, nil
		}
		if !slices.Contains(allowed, table[i].method) {
			allowed = append(allowed, table[i].method)
		}
	}
	return nil, nil, allowed
}

func (rt *route) match(segments []string) (map[string]string, bool) {
	want := strings.Split(rt.pattern, "/")
	if len(want) != len(segments) {
		return nil, false
	}
	var params map[string]string
	for i, w := range want {
		got := segments[i]
		switch {
		case strings.HasPrefix(w, "{"):
			text, err := url.PathUnescape(got)
			if err != nil || text == "" {
				return nil, false
			}
			if params == nil {
				params = map[string]string{}
			}
			params[strings.Trim(w, "{}")] = text
		case w == got || rt.foldCase && strings.EqualFold(w, got):
		default:
			return nil, false
		}
	}
	return params, true
}

// methodDigits are the first two digits of an error code.
func methodDigits(method string) string {
	switch method {
	case http.MethodPost:
		return "01"
	case http.MethodGet, http.MethodHead:
		return "02"
	case http.MethodPut:
		return "03"
	case http.MethodDelete:
		return "04"
	}
	return "00"
}
