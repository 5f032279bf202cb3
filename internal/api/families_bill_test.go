package api

import (
	"strings"

	"github.com/quittance/quittance/internal/merchant"
)

// twoItems is a bill of 10 USD, filled in as the SDKs' own tests do.
var twoItems = fields{
	"currency": "USD", "email": "secret@payer.example", "number": "secret-number", "name": "secret-name", "address1": "secret-street",
	"city": "Alexandria", "state": "VA", "zip": "23242", "country": "US", "phone": "555-123-456", "cc": []any{"secret@copy.example"},
	"dueDate": "2026-5-31", "passProcessingFee": true,
	"items": []any{
		fields{"description": "Test Item 1", "price": 6.00, "quantity": 1},
		fields{"description": "Test Item 2", "price": "4", "quantity": "1"},
	},
}

// plain is a bill without anything to hide: what a rival makes it may see.
var plain = twoItems.with(fields{"email": "john@doe.example", "number": "bill1234", "name": "John Doe", "address1": "2630 Hegal Place", "cc": []any{"jane@doe.example"}})

func items(more fields) []any {
	return []any{fields{"description": "x", "price": 1, "quantity": 1}.with(more)}
}

var badBill = map[string][]any{
	"currency": either(notText, []any{"XXY", "DOLLARS", nil, "", 5}), "email": either(notText, []any{"a", "a@b", nil, "", "Name <a@b.de>"}),
	"number": either(notText, long(1024)), "name": either(notText, long(1024)), "address1": either(notText, long(1024)), "city": either(notText, long(1024)),
	"cc": []any{5, true, fields{}, []any{1}, []any{"nobody"}, "nobody", []any{fields{}}}, "passProcessingFee": notFlag, "emailBill": notFlag,
	"dueDate": either(notText, []any{"2021-13-01", "tomorrow", "2021-02-30", "0001-01-01", 5, strings.Repeat("2", 900)}),
	"items": []any{
		5, true, fields{}, []any{}, nil, []any{1}, []any{"x"}, "x", items(fields{"price": nil}), items(fields{"price": -1}), items(fields{"price": "ten"}),
		items(fields{"price": 0.001}), items(fields{"price": "9999999999999999999999999999e18", "quantity": 1_000_000_000}), items(fields{"price": 0}),
		items(fields{"quantity": nil}), items(fields{"quantity": 0}), items(fields{"quantity": -1}), items(fields{"quantity": 1.5}), items(fields{"quantity": 1e12}),
		items(fields{"quantity": "many"}), items(fields{"description": nil}), items(fields{"description": " "}), items(fields{"description": strings.Repeat("x", 1025)}),
		items(fields{"description": fields{}}),
	},
}

var billFamily = &family{
	kind:   "bill",
	make:   func(c *client) map[string]any { return c.post("/bills", twoItems).ok() },
	makers: []merchant.Facade{merchant.Full, merchant.POS},
	entries: map[string]entry{
		"POST /bills":                 {body: always(plain), bad: badBill},
		"GET /bills":                  {query: "status=draft"},
		"GET /bills/{id}":             {},
		"PUT /bills/{id}":             {body: always(plain), bad: badBill},
		"POST /bills/{id}/deliveries": {},
	},
}

var series = fields{"billData": plain, "schedule": "weekly", "nextDelivery": "2026-03-02"}

func billData() (out []any) {
	for _, name := range sortedKeys(badBill) {
		for _, v := range badBill[name] {
			out = append(out, twoItems.with(fields{name: v}))
			if v == nil {
				out[len(out)-1] = func() fields { f := twoItems.with(nil); delete(f, name); return f }()
			}
		}
	}
	return append(out, nil, 5, "x", []any{1}, twoItems.with(fields{"dueDate": nil}))
}

var badSubscription = map[string][]any{
	"billData": billData(),
	"schedule": either(notText, []any{
		"daily", "0 0 * * *", "* * * * * *", "0 0 0 30 2 *", "0 0 0 1 * 8", "0 0 0 0 * *", "0 0 0 32 * *", "60 0 0 1 * *", "0 0 0 L * *", "@daily",
		"CRON_TZ=Europe/Berlin 0 0 0 1 * *", "0 */5 * * * *", "0 0 0 1 JAN *", "0 0 0 1 * * 2030", strings.Repeat("0 ", 200),
	}),
	"nextDelivery": either(notText, []any{"soon", "2026-02-30", "0001-01-01", 17}),
	"status":       either(notText, []any{"paid", "sent", 3}),
}

var subscriptionFamily = &family{
	kind: "subscription",
	make: func(c *client) map[string]any {
		return c.post("/subscriptions", series.with(fields{"billData": twoItems})).ok()
	},
	makers: []merchant.Facade{merchant.Full},
	entries: map[string]entry{
		"POST /subscriptions":     {body: always(series), bad: badSubscription},
		"GET /subscriptions":      {query: "status="},
		"GET /subscriptions/{id}": {},
		"PUT /subscriptions/{id}": {body: always(series), bad: badSubscription},
	},
}
