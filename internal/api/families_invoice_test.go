package api

import (
	"strings"

	"github.com/quittance/quittance/internal/merchant"
)

// sensible is what an invoice holds that a stranger must not learn.
var sensible = fields{
	"notificationURL": "https://shop.example/hook", "orderId": "secret-order", "posData": "secret-posdata",
	"buyerEmail": "secret@buyer.example", "buyer": fields{"name": "secret-buyer"},
}

var invoiceFamily = &family{
	kind:   "invoice",
	make:   func(c *client) map[string]any { return c.create(sensible) },
	makers: []merchant.Facade{merchant.Full, merchant.POS},
	entries: map[string]entry{
		"POST /invoices": {body: always(order), bad: badInvoice},
		"GET /invoices": {query: "dateStart=2026-01-01&dateEnd=2026-12-31", filter: map[string][]string{
			"dateStart": append([]string{"", "2027-01-01"}, notADate...), "dateEnd": append([]string{"", "2025-12-31"}, notADate...),
			"status": {"lost", "new,paid", "*", "0", "'"}, "limit": notLimit, "offset": notSkip,
		}},
		"GET /invoices/guid/{guid}":    {},
		"DELETE /invoices/guid/{guid}": {},
		"PUT /invoices/pay/{id}":       {bad: map[string][]any{"status": either(notText, []any{"new", "expired", "paidish", 1}), "complete": notFlag}},
		"GET /invoices/{id}":           {},
		"PUT /invoices/{id}": {body: always(fields{"buyerSms": "+12223334444"}), bad: map[string][]any{
			"buyerEmail": either(notText, []any{"a", "a@b", "x y@z.de", "secret@buyer.example "}), "buyerSms": either(notText, []any{"123", "tel:+1222", "", nil}),
			"smsCode": notText, "autoVerify": notFlag,
		}},
		"DELETE /invoices/{id}":             {},
		"POST /invoices/{id}/notifications": {},
		"GET /invoices/{id}/events":         {},
	},
}

var badInvoice = map[string][]any{
	"price":    either(notNumber, []any{0, -1, "-0.01", "0.001", 1e30, nil, ""}),
	"currency": either(notText, []any{"XXY", "US", "DOLLARS", nil, "", 5, "U\u0000D"}),
	"guid":     either(notText, long(128)), "orderId": either(notText, long(1024)), "itemDesc": either(notText, long(1024)), "itemCode": either(notText, long(1024)),
	"posData": either(notText, long(4096)), "merchantName": either(notText, long(1024)),
	"notificationURL": either(notText, badURL), "redirectURL": either(notText, badURL), "closeURL": either(notText, badURL),
	"notificationEmail": either(notText, []any{"a", "a@b", "a b@c.de", "@x.de", "Name <a@b.de>"}), "buyerEmail": either(notText, []any{"a", "a@b", "a@b.de,c@d.de"}),
	"buyerSms": either(notText, []any{"123", "+0123456789", "+12", "+1222333444455566", "phone"}), "transactionSpeed": either(notText, []any{"fast", "highest", 1}),
	"autoRedirect": notFlag, "fullNotifications": notFlag, "extendedNotifications": notFlag, "physical": notFlag, "bitpayIdRequired": notFlag, "jsonPayProRequired": notFlag,
	"acceptanceWindow":                       either(notNumber, []any{-1, 1, 999, 60_000.5, "1e18.5"}),
	"paymentCurrencies":                      []any{5, true, fields{}, []any{1}, []any{"XXY"}, []any{"ETH"}, []any{fields{}}, "LTC"},
	"buyer":                                  either(notObject, []any{fields{"name": fields{}}, fields{"email": "nobody"}, fields{"notify": "perhaps"}, fields{"phone": []any{1}}, fields{"country": strings.Repeat("x", 1025)}}),
	"itemizedDetails":                        []any{5, true, fields{}, []any{1}, []any{"x"}, []any{fields{"amount": "ten"}}, []any{fields{"description": fields{}}}, []any{fields{"isFee": "maybe"}}, []any{fields{"amount": 1, "description": strings.Repeat("x", 1025)}}},
	"forcedBuyerSelectedTransactionCurrency": either(notText, []any{"ETH", "XXY"}), "selectedTransactionCurrency": either(notText, []any{"DOGE"}), "forcedBuyerSelectedWallet": either(notText, long(128)),
}

var tokenFamily = &family{
	entries: map[string]entry{
		"POST /tokens": {bad: map[string][]any{
			"id":     either(notText, []any{"", nil, "T", "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jz", strings.Repeat("T", 35), strings.Repeat("1", 5000)}),
			"facade": either(notText, []any{"admin", "MERCHANT", "public", "merchant/invoice"}), "pairingCode": either(notText, []any{"short", "toolong8", "ÄÖÜäöüß", "AAAAAA!", "AAAAAAA"}),
			"label": either(notText, []any{strings.Repeat("x", 61), "a\nb", "\u007f"}), "guid": either(notText, long(128)),
		}},
		"GET /tokens":              {},
		"GET /tokens/{token}/sins": {},
		"POST /tokens/{token}/sins": {
			body: always(fields{"sin": "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jy"}),
			bad:  map[string][]any{"sin": either(notText, []any{"", nil, "T", "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jz"})},
		},
		"DELETE /tokens/{token}/sins/{sin}": {},
	},
}
