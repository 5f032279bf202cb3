package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/rate"
)

// refusals holds one way, or several, to every code that these resources can
// answer, through HTTP.
var refusals = []struct {
	name   string
	status int
	code   string
	adjust func(*setup)
	ask    func(w *world) *answer
}{
	// General.
	{"no trustworthy rate: no invoice", 503, "010000", noRates, func(w *world) *answer { return w.merchant.post("/invoices", order) }},
	{"no trustworthy rate: no rates", 503, "020000", noRates, func(w *world) *answer { return w.merchant.get("/rates") }},
	{"a currency without a fresh rate", 503, "020000", oneSource, func(w *world) *answer { return w.merchant.get("/rates/BTC/ETH") }},
	{"a base without a fresh rate", 503, "020000", oneSource, func(w *world) *answer { return w.merchant.get("/rates/ETH") }},
	{"nothing at this address", 404, "020001", nil, func(w *world) *answer { return w.merchant.get("/nothing") }},
	{"rates of a base that nobody prices", 404, "020001", oneSource, func(w *world) *answer { return w.merchant.get("/rates/LTC") }},
	{"rates of an unknown base", 404, "020001", nil, func(w *world) *answer { return w.merchant.get("/rates/XXY") }},
	{"a rate in an unknown currency", 404, "020001", nil, func(w *world) *answer { return w.merchant.get("/rates/BTC/XXY") }},
	{"claim an unknown pairing code", 404, "010001", nil, func(w *world) *answer {
		c := w.newClient(9)
		return c.do("POST", "/tokens", fields{"id": c.sin(), "pairingCode": "AAAAAAA"})
	}},
	{"claim an expired pairing code", 404, "010001", nil, func(w *world) *answer {
		offer, err := w.app.OfferToken(w.t.Context(), w.shop.ID, merchant.POS, "", false)
		w.must(err)
		w.pass(24*time.Hour + time.Second)
		c := w.newClient(9)
		return c.do("POST", "/tokens", fields{"id": c.sin(), "pairingCode": offer.Code})
	}},
	{"claim a pairing code twice", 404, "010001", nil, func(w *world) *answer {
		offer, err := w.app.OfferToken(w.t.Context(), w.shop.ID, merchant.POS, "", false)
		w.must(err)
		c := w.newClient(9)
		c.do("POST", "/tokens", fields{"id": c.sin(), "pairingCode": offer.Code}).list()
		return c.do("POST", "/tokens", fields{"id": w.newClient(10).sin(), "pairingCode": offer.Code})
	}},
	{"identities of an unknown token", 404, "020001", nil, func(w *world) *answer { return w.merchant.do("GET", "/tokens/nobody/sins", nil) }},
	{"remove an identity that is not linked", 404, "040001", nil, func(w *world) *answer {
		return w.merchant.do("DELETE", "/tokens/"+w.merchant.token+"/sins/"+w.rival.sin(), nil)
	}},
	{"a token for what is not a SIN", 400, "010002", nil, func(w *world) *answer {
		return w.till.do("POST", "/tokens", fields{"id": "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jz"})
	}},
	{"a token for an unknown facade", 400, "010002", nil, func(w *world) *answer {
		return w.till.do("POST", "/tokens", fields{"id": w.merchant.sin(), "facade": "admin"})
	}},
	{"facade together with a pairing code", 400, "010002", nil, func(w *world) *answer {
		return w.till.do("POST", "/tokens", fields{"id": w.merchant.sin(), "facade": "pos", "pairingCode": "AAAAAAA"})
	}},
	{"a pairing code of the wrong form", 400, "010002", nil, func(w *world) *answer {
		return w.till.do("POST", "/tokens", fields{"id": w.merchant.sin(), "pairingCode": "short"})
	}},
	{"a label of 61 characters", 400, "010002", nil, func(w *world) *answer {
		return w.till.do("POST", "/tokens", fields{"id": w.merchant.sin(), "label": strings.Repeat("x", 61)})
	}},
	{"claim a code that waits for approval", 400, "010002", nil, func(w *world) *answer {
		c := w.newClient(9)
		asked := c.do("POST", "/tokens", fields{"id": c.sin()}).list()[0].(map[string]any)
		return c.do("POST", "/tokens", fields{"id": c.sin(), "pairingCode": asked["pairingCode"]})
	}},
	{"link what is not a SIN", 400, "010002", nil, func(w *world) *answer {
		return w.merchant.do("POST", "/tokens/"+w.merchant.token+"/sins", fields{"sin": "T"})
	}},
	{"remove the identity that signs", 400, "040002", nil, func(w *world) *answer {
		return w.merchant.do("DELETE", "/tokens/"+w.merchant.token+"/sins/"+w.merchant.sin(), nil)
	}},
	{"a token without id", 400, "010003", nil, func(w *world) *answer { return w.till.do("POST", "/tokens", fields{"facade": "pos"}) }},
	{"link nothing", 400, "010003", nil, func(w *world) *answer {
		return w.merchant.do("POST", "/tokens/"+w.merchant.token+"/sins", fields{})
	}},
	{"a session without a request number", 400, "020003", nil, func(w *world) *answer { return w.till.do("GET", "/rates?sessionId=x", nil) }},
	{"an unknown session", 401, "020002", nil, func(w *world) *answer { return w.till.do("GET", "/rates?sessionId=x&requestNumber=1", nil) }},
	{"an unknown token", 401, "010002", nil, func(w *world) *answer { return w.merchant.do("POST", "/invoices", order.with(fields{"token": "x"})) }},
	{"an unsigned call with a merchant token", 401, "010002", nil, func(w *world) *answer {
		return (&client{w: w, token: w.merchant.token}).post("/invoices", order)
	}},
	{"a payout token for invoices", 403, "010002", nil, func(w *world) *answer { return w.payout.post("/invoices", order) }},
	{"a pos token for the list", 403, "020002", nil, func(w *world) *answer { return w.pos.get(wholeYear) }},

	// Invoices.
	{"an address that is no longer its wallet's", 500, "020100", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		_, err := w.raw.Exec(`UPDATE invoice SET terms = replace(terms, '"index":0', '"index":1') WHERE id = ?`, id(inv))
		w.must(err)
		return w.merchant.get("/invoices/" + id(inv))
	}},
	{"read an unknown invoice", 404, "020101", nil, func(w *world) *answer { return w.merchant.get("/invoices/Hpqc63wvE1ZjzeeH4kEycF") }},
	{"read an unknown guid", 404, "020101", nil, func(w *world) *answer { return w.merchant.get("/invoices/guid/none") }},
	{"update an unknown invoice", 404, "030101", nil, func(w *world) *answer {
		return w.merchant.put("/invoices/Hpqc63wvE1ZjzeeH4kEycF", fields{"buyerEmail": "a@b.example"})
	}},
	{"cancel an unknown invoice", 404, "040101", nil, func(w *world) *answer { return w.merchant.del("/invoices/Hpqc63wvE1ZjzeeH4kEycF") }},
	{"resend an unknown invoice", 404, "010101", nil, func(w *world) *answer {
		return w.merchant.post("/invoices/Hpqc63wvE1ZjzeeH4kEycF/notifications", nil)
	}},
	{"an unknown currency", 400, "010102", nil, func(w *world) *answer { return w.merchant.post("/invoices", order.with(fields{"currency": "XXY"})) }},
	{"a price of nothing", 400, "010102", nil, func(w *world) *answer { return w.merchant.post("/invoices", order.with(fields{"price": 0})) }},
	{"a negative price", 400, "010102", nil, func(w *world) *answer { return w.merchant.post("/invoices", order.with(fields{"price": -1})) }},
	{"more decimals than the dollar has", 400, "010102", nil, func(w *world) *answer { return w.merchant.post("/invoices", order.with(fields{"price": "1.001"})) }},
	{"a price that is no number", 400, "010102", nil, func(w *world) *answer { return w.merchant.post("/invoices", order.with(fields{"price": "ten"})) }},
	{"an unknown speed", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"transactionSpeed": "fast"}))
	}},
	{"posData of more than 4 KiB", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"posData": strings.Repeat("x", 4097)}))
	}},
	{"posData as an object", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"posData": fields{"a": 1}}))
	}},
	{"a plain http webhook where only https is allowed", 400, "010102", func(s *setup) { s.app.AllowHTTP = false }, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"notificationURL": "http://shop.example/hook"}))
	}},
	{"only currencies the shop cannot receive", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"paymentCurrencies": []string{"ETH"}}))
	}},
	{"an acceptance window of a second", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"acceptanceWindow": 999}))
	}},
	{"resend to nowhere", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices/"+id(w.merchant.create(nil))+"/notifications", nil)
	}},
	{"different tokens in query and body", 400, "010102", nil, func(w *world) *answer {
		return w.merchant.post("/invoices?token="+w.pos.token, order)
	}},
	{"both ways of contact at once", 400, "030102", nil, func(w *world) *answer {
		return w.update(fields{"buyerEmail": "a@b.example", "buyerSms": "+12223334444"})
	}},
	{"an address without a dot", 400, "030102", nil, func(w *world) *answer { return w.update(fields{"buyerEmail": "a@b"}) }},
	{"pay until an unknown state", 400, "030102", nil, func(w *world) *answer {
		return w.merchant.put("/invoices/pay/"+id(w.merchant.create(nil)), fields{"status": "new"})
	}},
	{"a list in an unknown state", 400, "020102", nil, func(w *world) *answer { return w.merchant.get(wholeYear + "&status=lost") }},
	{"a list from the last day to the first", 400, "020102", nil, func(w *world) *answer {
		return w.merchant.get("/invoices?dateStart=2026-02-02&dateEnd=2026-02-01")
	}},
	{"a list of a date that does not exist", 400, "020102", nil, func(w *world) *answer {
		return w.merchant.get("/invoices?dateStart=2026-02-30&dateEnd=2026-03-01")
	}},
	{"a page of none", 400, "020102", nil, func(w *world) *answer { return w.merchant.get(wholeYear + "&limit=0") }},
	{"a page from before the first", 400, "020102", nil, func(w *world) *answer { return w.merchant.get(wholeYear + "&offset=-1") }},
	{"forceCancel neither true nor false", 400, "040102", nil, func(w *world) *answer {
		return w.merchant.del("/invoices/" + id(w.merchant.create(nil)) + "?forceCancel=maybe")
	}},
	{"no price", 400, "010103", nil, func(w *world) *answer { return w.merchant.post("/invoices", fields{"currency": "USD"}) }},
	{"PRICE for price", 400, "010103", nil, func(w *world) *answer { return w.merchant.post("/invoices", fields{"PRICE": 10, "currency": "USD"}) }},
	{"no currency", 400, "010103", nil, func(w *world) *answer { return w.merchant.post("/invoices", fields{"price": 10}) }},
	{"no token", 400, "010103", nil, func(w *world) *answer { return w.merchant.do("POST", "/invoices", order) }},
	{"a list without its first day", 400, "020103", nil, func(w *world) *answer { return w.merchant.get("/invoices?dateEnd=2026-02-01") }},
	{"a list without its last day", 400, "020103", nil, func(w *world) *answer { return w.merchant.get("/invoices?dateStart=2026-02-01") }},
	{"an update of nothing", 400, "030103", nil, func(w *world) *answer { return w.update(fields{"buyerEmail": "", "buyerSms": "", "autoVerify": false}) }},
	{"cancel what is complete", 400, "040107", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.merchant.put("/invoices/pay/"+id(inv), fields{"status": "complete"}).ok()
		return w.merchant.del("/invoices/" + id(inv) + "?forceCancel=true")
	}},
	{"cancel what expired", 400, "040107", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.expire()
		return w.merchant.del("/invoices/" + id(inv))
	}},
	{"cancel a paid invoice whose buyer cannot be reached", 400, "040108", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.payShare(inv, 100)
		return w.merchant.del("/invoices/" + id(inv))
	}},
	{"an invoice of high value without a contact", 400, "010108", nil, func(w *world) *answer {
		w.settings(merchant.Settings{HighValueUSD: 100_00})
		return w.merchant.post("/invoices", order.with(fields{"price": 100}))
	}},
	{"cancel a paid invoice whose buyer's number is not verified", 400, "040109", nil, func(w *world) *answer {
		inv := w.merchant.create(fields{"buyerSms": "+12223334444"})
		w.payShare(inv, 100)
		return w.merchant.del("/invoices/" + id(inv))
	}},
	{"a number where no messages can be sent", 400, "030109", func(s *setup) { s.app.SMS = nil }, func(w *world) *answer {
		return w.update(fields{"buyerSms": "+12223334444"})
	}},
	{"a price below the account's threshold", 400, "010110", nil, func(w *world) *answer {
		w.settings(merchant.Settings{MinPriceUSD: 10_01})
		return w.merchant.post("/invoices", order)
	}},
	{"a price that the chain does not carry", 400, "010110", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"price": "0.01"}))
	}},
	{"a price above the account's threshold", 400, "010111", nil, func(w *world) *answer {
		w.settings(merchant.Settings{MaxPriceUSD: 9_99})
		return w.merchant.post("/invoices", order)
	}},
	{"a number of the wrong form, at creation", 400, "010112", nil, func(w *world) *answer {
		return w.merchant.post("/invoices", order.with(fields{"buyerSms": "0123"}))
	}},
	{"a number of the wrong form", 400, "030112", nil, func(w *world) *answer { return w.update(fields{"buyerSms": "12223334444"}) }},
	{"a wrong code", 400, "030113", nil, func(w *world) *answer {
		inv := w.merchant.create(fields{"buyerSms": "+12223334444"})
		wrong := "000000"
		if w.sms.lastCode("+12223334444") == wrong {
			wrong = "000001"
		}
		return w.merchant.put("/invoices/"+id(inv), fields{"buyerSms": "+12223334444", "smsCode": wrong})
	}},
	{"a code after a quarter of an hour", 400, "030113", nil, func(w *world) *answer {
		inv := w.merchant.create(fields{"buyerSms": "+12223334444"})
		w.pass(15*time.Minute + time.Second)
		return w.merchant.put("/invoices/"+id(inv), fields{"buyerSms": "+12223334444", "smsCode": w.sms.lastCode("+12223334444")})
	}},
	{"a message that cannot be sent", 400, "030113", nil, func(w *world) *answer {
		w.sms.fail = errors.New("no carrier")
		return w.update(fields{"buyerSms": "+12223334444"})
	}},
	{"another contact for an invoice of high value", 400, "030114", nil, func(w *world) *answer {
		w.settings(merchant.Settings{HighValueUSD: 1_00})
		inv := w.merchant.create(fields{"buyerEmail": "a@b.example"})
		return w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "c@d.example"})
	}},
	{"a second e-mail", 400, "030115", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "a@b.example"}).ok()
		return w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "c@d.example"})
	}},
	{"pay by itself on a live network", 400, "030116", live, func(w *world) *answer {
		return w.merchant.put("/invoices/pay/"+id(w.merchant.create(nil)), nil)
	}},
	{"verify by itself on a live network", 400, "030116", live, func(w *world) *answer {
		return w.update(fields{"buyerSms": "+12223334444", "autoVerify": true})
	}},
	{"pay what expired", 400, "030117", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.expire()
		return w.merchant.put("/invoices/pay/"+id(inv), nil)
	}},
	{"a contact for what was cancelled", 400, "030117", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.merchant.del("/invoices/" + id(inv)).ok()
		return w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "a@b.example"})
	}},
	{"an account without a wallet", 400, "010118", nil, func(w *world) *answer {
		m, _, err := w.app.CreateMerchant(w.t.Context(), "Empty", merchant.Settings{})
		w.must(err)
		return w.pair(m, merchant.Full, 9).post("/invoices", order)
	}},
	{"a sandbox that cannot pay", 400, "030119", nil, func(w *world) *answer {
		inv := w.merchant.create(nil)
		w.play.open()
		w.must(w.play.chain.Close())
		return w.merchant.put("/invoices/pay/"+id(inv), nil)
	}},
}

const wholeYear = "/invoices?dateStart=2026-01-01&dateEnd=2026-12-31"

func (w *world) update(f fields) *answer {
	return w.merchant.put("/invoices/"+id(w.merchant.create(nil)), f)
}

// expire lets the payment window of all that is open pass, and the chain be
// read beyond it.
func (w *world) expire() {
	w.t.Helper()
	w.pass(16 * time.Minute)
	w.must(w.play.Settle(w.t.Context()))
	w.must(w.app.CloseWindows(w.t.Context()))
}

type deadFeed struct{}

func (deadFeed) Current() (*rate.Table, error) { return nil, errors.New("all sources are silent") }

func noRates(s *setup) { s.app.Rates = deadFeed{} }

// oneSource has two witnesses for the price of BTC and only one for that of ETH.
func oneSource(s *setup) {
	vote := func(source, asset, usd string) rate.Vote {
		return rate.Vote{Source: source, Asset: asset, Quote: "USD", Price: rate.MustParse(usd), At: epoch}
	}
	table, err := rate.Combine([]rate.Vote{vote("a", "BTC", "50000"), vote("b", "BTC", "50000"), vote("a", "ETH", "2500")}, nil, epoch, rate.DefaultPolicy())
	if err != nil {
		panic(err)
	}
	s.app.Rates = feed.Static(table)
}

func live(s *setup) { s.app.Sandbox = nil }

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			var adjust []func(*setup)
			if c.adjust != nil {
				adjust = append(adjust, c.adjust)
			}
			c.ask(newWorld(t, adjust...)).refused(c.status, c.code)
		})
	}
}

// later are codes of resources that are not served yet.
var later = []fault.Code{
	fault.RefundGeneric, fault.RefundNotFound, fault.RefundInvalid, fault.RefundMissing,
	fault.RefundActive, fault.RefundInvoiceState, fault.RefundFeeAboveAmount,
}

func TestEveryCodeIsProducedThroughHTTP(t *testing.T) {
	produced := map[fault.Code]bool{}
	for _, c := range refusals {
		produced[fault.Code(c.code[2:])] = true
	}
	for code, meaning := range fault.Meaning {
		if produced[code] == slices.Contains(later, code) {
			t.Errorf("%s (%s): produced by a test %v, listed as later %v", code, meaning, produced[code], !produced[code])
		}
	}
}

func TestARefusalNamesTheBadField(t *testing.T) {
	w := newWorld(t)
	a := w.merchant.post("/invoices", order.with(fields{"buyer": fields{"email": "nobody"}})).refused(http.StatusBadRequest, "010102")
	first := a.body["errors"].([]any)[0].(map[string]any)
	if first["param"] != "buyer.email" || !strings.Contains(a.message(), "buyer.email") {
		t.Fatalf("%s", a.raw)
	}
}

func TestHighSpeedIsRefusedWhereUnconfirmedPaymentsAreNotSeen(t *testing.T) {
	w := newWorld(t, func(s *setup) {
		s.app.Assets = []app.Asset{{Code: "BTC", Chain: "BTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest)}}
	})
	w.merchant.post("/invoices", order.with(fields{"transactionSpeed": "high"})).refused(http.StatusBadRequest, "010102")
}
