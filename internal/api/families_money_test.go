package api

import (
	"strconv"
	"strings"

	"github.com/quittance/quittance/internal/merchant"
)

// A refund is made of an invoice that was paid: its buyer is known to the shop
// alone.
var refundFamily = &family{
	kind: "refund",
	make: func(c *client) map[string]any {
		inv := c.create(sensible.with(fields{"buyerEmail": "secret@buyer.example"}))
		inv = c.put("/invoices/pay/"+id(inv), fields{"status": "complete"}).ok()
		return c.post("/refunds", fields{"invoiceId": id(inv), "amount": 1, "preview": true, "reference": "secret-reference", "guid": "g-" + id(inv)}).ok()
	},
	makers: []merchant.Facade{merchant.Full},
	entries: map[string]entry{
		"POST /refunds": {names: true, body: func(res map[string]any) fields {
			inv := "Hpqc63wvE1ZjzeeH4kEycF"
			if res != nil {
				inv = res["invoice"].(string)
			}
			return fields{"invoiceId": inv, "amount": 1, "preview": true}
		}, bad: badRefund},
		"GET /refunds": {names: true, ask: func(res map[string]any) string {
			if res == nil {
				return "invoiceId=Hpqc63wvE1ZjzeeH4kEycF"
			}
			return "invoiceId=" + res["invoice"].(string)
		}},
		"GET /refunds/guid/{guid}":    {},
		"PUT /refunds/guid/{guid}":    {body: always(fields{"status": "created"}), bad: badConfirmation},
		"DELETE /refunds/guid/{guid}": {},
		"GET /refunds/{id}":           {},
		"PUT /refunds/{id}":           {body: always(fields{"status": "created"}), bad: badConfirmation},
		"DELETE /refunds/{id}":        {},
		"POST /refunds/{id}/notifications": {make: func(c *client) map[string]any {
			r := familyOfKind("refund").make(c)
			return c.put("/refunds/"+id(r), fields{"status": "created"}).ok()
		}},
	},
}

var (
	badRefund = map[string][]any{
		"amount": either(notNumber, []any{0, -1, "0.001", 1e30, nil, "", 11}), "currency": either(notText, []any{"EUR", "XXY"}),
		"invoiceId": either(notText, []any{nil, "", "x"}), "preview": notFlag, "immediate": notFlag, "buyerPaysRefundFee": notFlag,
		"reference": either(notText, long(100)), "guid": either(notText, long(maxGUID)),
	}
	badConfirmation = map[string][]any{"status": either(notText, []any{nil, "", "success", "preview", 1})}
)

var ledgerFamily = &family{
	params: func(map[string]any) map[string]string { return map[string]string{"currency": "USD"} },
	entries: map[string]entry{
		"GET /ledgers": {},
		"GET /ledgers/{currency}": {filter: map[string][]string{
			"startDate": append([]string{"2020-01-01", "2027-01-01"}, notADate...), "endDate": append([]string{"2020-01-01x"}, notADate...), "limit": notLimit, "offset": notSkip,
		}},
	},
}

// A settlement is made by the clock, not by a request.
var settlementFamily = &family{
	kind: "settlement",
	make: func(c *client) map[string]any {
		inv := c.create(sensible.with(fields{"price": 50}))
		c.put("/invoices/pay/"+id(inv), fields{"status": "complete"}).ok()
		s, err := c.w.app.SettleNow(c.w.t.Context(), c.account(), "USD")
		c.w.must(err)
		return c.get("/settlements/" + s.ID).ok()
	},
	makers: []merchant.Facade{merchant.Full},
	entries: map[string]entry{
		"GET /settlements": {filter: map[string][]string{
			"dateStart": notADate, "dateEnd": notADate, "startDate": notADate, "endDate": notADate, "status": {"lost", "*", "0"}, "limit": notLimit, "offset": notSkip,
		}},
		"GET /settlements/{id}":                      {},
		"GET /settlements/{id}/reconciliationReport": {},
	},
}

var recipientFamily = &family{
	kind: "recipient",
	make: func(c *client) map[string]any {
		mail := "secret@" + c.w.fresh() + ".example"
		return c.post("/recipients", fields{"recipients": []any{fields{"email": mail, "label": "secret-label"}}}).list()[0].(map[string]any)
	},
	makers: []merchant.Facade{merchant.Payout},
	entries: map[string]entry{
		"POST /recipients": {body: always(fields{"recipients": []any{fields{"email": "john@doe.com"}}}), bad: map[string][]any{
			"recipients": {nil, "", true, 5, []any{}, []any{5}, []any{fields{}}, []any{fields{"email": "x"}}, []any{fields{"email": "a@b.example", "notificationURL": "ftp://x"}}}, "guid": notText,
		}},
		"GET /recipients":      {filter: map[string][]string{"status": {"lost", "*", "0"}, "limit": notLimit, "offset": notSkip}},
		"GET /recipients/{id}": {},
		"PUT /recipients/{id}": {body: always(fields{"label": "secret-other"}), bad: map[string][]any{
			"label": either(notText, []any{strings.Repeat("x", 201)}), "notificationURL": either(notText, badURL),
		}},
		"DELETE /recipients/{id}":             {},
		"POST /recipients/{id}/notifications": {},
	},
}

var payoutFamily = &family{
	kind: "payout",
	make: func(c *client) map[string]any {
		mail := "secret@" + c.w.fresh() + ".example"
		g := c.post("/payouts/group", fields{"instructions": []any{payTen.with(fields{"email": mail, "reference": "secret-reference", "label": "secret-label"})}})
		return g.body["created"].([]any)[0].(map[string]any)
	},
	makers: []merchant.Facade{merchant.Payout},
	params: func(res map[string]any) map[string]string {
		if group, ok := res["groupId"].(string); ok {
			return map[string]string{"groupId": group}
		}
		return map[string]string{"groupId": "Hpqc63wvE1ZjzeeH4kEycF"}
	},
	entries: map[string]entry{
		"POST /payouts": {body: always(payTen.with(fields{"email": "john@doe.com"})), bad: badPayout},
		"GET /payouts": {filter: map[string][]string{
			"startDate": notADate, "endDate": notADate, "status": {"lost", "*", "0"}, "limit": notLimit, "offset": notSkip,
		}},
		"POST /payouts/group": {body: always(fields{"instructions": []any{payTen.with(fields{"email": "john@doe.com"})}}), bad: map[string][]any{
			"instructions": {nil, "", true, 5, []any{}, []any{5}, fields{}},
		}},
		"DELETE /payouts/group/{groupId}":  {},
		"GET /payouts/{id}":                {},
		"DELETE /payouts/{id}":             {},
		"POST /payouts/{id}/notifications": {},
	},
}

var badPayout = map[string][]any{
	"amount": either(notNumber, []any{0, -1, "0.001", "4.99", 1e30, nil, ""}), "currency": either(notText, []any{nil, "", "XXY", "SYP"}),
	"ledgerCurrency": either(notText, []any{"XXY"}), "email": either(notText, []any{nil, "", "x"}), "recipientId": {"x", true}, "shopperId": {"x", true},
	"reference": either(notText, long(100)), "notificationURL": either(notText, badURL), "notificationEmail": either(notText, []any{"x"}),
	"effectiveDate": either(notText, []any{"soon", "2020-01-01", "2026-02-30"}), "ignoreEmails": notFlag,
}

// fresh is a text that the world has not given out before.
func (w *world) fresh() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.given++
	return "n" + strconv.Itoa(w.given)
}

// account is the merchant behind a client's token, as it is now.
func (c *client) account() *merchant.Merchant {
	c.w.t.Helper()
	_, m, err := c.w.app.Token(c.w.t.Context(), c.token)
	c.w.must(err)
	return m
}

func familyOfKind(kind string) *family {
	for _, f := range families {
		if f.kind == kind {
			return f
		}
	}
	return nil
}
