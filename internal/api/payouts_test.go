package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// payee makes a recipient who has proven an address.
func (w *world) payee(email string) map[string]any {
	w.t.Helper()
	r := w.payout.post("/recipients", fields{"recipients": []any{fields{"email": email, "label": "x"}}}).list()[0].(map[string]any)
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		p, err := tx.Recipient(id(r))
		if err != nil {
			return err
		}
		p.Status, p.State.ShopperID = recipient.Active, "shopper-"+email
		p.State.Addresses = []recipient.Address{{Asset: "BTC", Address: buyersAddress, Proof: recipient.Proof{Kind: recipient.ByTestAmount, Test: "t"}, Given: w.clock(), From: w.clock()}}
		return tx.SetRecipient(p)
	}))
	return w.payout.get("/recipients/" + id(r)).ok()
}

// rich fills the shop's ledger with some dollars, and its wallet with the coins.
func (w *world) rich(dollars int) {
	w.t.Helper()
	w.paid("complete", fields{"price": dollars})
}

func (w *world) fund() {
	w.t.Helper()
	w.must(w.app.FundPayouts(w.t.Context()))
	w.spend()
}

var payTen = fields{"amount": 10, "currency": "USD", "ledgerCurrency": "USD"}

func TestAPayoutIsFundedAtTheRunAndSentOnce(t *testing.T) {
	w := newWorld(t)
	w.at(2, 10, 0)
	w.rich(100)
	r := w.payee("john@doe.com")
	p := w.payout.post("/payouts", payTen.with(fields{
		"recipientId": id(r), "reference": "payout_1", "label": "John Doe", "notificationURL": "https://shop.example/ipn", "notificationEmail": "m@shop.example",
		"effectiveDate": "2026-03-02",
	})).ok()
	want(t, p, fields{
		"status": "new", "amount": 10, "currency": "USD", "ledgerCurrency": "USD", "recipientId": id(r), "email": "john@doe.com", "reference": "payout_1",
		"effectiveDate": "2026-03-02T09:00:00.000Z", "requestDate": "2026-03-02T10:00:00.000Z", "transactions": []any{}, "ignoreEmails": false,
		"exchangeRates": nil, "dateExecuted": nil, "groupId": nil, "shopperId": "shopper-john@doe.com",
	})
	w.fund()
	want(t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "new"})
	w.at(2, 14, 0)
	w.fund()
	sent := w.payout.get("/payouts/" + id(p)).ok()
	want(t, sent, fields{"status": "processing", "dateExecuted": "2026-03-02T14:00:00.000Z"})
	if rates := sent["exchangeRates"].(map[string]any)["BTC"].(map[string]any); rates["USD"] == nil {
		t.Errorf("rates %v", rates)
	}
	want(t, sent["transactions"].([]any)[0].(map[string]any), fields{"amount": json.Number("0.0002"), "date": "2026-03-02T14:00:00.000Z"})
	w.fund()
	w.must(w.play.Mine(t.Context(), 6))
	want(t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "complete"})
	if got := w.sat("merchant USD") + " " + w.sat("reserved USD"); got != "-8989 0" { // 100 - 10 - 0.11
		t.Errorf("ledger and reserve: %s", got)
	}
	lines := w.merchant.get("/ledgers/USD").bare
	want(t, lines[1].(map[string]any), fields{"code": 1034, "amount": -1_000_000_000, "description": "PayoutRequest " + id(p), "currency": "USD", "invoiceId": nil})
	want(t, lines[2].(map[string]any), fields{"code": 1040, "amount": -11_000_000})
	for _, q := range []string{"?status=complete", "?reference=payout_1", "?startDate=2026-03-02&endDate=2026-03-02", ""} {
		if n := len(w.payout.get("/payouts" + q).list()); n != 1 {
			t.Errorf("%s: %d payouts", q, n)
		}
	}
	if a := w.payout.del("/payouts/" + id(p)); a.code() != "040002" {
		t.Errorf("a paid one was cancelled: %s", a.code())
	}
}

func TestAGroupPaysWhomItCanInOneTransaction(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now", PayoutFeeBasisPoints: 100})
	w.rich(100)
	a, b := w.payee("a@x.example"), w.payee("b@x.example")
	g := w.payout.post("/payouts/group", fields{"instructions": []any{
		payTen.with(fields{"recipientId": id(a)}), payTen.with(fields{"recipientId": id(a)}), payTen.with(fields{"email": "b@x.example", "amount": json.Number("20.5")}),
		payTen.with(fields{"recipientId": "Hpqc63wvE1ZjzeeH4kEycF"}), payTen.with(fields{"email": "john@doe.com", "amount": 1}), fields{"email": "late@x.example", "currency": "USD"},
	}})
	created, failed := g.body["created"].([]any), g.body["failed"].([]any)
	if len(created) != 3 || len(failed) != 3 {
		t.Fatalf("created %d, failed %d: %s", len(created), len(failed), g.raw)
	}
	_ = b
	for _, f := range failed {
		for _, key := range []string{"errMessage", "payoutId", "payee"} {
			if _, there := f.(map[string]any)[key]; !there {
				t.Errorf("%s is missing in %v", key, f)
			}
		}
	}
	group := created[0].(map[string]any)["groupId"].(string)
	if n := len(w.payout.get("/payouts?groupId=" + group).list()); n != 3 {
		t.Errorf("%d members", n)
	}
	w.fund()
	txids := map[string]bool{}
	for _, p := range created {
		now := w.payout.get("/payouts/" + id(p.(map[string]any))).ok()
		want(t, now, fields{"status": "processing", "groupId": group})
		txids[now["transactions"].([]any)[0].(map[string]any)["txid"].(string)] = true
	}
	if len(txids) != 1 {
		t.Errorf("%d transactions for one run", len(txids))
	}
	if got := w.sat("revenue/fees USD"); got != "-40" { // 0.10 + 0.10 + 0.20, each rounded down
		t.Errorf("fees %s", got)
	}
}

func TestAGroupIsCancelledAsFarAsItIsNew(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now"})
	w.rich(100)
	a := w.payee("a@x.example")
	g := w.payout.post("/payouts/group", fields{"instructions": []any{
		payTen.with(fields{"recipientId": id(a)}), payTen.with(fields{"email": "nobody@x.example"}),
	}})
	w.fund()
	group := g.body["created"].([]any)[0].(map[string]any)["groupId"].(string)
	c := w.payout.del("/payouts/group/" + group)
	cancelled, failed := c.body["cancelled"].([]any), c.body["failed"].([]any)
	if len(cancelled) != 1 || len(failed) != 1 {
		t.Fatalf("%s", c.raw)
	}
	want(t, cancelled[0].(map[string]any), fields{"status": "cancelled", "email": "nobody@x.example"})
	if a := w.payout.del("/payouts/group/Hpqc63wvE1ZjzeeH4kEycF"); a.code() != "040001" {
		t.Errorf("unknown group: %s", a.code())
	}
}

// What an SDK sends again because an answer was lost must not pay twice.
func TestTheSamePayoutIsNotMadeTwice(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now"})
	w.rich(200)
	r := id(w.payee("a@x.example"))
	ask := func(more fields) map[string]any {
		w.pass(time.Millisecond)
		return w.payout.post("/payouts", payTen.with(fields{"recipientId": r}).with(more)).ok()
	}
	first := ask(fields{"reference": "salary"})
	want(t, ask(fields{"reference": "salary", "x": 1}), fields{"id": id(first)})
	if other := ask(fields{"reference": "salary", "amount": 11}); id(other) == id(first) {
		t.Error("other content is another payout")
	}
	plain := ask(fields{"note": 1})
	again := ask(fields{"note": 2})
	if id(plain) == id(again) {
		t.Error("without a reference it is a new one")
	}
	w.fund()
	want(t, w.payout.get("/payouts/"+id(plain)).ok(), fields{"status": "processing"})
	want(t, w.payout.get("/payouts/"+id(again)).ok(), fields{"status": "new"})
	key, err := w.app.AddApprover(t.Context(), w.shop.ID, "Ann")
	w.must(err)
	_, err = w.app.ReleasePayout(t.Context(), id(again), key)
	w.must(err)
	w.fund()
	want(t, w.payout.get("/payouts/"+id(again)).ok(), fields{"status": "processing"})
	// A cancelled one does not stand in the way.
	mail := ask(fields{"reference": "gift", "recipientId": nil, "email": "new@x.example"})
	w.payout.del("/payouts/" + id(mail))
	if id(ask(fields{"reference": "gift", "recipientId": nil, "email": "new@x.example"})) == id(mail) {
		t.Error("a cancelled payout stood for a new one")
	}
	w.fund()
	// The very same signed request, within a day: the first answer. Later: held.
	signed := ask(fields{"n": 9})
	want(t, ask(fields{"n": 9}), fields{"id": id(signed)})
	w.pass(25 * time.Hour)
	late := ask(fields{"n": 9})
	if id(late) == id(signed) {
		t.Error("a day later it is another payout")
	}
	w.fund()
	want(t, w.payout.get("/payouts/"+id(late)).ok(), fields{"status": "new"})
}

func TestTwoPeopleReleaseWhatIsMuch(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now", PayoutApproveAbove: 5000})
	w.rich(300)
	p := w.payout.post("/payouts", payTen.with(fields{"recipientId": id(w.payee("a@x.example")), "amount": 50})).ok()
	ann, err := w.app.AddApprover(t.Context(), w.shop.ID, "Ann")
	w.must(err)
	bob, err := w.app.AddApprover(t.Context(), w.shop.ID, "Bob")
	w.must(err)
	release := func(key string) error { _, err := w.app.ReleasePayout(t.Context(), id(p), key); return err }
	w.must(release(ann))
	if err := release(ann); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("the same person twice: %v", err)
	}
	if err := release("qa_nobody"); err == nil {
		t.Error("an unknown key released a payout")
	}
	w.fund()
	want(t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "new"})
	w.must(release(bob))
	w.fund()
	want(t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "processing"})
}

func TestAPayoutWaitsForItsRecipientAndItsMoney(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now"})
	p := w.payout.post("/payouts", payTen.with(fields{"email": "new@x.example"})).ok()
	want(t, p, fields{"status": "new", "email": "new@x.example"})
	want(t, w.payout.get("/recipients/"+p["recipientId"].(string)).ok(), fields{"status": "invited"})
	rich := w.payout.post("/payouts", payTen.with(fields{"recipientId": id(w.payee("b@x.example"))})).ok()
	w.fund()
	got, err := w.app.Payout(t.Context(), "", id(rich))
	if err != nil || got.Status != payout.New || !strings.Contains(got.State.Problem, "the USD ledger has 0.00, and 10.11 are needed") {
		t.Errorf("%s: %q, %v", got.Status, got.State.Problem, err)
	}
	w.rich(30)
	w.fund()
	want(t, w.payout.get("/payouts/"+id(rich)).ok(), fields{"status": "processing"})
	want(t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "new"})
	if a := w.payout.del("/recipients/" + p["recipientId"].(string)); a.code() != "040002" {
		t.Errorf("its recipient was removed: %s", a.code())
	}
	w.payout.del("/payouts/" + id(p)).ok()
	w.payout.del("/recipients/" + p["recipientId"].(string)).ok()
}

// Another ledger of the merchant covers what one lacks.
func TestAnotherLedgerCoversAPayout(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now"})
	w.rich(100)
	p := w.payout.post("/payouts", payTen.with(fields{"recipientId": id(w.payee("a@x.example")), "ledgerCurrency": "EUR", "currency": "EUR"})).ok()
	w.fund()
	want(t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "processing", "ledgerCurrency": "EUR"})
	var codes []string
	for _, l := range append(w.merchant.get("/ledgers/USD").bare, w.merchant.get("/ledgers/EUR").bare...) {
		codes = append(codes, l.(map[string]any)["code"].(json.Number).String())
	}
	if strings.Join(codes, " ") != "1000 1011 1011 1034 1040" {
		t.Errorf("lines %v", codes)
	}
}

func TestWhatCannotBePaidOut(t *testing.T) {
	w := newWorld(t)
	r := w.payee("a@x.example")
	gone := w.payee("gone@x.example")
	w.payout.del("/recipients/" + id(gone))
	for _, c := range []struct {
		name, code, says string
		with             fields
	}{
		{"nobody", "010003", "recipientId, shopperId or email", fields{"recipientId": nil}},
		{"an unknown recipient", "010001", "Recipient not found", fields{"recipientId": "Hpqc63wvE1ZjzeeH4kEycF"}},
		{"a removed one", "010002", "is removed", fields{"recipientId": id(gone)}},
		{"no amount", "010003", "amount", fields{"amount": nil}},
		{"too little", "010002", "4.99 USD is below the minimum of 5 USD", fields{"amount": json.Number("4.99")}},
		{"a fraction of a cent", "010002", "2 decimals", fields{"amount": json.Number("10.001")}},
		{"no currency", "010003", "currency", fields{"currency": nil}},
		{"an unknown currency", "010002", "NOPE", fields{"currency": "NOPE"}},
		{"an unknown ledger", "010002", "NOPE", fields{"ledgerCurrency": "NOPE"}},
		{"a date that is none", "010002", "effectiveDate", fields{"effectiveDate": "soon"}},
		{"a day that is over", "010002", "from today", fields{"effectiveDate": "2026-02-01"}},
		{"a long reference", "010002", "100", fields{"reference": strings.Repeat("x", 101)}},
		{"a bad address for mail", "010002", "notificationEmail", fields{"notificationEmail": "x"}},
	} {
		a := w.payout.post("/payouts", payTen.with(fields{"recipientId": id(r)}).with(c.with))
		if a.code() != c.code || !strings.Contains(a.message(), c.says) {
			t.Errorf("%s: %s %q, want %s …%s…", c.name, a.code(), a.message(), c.code, c.says)
		}
	}
	if list := w.payout.get("/payouts").list(); len(list) != 0 {
		t.Errorf("refused payouts were stored: %v", list)
	}
	if a := w.payout.post("/payouts/group", fields{"instructions": []any{}}); a.code() != "010003" {
		t.Errorf("an empty group: %s", a.code())
	}
	if a := w.merchant.post("/payouts", payTen); a.status != 403 {
		t.Errorf("the merchant facade: %d", a.status)
	}
}

// One member that the signer's rules forbid fails and is given back; the others are
// paid as if it had not been there.
func TestOfAGroupOnlyTheMemberThatTheSignerRefusesFails(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{PayoutRuns: "now"})
	w.rich(200)
	for walletID := range w.signers {
		s, err := hot.New(hot.Config{
			Chain: bitcoin.Regtest, Kind: "bip84", Seed: hot.NewSeed(bytes.Repeat([]byte{1}, 64)), Now: w.clock, Policy: hot.Policy{MaxPayment: 50_000},
		})
		w.must(err)
		w.signers[walletID] = s
	}
	r := id(w.payee("a@x.example"))
	g := w.payout.post("/payouts/group", fields{"instructions": []any{
		payTen.with(fields{"recipientId": r}), payTen.with(fields{"recipientId": r, "amount": 40}), payTen.with(fields{"recipientId": r, "amount": 11}),
	}}).body["created"].([]any)
	w.fund()
	for i, status := range []string{"processing", "failed", "processing"} {
		want(t, w.payout.get("/payouts/"+id(nth(g, i))).ok(), fields{"status": status})
	}
	w.must(w.play.Mine(t.Context(), 6))
	for i, status := range []string{"complete", "failed", "complete"} {
		want(t, w.payout.get("/payouts/"+id(nth(g, i))).ok(), fields{"status": status})
	}
	if got := w.sat("merchant USD") + " " + w.sat("reserved USD"); got != "-17878 0" { // 200 - 10 - 11 - 2 × 0.11
		t.Errorf("ledger and reserve: %s", got)
	}
}
