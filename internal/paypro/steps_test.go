package paypro

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/view"
	"github.com/quittance/quittance/wire"
)

func object(t *testing.T, text string) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// A wallet asks for the ways to pay, is told what to pay, has the payment looked at,
// and hands it over: the four steps of the protocol, on both engines. The invoice is
// paid before the watcher comes by, and stays so when it does.
func TestAWalletPaysInFourSteps(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.db = database(t) })
			inv := w.invoice()
			head := `"time":"2026-03-01T12:00:00.000Z","expires":"2026-03-01T12:15:00.000Z","memo":"Payment request for invoice ` + inv.ID +
				` of Café","paymentUrl":"https://pay.example.com/i/` + inv.ID + `","paymentId":"` + inv.ID + `"`
			options := `{` + head + `,"paymentOptions":[{"chain":"BTC","currency":"BTC","network":"regtest","estimatedAmount":20000,"requiredFeeRate":2,"minerFee":0,"decimals":8,"selected":false}]}`
			if diff := cmp.Diff(object(t, options), w.ask(inv, wire.PaymentOptionsType, "").ok()); diff != "" {
				t.Error(diff)
			}
			if got := w.read(inv); got.State.Asset != "" {
				t.Errorf("asking chose %q", got.State.Asset)
			}
			request := `{` + head + `,"chain":"BTC","currency":"BTC","network":"regtest","instructions":[{"type":"transaction","requiredFeeRate":2,"outputs":[{"amount":20000,"address":"` +
				inv.Terms.Options[0].Address + `"}]}]}`
			if diff := cmp.Diff(object(t, request), w.ask(inv, wire.PaymentRequestType, `{"chain":"BTC"}`).ok()); diff != "" {
				t.Error(diff)
			}
			if got := w.read(inv); got.State.Asset != "BTC" {
				t.Errorf("the request chose %q", got.State.Asset)
			}
			tx := w.draft(inv)
			before := w.record(inv)
			sent := `{"chain":"BTC","transactions":[{"tx":"` + text(tx) + `","weightedSize":141}]}`
			if diff := cmp.Diff(object(t, `{"payment":`+sent+`,"memo":"Payment appears valid"}`), w.ask(inv, wire.PaymentVerificationType, sent).ok()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, w.record(inv)); diff != "" {
				t.Error("verifying changed the invoice", diff)
			}
			w.sign(tx)
			paid := w.pay(inv, tx).ok()
			if diff := cmp.Diff(object(t, payment(text(tx))), paid["payment"]); diff != "" {
				t.Error(diff)
			}
			w.is(inv, invoice.Paid, due)
			waiting, err := w.chain.Mempool(t.Context())
			w.check(err)
			if !cmp.Equal(waiting, []string{tx.TxHash().String()}) {
				t.Errorf("the network has %v", waiting)
			}
			w.pay(inv, tx).ok() // the wallet did not hear
			w.sync()
			w.is(inv, invoice.Paid, due)
			w.mine(6)
			w.sync()
			w.is(inv, invoice.Complete, due)
			w.pay(inv, tx).ok()
			if n := len(w.read(inv).Credits); n != 1 {
				t.Errorf("it counts %d times", n)
			}
			shown, err := w.app.Invoice(t.Context(), inv.ID)
			w.check(err)
			r := &view.Renderer{Assets: w.app.Assets}
			if r.Invoice(shown, merchant.Full, w.clock()).NonPayProPaymentReceived {
				t.Error("it is said to be paid outside of the protocol")
			}
		})
	}
}

// What is still to be paid after a plain payment of a part can be paid through the
// protocol, and the merchant is told that a part was not.
func TestTheRestOfAPlainPaymentCanBePaid(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice()
	_, err := w.chain.Pay(t.Context(), sandboxPay(inv, 5_000))
	w.check(err)
	w.sync()
	got := w.ask(inv, wire.PaymentRequestType, `{"chain":"BTC","currency":"BTC"}`).ok()
	if out := got["instructions"].([]any)[0].(map[string]any)["outputs"].([]any)[0].(map[string]any); out["amount"] != 15_000.0 {
		t.Errorf("told to pay %v", out)
	}
	tx := w.draft(inv)
	w.verify(inv, tx).refused(400, "20000 to this invoice and 15000 BTC are due")
	tx.TxOut[0].Value = 15_000
	w.pay(inv, w.sign(tx)).ok()
	w.is(inv, invoice.Paid, due)
	shown, err := w.app.Invoice(t.Context(), inv.ID)
	w.check(err)
	if r := (&view.Renderer{Assets: w.app.Assets}); !r.Invoice(shown, merchant.Full, w.clock()).NonPayProPaymentReceived {
		t.Error("the plain payment is not told of")
	}
}

// An invoice that takes no more payments says so at every step, whatever is sent.
func TestEachStepSaysWhenAnInvoiceIsOver(t *testing.T) {
	w := newWorld(t)
	live := map[string]func(*invoice.Invoice){
		"expired at": func(*invoice.Invoice) { w.pass(16 * time.Minute) },
		"cancelled": func(inv *invoice.Invoice) {
			_, err := w.app.CancelInvoice(t.Context(), inv.ID, true)
			w.check(err)
		},
		"is paid already": func(inv *invoice.Invoice) {
			_, err := w.chain.Pay(t.Context(), sandboxPay(inv, due))
			w.check(err)
			w.sync()
		},
	}
	for words, end := range live {
		inv := w.invoice()
		tx := w.signed(inv)
		end(inv)
		before := w.record(inv)
		w.ask(inv, wire.PaymentOptionsType, "").refused(400, words)
		w.ask(inv, wire.PaymentRequestType, `{"chain":"BTC"}`).refused(400, words)
		w.verify(inv, tx).refused(400, words)
		w.pay(inv, tx).refused(400, words)
		w.ask(inv, wire.PaymentType, payment("zz")).refused(400, words)
		if diff := cmp.Diff(before, w.record(inv)); diff != "" {
			t.Error(words, diff)
		}
	}
	unknown := &invoice.Invoice{ID: "Hpqc63wvE1ZjzeeH4kEycF"}
	for _, kind := range []string{wire.PaymentOptionsType, wire.PaymentRequestType, wire.PaymentVerificationType, wire.PaymentType} {
		w.ask(unknown, kind, payment("00")).refused(404, "not found")
	}
}

// What is no step of the protocol is refused with a sentence.
func TestWhatIsNoStepIsRefused(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice()
	before := w.record(inv)
	good := text(w.draft(inv))
	for _, c := range []struct {
		name, kind, body, words string
	}{
		{"plain JSON", "application/json", `{"chain":"BTC"}`, "Content-Type"},
		{"no type", "", `{"chain":"BTC"}`, "Content-Type"},
		{"the first version's type", "application/verify-payment", `{}`, "Content-Type"},
		{"no JSON", wire.PaymentRequestType, `chain=BTC`, "cannot be read"},
		{"nothing", wire.PaymentRequestType, ``, "cannot be read"},
		{"a list", wire.PaymentRequestType, `["BTC"]`, "cannot be read"},
		{"a name twice", wire.PaymentRequestType, `{"chain":"BTC","chain":"LTC"}`, "cannot be read"},
		{"something behind it", wire.PaymentRequestType, `{"chain":"BTC"}{}`, "cannot be read"},
		{"bad UTF-8", wire.PaymentRequestType, "{\"chain\":\"BTC\xff\"}", "cannot be read"},
		{"capital letters", wire.PaymentRequestType, `{"CHAIN":"BTC"}`, "cannot be paid"},
		{"another chain", wire.PaymentRequestType, `{"chain":"DOGE"}`, "cannot be paid"},
		{"a currency of another chain", wire.PaymentRequestType, `{"chain":"LTC","currency":"BTC"}`, "cannot be paid"},
		{"a chain that cannot be looked at", wire.PaymentRequestType, `{"chain":"LTC"}`, "plain code"},
		{"a huge size", wire.PaymentVerificationType, `{"chain":"BTC","transactions":[{"tx":"` + good + `","weightedSize":1e999}]}`, "cannot be read"},
		{"the first version's list", wire.PaymentType, `{"currency":"BTC","transactions":["` + good + `"]}`, "cannot be read"},
		{"no transaction", wire.PaymentVerificationType, `{"chain":"BTC","transactions":[]}`, "exactly one"},
		{"two transactions", wire.PaymentType, `{"chain":"BTC","transactions":[{"tx":"` + good + `"},{"tx":"` + good + `"}]}`, "exactly one"},
		{"no hex", wire.PaymentVerificationType, payment("0x" + good), "hexadecimal"},
		{"half a byte", wire.PaymentVerificationType, payment(good[1:]), "hexadecimal"},
		{"too much", wire.PaymentType, payment(strings.Repeat("00", 40_000)), "longer than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.ask(inv, c.kind, c.body)
			a.refused(400, c.words)
			if diff := cmp.Diff(before, w.record(inv)); diff != "" {
				t.Error(diff)
			}
		})
	}
	w.askOf(w.mux, inv.ID, wire.PaymentOptionsType, "", http.Header{"X-Paypro-Version": {"3"}}).refused(400, "version 2")
}

// The network fee that a wallet was told holds until the end, though the market's
// rises, and is the market's for whoever was told nothing.
func TestTheFeeThatWasToldHolds(t *testing.T) {
	w := newWorld(t)
	told, later := w.invoice(), w.invoice()
	w.ask(told, wire.PaymentRequestType, `{"chain":"BTC"}`).ok()
	w.chain.SetFeeRate(7_250)
	w.pass(time.Minute)
	for inv, want := range map[*invoice.Invoice]float64{told: 2, later: 7.25} {
		o := w.ask(inv, wire.PaymentOptionsType, "").ok()["paymentOptions"].([]any)[0].(map[string]any)
		if o["requiredFeeRate"] != want || o["selected"] != (inv == told) {
			t.Errorf("told %v, not %v", o, want)
		}
	}
	w.verify(told, w.draft(told)).ok()
	w.verify(later, w.draft(later)).refused(400, "7.25 per byte")
}
