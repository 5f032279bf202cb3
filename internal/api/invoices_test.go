package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/merchant"
)

// want compares some fields of an object by their JSON.
func want(t testing.TB, got map[string]any, fs fields) {
	t.Helper()
	for _, name := range sortedKeys(fs) {
		have, there := got[name]
		if fs[name] == nil {
			if there {
				t.Errorf("%s is there: %v", name, have)
			}
			continue
		}
		a, _ := json.Marshal(have)
		b, _ := json.Marshal(fs[name])
		if !bytes.Equal(a, b) {
			t.Errorf("%s is %s, want %s", name, a, b)
		}
	}
}

// What the official suites assert of the live service.
func TestCreationAsTheOfficialSuitesDoIt(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name      string
		send, got fields
	}{
		{"autoRedirect without redirectURL", fields{"autoRedirect": true}, fields{"autoRedirect": true, "redirectURL": nil}},
		{"a country of three letters", fields{"buyer": fields{"country": "USA"}}, fields{"buyer": fields{"country": "USA", "notify": false}}},
		{"a country of two letters", fields{"buyer": fields{"country": "AD"}}, fields{"buyer": fields{"country": "AD", "notify": false}}},
		{"a webhook to a host without a dot", fields{"notificationURL": "https://hook/x"}, fields{"status": "new", "notificationURL": nil}},
		{"a webhook to a host that does not exist", fields{"notificationURL": "https://no.such.host.invalid/"}, fields{"status": "new"}},
		{"empty texts are absent", fields{"notificationEmail": "", "buyerSms": "", "buyerEmail": "", "orderId": "", "buyer": fields{"email": ""}, "redirectURL": ""},
			fields{"status": "new", "orderId": nil, "buyer": nil, "buyerProvidedInfo": fields{}}},
		{"null is absent", fields{"autoRedirect": json.RawMessage("null"), "posData": json.RawMessage("null"), "buyer": json.RawMessage("null")}, fields{"posData": nil, "autoRedirect": false}},
		{"a currency in lower case", fields{"currency": "eur"}, fields{"currency": "EUR"}},
		{"a wallet that is not configured", fields{"forcedBuyerSelectedWallet": "bitpay"}, fields{"buyerProvidedInfo": fields{"selectedWallet": "bitpay"}}},
		{"a number at creation", fields{"buyerSms": "+12223334444"}, fields{"buyerProvidedInfo": fields{"sms": "+12223334444", "phoneNumber": "+12223334444", "smsVerified": false}}},
		{"the buyer is echoed", fields{"buyer": fields{"name": "Bill", "address1": "168 General Grove", "locality": "Port Horizon", "region": "New Port", "notify": true}},
			fields{"buyer": fields{"name": "Bill", "address1": "168 General Grove", "locality": "Port Horizon", "region": "New Port", "notify": true}}},
		{"every value as a text", fields{"price": "10.00", "fullNotifications": "False", "physical": "1", "acceptanceWindow": "1200000", "id": "x"},
			fields{"price": 10, "expirationTime": epoch.Add(20 * time.Minute).UnixMilli()}},
		{"read-only fields are ignored", fields{"universalCodes": fields{"paymentString": nil}, "status": "complete", "url": "x", "amountPaid": 5, "invoiceTime": 1},
			fields{"status": "new", "amountPaid": 0, "invoiceTime": epoch.UnixMilli()}},
		{"posData byte for byte", fields{"posData": `{"a": "ü/\u00fc","n":1.0}  `}, fields{"posData": `{"a": "ü/\u00fc","n":1.0}  `}},
		{"binary noise of a float", fields{"price": json.Number("0.30000000000000004")}, fields{"price": json.Number("0.3")}},
		{"a window of more than a day is a day", fields{"acceptanceWindow": 1 << 40}, fields{"expirationTime": epoch.Add(24 * time.Hour).UnixMilli()}},
		{"a quarter of an hour otherwise", nil, fields{"expirationTime": epoch.Add(15 * time.Minute).UnixMilli(), "currentTime": epoch.UnixMilli()}},
		{"one payment currency is preselected", fields{"paymentCurrencies": []string{"btc", "ETH"}, "selectedTransactionCurrency": "btc"}, fields{"buyerProvidedInfo": fields{"selectedTransactionCurrency": "BTC"}}},
		{"items, with Java's spelling", fields{"itemizedDetails": []fields{{"amount": 9.5, "description": "Hat"}, {"amount": "0.5", "IsFee": true}}},
			fields{"itemizedDetails": []fields{{"amount": 9.5, "description": "Hat", "isFee": false}, {"amount": 0.5, "description": "", "isFee": true}}}},
		{"PHP's empty object", fields{"buyer": []any{}}, fields{"buyer": nil}},
		{"a price in bitcoin", fields{"price": "0.00012345", "currency": "btc"}, fields{"currency": "BTC", "paymentTotals": fields{"BTC": 12345}, "paymentDisplayTotals": fields{"BTC": "0.00012345"}}},
		{"a price in a currency without decimals", fields{"price": 1500, "currency": "JPY"}, fields{"price": 1500, "currency": "JPY"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			want(t, w.merchant.create(c.send), c.got)
		})
		w.t = t
	}
}

func TestANewInvoiceForTheMerchant(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	want(t, inv, fields{
		"url": publicURL + "/invoice?id=" + id(inv), "status": "new", "price": 10, "currency": "USD", "exceptionStatus": false,
		"amountPaid": 0, "displayAmountPaid": "0", "transactionCurrency": nil, "underpaidAmount": nil, "overpaidAmount": nil,
		"paymentSubtotals": fields{"BTC": 20000}, "paymentTotals": fields{"BTC": 20000}, "paymentDisplayTotals": fields{"BTC": "0.000200"}, "paymentDisplaySubTotals": fields{"BTC": "0.000200"},
		"minerFees": fields{"BTC": fields{"satoshisPerByte": 0, "totalFee": 0, "fiatAmount": 0}}, "supportedTransactionCurrencies": fields{"BTC": fields{"enabled": true}},
		"universalCodes": fields{"paymentString": publicURL + "/i/" + id(inv)}, "transactions": []any{}, "refundAddresses": []any{}, "shopper": fields{}, "itemizedDetails": []any{},
		"targetConfirmations": 6, "transactionSpeed": "medium", "merchantName": "Shop", "isCancelled": false, "buyerProvidedInfo": fields{}, "lowFeeDetected": false, "nonPayProPaymentReceived": false,
	})
	if rate := inv["exchangeRates"].(map[string]any)["BTC"].(map[string]any)["USD"]; rate != json.Number("50000") {
		t.Errorf("rate %v", rate)
	}
}

// Which fields a facade sees, beyond those that everybody does.
func TestViews(t *testing.T) {
	w := newWorld(t)
	posOnly := []string{"token", "guid", "orderId", "posData", "buyerProvidedInfo"}
	merchantOnly := []string{"targetConfirmations", "transactions", "transactionSpeed", "buyer", "refundAddresses", "buyerProvidedEmail", "shopper", "merchantName"}
	full := w.merchant.create(sensible)
	pos := w.pos.create(sensible)
	public := w.till.do("GET", "/invoices/"+id(full), nil).ok()
	for _, c := range []struct {
		name string
		view map[string]any
		has  []string
		not  []string
	}{
		{"merchant", full, append(slices.Clone(posOnly), merchantOnly...), nil},
		{"pos", pos, posOnly, merchantOnly},
		{"public", public, nil, append(slices.Clone(posOnly), merchantOnly...)},
		{"the merchant of a pos invoice", w.merchant.get("/invoices/" + id(pos)).ok(), append(slices.Clone(posOnly), merchantOnly...), nil},
		{"pos of a merchant's invoice", w.pos.get("/invoices/" + id(full)).ok(), nil, append(slices.Clone(posOnly), merchantOnly...)},
	} {
		for _, name := range c.has {
			if _, there := c.view[name]; !there {
				t.Errorf("%s lacks %s", c.name, name)
			}
		}
		for _, name := range c.not {
			if _, there := c.view[name]; there {
				t.Errorf("%s shows %s", c.name, name)
			}
		}
		if _, there := c.view["notificationURL"]; there {
			t.Errorf("%s shows notificationURL", c.name)
		}
	}
}

func TestEveryReadGivesTheSameResourceToken(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	for _, got := range []map[string]any{
		w.merchant.get("/invoices/" + id(inv)).ok(), w.merchant.get("/invoices/guid/" + inv["guid"].(string)).ok(), w.merchant.get(wholeYear).list()[0].(map[string]any),
	} {
		want(t, got, fields{"token": inv["token"], "id": id(inv)})
	}
}

func TestTheSameGuidIsTheSameInvoice(t *testing.T) {
	w := newWorld(t)
	first := w.merchant.create(fields{"guid": "g1"})
	again := w.merchant.create(fields{"guid": "g1", "price": 99, "currency": "EUR"})
	want(t, again, fields{"id": id(first), "price": 10, "currency": "USD"})
	if other := w.pos.create(fields{"guid": "g1"}); id(other) == id(first) {
		t.Error("another token got this token's invoice")
	}
	if other := w.rival.create(fields{"guid": "g1"}); id(other) == id(first) {
		t.Error("another merchant got it")
	}
	w.payShare(first, 100)
	w.must(w.play.Mine(t.Context(), 3))
	paid := w.merchant.create(fields{"guid": "g1"})
	want(t, paid, fields{"id": id(first), "status": "confirmed"})
	if n := paid["transactions"].([]any)[0].(map[string]any)["confirmations"]; n != json.Number("3") {
		t.Errorf("%v confirmations", n)
	}
}

func TestTheSameGuidAtTheSameTime(t *testing.T) {
	w := newWorld(t)
	const callers = 24
	ids := make([]string, callers)
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() { ids[i] = id(w.merchant.create(fields{"guid": "at once", "price": 10 + i%3})) })
	}
	wait.Wait()
	for _, other := range ids {
		if other != ids[0] {
			t.Fatalf("%v", ids)
		}
	}
	if n := len(w.merchant.get(wholeYear).list()); n != 1 {
		t.Errorf("%d invoices", n)
	}
}

func TestUpdateOfTheContact(t *testing.T) {
	t.Run("an e-mail takes the place of the one given at creation", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(fields{"buyer": fields{"name": "Bill", "email": "first@b.example"}})
		// PHP sends what it does not use as empty texts.
		up := w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "second@b.example", "buyerSms": "", "smsCode": "", "autoVerify": false}).ok()
		for _, got := range []map[string]any{up, w.merchant.get("/invoices/" + id(inv)).ok()} {
			want(t, got, fields{"buyerProvidedEmail": "second@b.example", "buyer": fields{"name": "Bill", "email": "second@b.example", "notify": false}})
		}
		// The same once more changes nothing and is no error.
		w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "second@b.example"}).ok()
	})
	t.Run("a number and its code", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(nil)
		number := fields{"buyerSms": "+12223334444"}
		want(t, w.merchant.put("/invoices/"+id(inv), number).ok(), fields{"buyerProvidedInfo": fields{"sms": "+12223334444", "phoneNumber": "+12223334444", "smsVerified": false}})
		done := w.merchant.put("/invoices/"+id(inv), number.with(fields{"smsCode": w.sms.lastCode("+12223334444")})).ok()
		want(t, done, fields{"buyerProvidedInfo": fields{"sms": "+12223334444", "phoneNumber": "+12223334444", "smsVerified": true}})
	})
	t.Run("a number that verifies itself in the sandbox", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(nil)
		done := w.merchant.put("/invoices/"+id(inv), fields{"buyerSms": "+12223334444", "autoVerify": true}).ok()
		want(t, done, fields{"buyerProvidedInfo": fields{"sms": "+12223334444", "phoneNumber": "+12223334444", "smsVerified": true}})
	})
	t.Run("five wrong codes are enough", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(fields{"buyerSms": "+12223334444"})
		for range 5 {
			w.merchant.put("/invoices/"+id(inv), fields{"buyerSms": "+12223334444", "smsCode": "wrong"}).refused(http.StatusBadRequest, "030113")
		}
		w.merchant.put("/invoices/"+id(inv), fields{"buyerSms": "+12223334444", "smsCode": w.sms.lastCode("+12223334444")}).refused(http.StatusBadRequest, "030113")
	})
	t.Run("by the invoice's own token", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(nil)
		w.merchant.do("PUT", "/invoices/"+id(inv), fields{"token": inv["token"], "buyerEmail": "a@b.example"}).ok()
	})
	t.Run("a number that cannot be reached is not kept where no messages go out", func(t *testing.T) {
		w := newWorld(t, func(s *setup) { s.app.SMS = nil })
		inv := w.merchant.create(nil)
		before := w.rows()
		w.merchant.put("/invoices/"+id(inv), fields{"buyerSms": "+12223334444"}).refused(http.StatusBadRequest, "030109")
		if w.rows() != before {
			t.Error("the refusal changed the database")
		}
	})
}

func TestCancel(t *testing.T) {
	t.Run("an unpaid invoice expires", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(nil)
		want(t, w.merchant.del("/invoices/"+id(inv)).ok(), fields{"status": "expired", "isCancelled": true, "id": id(inv)})
		want(t, w.merchant.del("/invoices/"+id(inv)).ok(), fields{"status": "expired", "isCancelled": true})
	})
	t.Run("by guid", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(fields{"guid": "g"})
		want(t, w.merchant.del("/invoices/guid/g").ok(), fields{"status": "expired", "isCancelled": true, "id": id(inv)})
	})
	t.Run("a paid one is declined once the buyer can be reached", func(t *testing.T) {
		w := newWorld(t)
		inv := w.merchant.create(fields{"buyer": fields{"email": "a@b.example"}})
		w.payShare(inv, 100)
		want(t, w.merchant.del("/invoices/"+id(inv)).ok(), fields{"status": "declined", "isCancelled": true})
	})
	for _, yes := range []string{"true", "True", "1"} {
		t.Run("or by force: "+yes, func(t *testing.T) {
			w := newWorld(t)
			inv := w.merchant.create(nil)
			w.payShare(inv, 100)
			w.merchant.del("/invoices/"+id(inv)+"?forceCancel=").refused(http.StatusBadRequest, "040108")
			want(t, w.merchant.del("/invoices/"+id(inv)+"?forceCancel="+yes).ok(), fields{"status": "declined", "isCancelled": true})
		})
	}
}

func TestPayInTheSandbox(t *testing.T) {
	for _, c := range []struct {
		name          string
		speed         string
		body          fields
		status        string
		confirmations int
	}{
		{"confirmed unless told otherwise", "medium", nil, "confirmed", 1},
		{"confirmed", "high", fields{"status": "confirmed"}, "confirmed", 1},
		{"complete", "medium", fields{"status": "complete"}, "complete", 6},
		{"complete in the older spelling", "medium", fields{"complete": true}, "complete", 6},
		{"low speed knows no confirmed", "low", fields{"status": "confirmed"}, "complete", 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			inv := w.merchant.create(fields{"transactionSpeed": c.speed})
			paid := w.merchant.put("/invoices/pay/"+id(inv), c.body).ok()
			want(t, paid, fields{"status": c.status, "amountPaid": 20000, "displayAmountPaid": "0.000200", "transactionCurrency": "BTC", "exceptionStatus": false, "nonPayProPaymentReceived": true})
			tx := paid["transactions"].([]any)[0].(map[string]any)
			want(t, tx, fields{"amount": 20000, "confirmations": c.confirmations})
		})
	}
}

func TestAnUpdateOfTheStatusAlonePays(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	want(t, w.merchant.put("/invoices/"+id(inv), fields{"status": "complete"}).ok(), fields{"status": "complete"})
	other := w.merchant.create(nil)
	want(t, w.merchant.put("/invoices/"+id(other), fields{"status": "new", "buyerEmail": "ada@example.com"}).ok(), fields{"status": "new", "buyerProvidedEmail": "ada@example.com"})
}

func TestPartAndTooMuch(t *testing.T) {
	w := newWorld(t)
	part := w.merchant.create(nil)
	w.payShare(part, 40)
	want(t, w.merchant.get("/invoices/"+id(part)).ok(), fields{"status": "new", "exceptionStatus": "paidPartial", "amountPaid": 8000, "underpaidAmount": 12000, "overpaidAmount": nil})
	w.payShare(part, 100)
	want(t, w.merchant.get("/invoices/"+id(part)).ok(), fields{"status": "paid", "exceptionStatus": "paidOver", "amountPaid": 28000, "overpaidAmount": 8000, "underpaidAmount": nil})
	// A payment must still be possible to finish by the sandbox's own call.
	rest := w.merchant.create(nil)
	w.payShare(rest, 40)
	want(t, w.merchant.put("/invoices/pay/"+id(rest), nil).ok(), fields{"status": "confirmed", "exceptionStatus": false, "amountPaid": 20000})
}

func TestResend(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(sensible)
	for name, ask := range map[string]func() *answer{
		"the merchant's token, signed": func() *answer { return w.merchant.post("/invoices/"+id(inv)+"/notifications", nil) },
		"the merchant's token, unsigned": func() *answer {
			return (&client{w: w, token: w.merchant.token}).post("/invoices/"+id(inv)+"/notifications", nil)
		},
		"the invoice's token, unsigned": func() *answer {
			return w.till.do("POST", "/invoices/"+id(inv)+"/notifications", fields{"token": inv["token"]})
		},
	} {
		if got := ask().data(); got != "Success" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if n := len(w.column(`SELECT id FROM event WHERE code = 1012`)); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	var made []string // newest last
	for i := range 5 {
		made = append(made, id(w.merchant.create(fields{"orderId": fmt.Sprint("order ", i%2)})))
		w.pass(24 * time.Hour)
	}
	w.merchant.del("/invoices/" + made[4]).ok()
	w.rival.create(nil)
	for _, c := range []struct {
		name, query string
		want        []int // of made
	}{
		{"newest first", "dateStart=2026-01-01&dateEnd=2026-12-31", []int{4, 3, 2, 1, 0}},
		{"both days inclusive", "dateStart=2026-03-02&dateEnd=2026-03-04", []int{3, 2, 1}},
		{"one day", "dateStart=2026-03-02&dateEnd=2026-03-02", []int{1}},
		{"today is included by tomorrow", "dateStart=2026-03-05&dateEnd=2026-03-06", []int{4}},
		{"from the beginning of time", "dateStart=1970-01-01&dateEnd=9999-12-31", []int{4, 3, 2, 1, 0}},
		{"without separators", "dateStart=20260302&dateEnd=20260303", []int{2, 1}},
		{"the American way", "dateStart=03/02/2026&dateEnd=03/03/2026", []int{2, 1}},
		{"without zeros", "dateStart=2026-3-2&dateEnd=2026-3-3", []int{2, 1}},
		{"full times", "dateStart=2026-03-02T12:00:00.000Z&dateEnd=2026-03-03T11:59:59.999Z", []int{1}},
		{"full times without a zone", "dateStart=2026-03-02T12:00:00&dateEnd=2026-03-03T12:00:00", []int{2, 1}},
		{"a zone whose plus was not escaped", "dateStart=2026-03-02T14:00:00+02:00&dateEnd=2026-03-03T13:59:59+02:00", []int{1}},
		{"a page", "dateStart=2026-01-01&dateEnd=2026-12-31&limit=2&offset=1", []int{3, 2}},
		{"a page as texts, empty filters", "dateStart=2026-01-01&dateEnd=2026-12-31&limit=2&offset=0&status=&orderId=", []int{4, 3}},
		{"beyond the last", "dateStart=2026-01-01&dateEnd=2026-12-31&offset=5", nil},
		{"more than a page may hold", "dateStart=2026-01-01&dateEnd=2026-12-31&limit=5000", []int{4, 3, 2, 1, 0}},
		{"by state", "dateStart=2026-01-01&dateEnd=2026-12-31&status=expired", []int{4}},
		{"by state in any letter case", "dateStart=2026-01-01&dateEnd=2026-12-31&status=NEW&limit=1", []int{3}},
		{"by order", "dateStart=2026-01-01&dateEnd=2026-12-31&orderId=order%201", []int{3, 1}},
		{"by order and state", "dateStart=2026-01-01&dateEnd=2026-12-31&orderId=order%200&status=new", []int{2, 0}},
		{"none in this state", "dateStart=2026-01-01&dateEnd=2026-12-31&status=complete", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			a := w.merchant.get("/invoices?" + c.query)
			got := []int{}
			for _, inv := range a.list() {
				got = append(got, slices.Index(made, id(inv.(map[string]any))))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if a.body["facade"] != "merchant/invoice" || len(c.want) == 0 && !strings.Contains(string(a.raw), `"data":[]`) {
				t.Errorf("%s", a.raw)
			}
		})
		w.t = t
	}
}

func TestPriceThresholdsAreInclusive(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{MinPriceUSD: 10_00, MaxPriceUSD: 20_00, HighValueUSD: 20_01})
	w.merchant.create(fields{"price": 10})
	w.merchant.create(fields{"price": 20})
	w.merchant.post("/invoices", order.with(fields{"price": "9.99"})).refused(http.StatusBadRequest, "010110")
	w.merchant.post("/invoices", order.with(fields{"price": "20.01"})).refused(http.StatusBadRequest, "010111")
}
