package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
)

// Everything that can happen to a ledger here happens, and each code of the API
// that can occur is there, with the fields that its table asks for and the
// balances still the sum of the lines.
func TestEveryLedgerCodeIsWrittenBySomethingThatHappens(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	fees := merchant.Settings{FeeBasisPoints: 100, PayoutFeeBasisPoints: 100, PayoutRuns: "now", OnOver: merchant.ToCredit, SettlementMinimum: 100, SettlementAddress: buyersAddress}
	w.settings(fees)
	usd, _ := money.Lookup("USD")
	eur, _ := money.Lookup("EUR")
	inv := w.paid("complete", fields{"price": 200, "orderId": "o-1"})
	w.must(w.app.RefundFee(ctx, w.shopNow(), id(inv)))
	if err := w.app.RefundFee(ctx, w.shopNow(), id(inv)); err == nil {
		t.Error("a fee was given back twice")
	}
	w.overpaidAndReturned()
	_, err := w.app.ExchangeLedger(ctx, w.shopNow(), usd, eur, money.NewUnits(5_000), 50)
	w.must(err)
	w.must(w.app.AdjustLedger(ctx, w.shopNow(), usd, money.NewDelta(-100), "Chargeback of a friend"))
	w.must(w.app.DepositFiat(ctx, w.shopNow(), usd, money.NewUnits(1_000), "SEPA 4711"))
	if err := w.app.DepositFiat(ctx, w.shopNow(), usd, money.NewUnits(1_000), "SEPA 4711"); err == nil {
		t.Error("a deposit was booked twice")
	}
	w.deposit()
	w.refundsBothWays()
	w.payoutCovered()
	w.settlements(fees)
	w.must(w.reorgAway(w.paid("complete", fields{"price": 12})))

	seen := w.codes(t)
	for _, c := range ledger.Codes() {
		if !slices.Contains(seen, c) {
			t.Errorf("nothing wrote %d %s", c, c.Name())
		}
	}
	_, err = w.app.Verify(ctx, app.VerifyOptions{Sources: map[string]chain.Source{"BTC": w.play.chain}, Report: func(f app.Finding) {
		if f.Breach != "" {
			t.Errorf("%s: %s", f.Name, f.Breach)
		}
	}})
	w.must(err)
}

// overpaidAndReturned credits more than was due, with its fee, and gives it back.
func (w *world) overpaidAndReturned() {
	w.t.Helper()
	over := w.merchant.create(fields{"buyer": fields{"email": "b@example.com"}})
	w.payShare(over, 300)
	w.must(w.play.Mine(w.t.Context(), 6))
	w.must(w.app.DecideUnapplied(w.t.Context()))
	w.must(w.app.ReturnKept(w.t.Context(), id(over)))
	if err := w.app.ReturnKept(w.t.Context(), id(over)); err == nil {
		w.t.Error("what was kept was returned twice")
	}
	list := w.merchant.get("/refunds?invoiceId=" + id(over)).list()
	if len(list) != 1 {
		w.t.Fatalf("the buyer is offered %d refunds", len(list))
	}
}

// deposit funds the ledger with coins.
func (w *world) deposit() {
	w.t.Helper()
	to, err := w.app.DepositAddress(w.t.Context(), w.shopNow(), "BTC")
	w.must(err)
	_, err = w.play.Pay(w.t.Context(), to, 400_000)
	w.must(err)
	w.must(w.play.Mine(w.t.Context(), 6))
}

func (w *world) refundsBothWays() {
	w.t.Helper()
	for _, immediate := range []bool{true, false} {
		r := w.refund(w.paid("complete", nil), fields{"amount": 3, "immediate": immediate}).ok()
		w.claim(r, buyersAddress)
	}
	w.spend()
	w.must(w.play.Mine(w.t.Context(), 6))
}

// payoutCovered pays out of a ledger that has too little, so that another covers.
func (w *world) payoutCovered() {
	w.t.Helper()
	p := w.payout.post("/payouts", fields{"amount": 60, "currency": "EUR", "ledgerCurrency": "EUR", "recipientId": id(w.payee("p@example.com"))}).ok()
	w.fund()
	w.must(w.play.Mine(w.t.Context(), 6))
	want(w.t, w.payout.get("/payouts/"+id(p)).ok(), fields{"status": "complete"})
}

// settlements settles once on each rail, and has the bank send one back.
func (w *world) settlements(s merchant.Settings) {
	w.t.Helper()
	ctx := w.t.Context()
	for _, rail := range []string{"book", "manual", "wallet"} {
		s.SettlementRail = rail
		w.settings(s)
		for _, returned := range []bool{true, false} {
			w.paid("complete", fields{"price": 20})
			w.pass(1000)
			made, err := w.app.SettleNow(ctx, w.shopNow(), "USD")
			w.must(err)
			if rail != "manual" {
				break
			}
			w.paid("complete", nil) // for what the bank takes
			_, err = w.app.MarkSettlement(ctx, made.ID, !returned, money.NewUnits(100), "")
			w.must(err)
		}
	}
	w.spend()
	w.must(w.play.Mine(ctx, 6))
}

// reorgAway has a deep reorganisation take an invoice's payment back for good.
func (w *world) reorgAway(inv map[string]any) error {
	w.t.Helper()
	ctx := w.t.Context()
	txid := w.merchant.get("/invoices/" + id(inv)).ok()["transactions"].([]any)[0].(map[string]any)["txid"].(string)
	if _, err := w.play.chain.Reorg(ctx, 6, sandbox.ReorgOptions{Drop: []string{txid}}); err != nil {
		return err
	}
	return w.play.Settle(ctx)
}

// codes are those in all of the shop's ledgers. Each line has what its code asks for.
func (w *world) codes(t *testing.T) (seen []ledger.Code) {
	t.Helper()
	eight, _ := money.Lookup("BTC")
	for _, l := range w.merchant.get("/ledgers").list() {
		row := l.(map[string]any)
		code := row["currency"].(string)
		var sum money.Delta
		for _, e := range w.merchant.get("/ledgers/" + code).bare {
			line := e.(map[string]any)
			n, err := line["code"].(json.Number).Int64()
			w.must(err)
			seen = append(seen, ledger.Code(n))
			checkLine(t, ledger.Code(n), line)
			d, err := money.ParseDelta(line["amount"].(json.Number).String())
			w.must(err)
			sum, err = sum.Add(d)
			w.must(err)
		}
		// Bitcoin has the eight decimals that every line is scaled by.
		stands, err := money.ParseDecimal(eight, strings.TrimPrefix(row["balance"].(json.Number).String(), "-"))
		w.must(err)
		if stands.Cmp(sum.Abs()) != 0 {
			t.Errorf("the %s ledger stands at %v, its lines add up to %s of 10^-8", code, row["balance"], sum)
		}
	}
	return seen
}

// checkLine holds a line against the table of the wire specification, part 2, 2.2.
func checkLine(t *testing.T, c ledger.Code, line map[string]any) {
	t.Helper()
	for _, f := range []string{"type", "code", "amount", "scale", "timestamp", "id", "txType"} {
		if line[f] == nil {
			t.Errorf("%d has no %s: %v", c, f, line)
		}
	}
	if line["type"] != c.Name() {
		t.Errorf("%d is called %v", c, line["type"])
	}
	ofInvoice := map[ledger.Code]bool{ledger.Invoice: true, ledger.InvoiceRefund: true, ledger.InvoiceFee: true, ledger.RefundFee: true, ledger.ImmediateRefund: true}
	for _, f := range []string{"invoiceId", "invoiceAmount", "invoiceCurrency", "transactionCurrency", "buyerFields"} {
		if ofInvoice[c] && line[f] == nil {
			t.Errorf("%d has no %s: %v", c, f, line)
		}
	}
	if (line["description"] == nil) != (c == ledger.PayoffNegative) {
		t.Errorf("%d says %v", c, line["description"])
	}
	if (c == ledger.InvoiceRefund || c == ledger.ImmediateRefund) != (line["supportRequest"] != nil) {
		t.Errorf("%d names the request %v", c, line["supportRequest"])
	}
}
