package watch

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
)

// What a hostile or careless payer may do (threats A4, CreditOnce).

func (w *world) payTo(amount uint64, to ...*invoice.Invoice) (txid string) {
	w.t.Helper()
	var outs []sandbox.Output
	for _, inv := range to {
		outs = append(outs, sandbox.Output{Address: inv.Terms.Options[0].Address, Amount: amount})
	}
	txid, err := w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: outs, Replaceable: true})
	w.check(err)
	return txid
}

func TestDustSpamCountsForWhatItIsAndDoesNotHinderThePayment(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	for range 20 {
		w.pay(inv, 294)
	}
	w.sync()
	w.is(inv, invoice.New, 20*294)
	w.pay(inv, due-20*294)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
}

func TestATransactionWithFiveHundredOutputsToOneAddressIsFiveHundredPayments(t *testing.T) {
	const due = 200_000 // of 100 USD at the fixed rate
	w := newWorld(t)
	inv, err := w.app.CreateInvoice(w.ctx, app.NewInvoice{
		Merchant: w.shop, Token: w.token, Price: "100", Order: invoice.Order{Currency: "USD"},
	})
	w.check(err)
	w.payTo(due/500, slices.Repeat([]*invoice.Invoice{inv}, 500)...)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
	if n := len(w.read(inv).Credits); n != 500 {
		t.Errorf("%d payments are known", n)
	}
}

func TestTheSameOutpointSeenAgainAndAgainIsOnePayment(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.sync()
	told := w.told(inv)
	for range 30 {
		w.watch.pool = newPool() // as if nothing had been read yet
		w.sync()
	}
	for range 3 {
		w.off()
		w.on()
	}
	w.is(inv, invoice.Paid, due)
	if again := w.told(inv); !slices.Equal(again, told) {
		t.Errorf("told %v, then %v", told, again)
	}
}

func TestTheLastMillisecondOfTheWindowIsInTimeAndTheNextIsNot(t *testing.T) {
	for offset, want := range map[time.Duration]invoice.Status{
		-time.Millisecond: invoice.Paid, 0: invoice.Paid, time.Millisecond: invoice.Expired,
	} {
		w := newWorld(t)
		inv := w.invoice(invoice.Medium)
		w.clock.forward(inv.Expires.Sub(w.clock.now()) + offset)
		w.pay(inv, due)
		w.sync()
		w.clock.forward(time.Minute)
		w.sync()
		w.is(inv, want, due)
		if late := slices.Contains(w.told(inv), invoice.LatePaymentNotice.Name); late != (want == invoice.Expired) {
			t.Errorf("%v from the end: told %v", offset, w.told(inv))
		}
	}
}

func TestTwentyReplacementsToAndFroEndWithTheLast(t *testing.T) {
	for _, speed := range []invoice.Speed{invoice.High, invoice.Medium} {
		w := newWorld(t)
		inv := w.invoice(speed)
		txid := w.pay(inv, due)
		w.sync()
		for i := range 20 {
			o := sandbox.ReplaceOptions{}
			want, sat := invoice.Invalid, uint64(0)
			if i%2 == 1 {
				o.To, o.Amount = inv.Terms.Options[0].Address, due
				want, sat = map[invoice.Speed]invoice.Status{invoice.High: invoice.Confirmed, invoice.Medium: invoice.Paid}[speed], due
			}
			var err error
			txid, err = w.chain.Replace(w.ctx, txid, o)
			w.check(err)
			w.sync()
			w.is(inv, want, sat)
		}
		w.mine(6)
		w.sync()
		w.is(inv, invoice.Complete, due)
	}
}

func TestReplacementsBetweenTwoReadingsLeaveTheLastOnly(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	for fee := range uint64(8) {
		o := sandbox.ReplaceOptions{FeeRate: 10 + 10*fee, To: inv.Terms.Options[0].Address, Amount: due}
		var err error
		txid, err = w.chain.Replace(w.ctx, txid, o)
		w.check(err)
	}
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
}

func TestOneTransactionPaysTwoInvoicesAndTakesBothBack(t *testing.T) {
	w := newWorld(t)
	a, b := w.invoice(invoice.Medium), w.invoice(invoice.High)
	txid := w.payTo(due, a, b)
	w.sync()
	w.is(a, invoice.Paid, due)
	w.is(b, invoice.Confirmed, due)
	w.replace(txid, "")
	w.sync()
	w.is(a, invoice.Invalid, 0)
	w.is(b, invoice.Invalid, 0)
}

func TestAnOldInvoicesAddressPaidLongAfterIsALatePayment(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.clock.forward(20 * time.Minute)
	w.sync()
	w.is(inv, invoice.Expired, 0)
	w.clock.forward(400 * 24 * time.Hour)
	w.off()
	w.on()
	w.pay(inv, due)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Expired, due)
	if told := w.told(inv); told[len(told)-1] != invoice.LatePaymentNotice.Name {
		t.Errorf("told %v", told)
	}
}

func TestACancelledInvoicesAddressPaidIsALatePayment(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	_, err := w.app.CancelInvoice(w.ctx, inv.ID, false)
	w.check(err)
	w.clock.forward(time.Millisecond)
	w.pay(inv, due)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Expired, due)
	if told := w.told(inv); !slices.Contains(told, invoice.LatePaymentNotice.Name) {
		t.Errorf("told %v", told)
	}
}

// The clock of the machine goes back an hour and forward three days (A18).
func TestAClockThatJumpsLosesNoPayment(t *testing.T) {
	w := newWorld(t)
	before := w.invoice(invoice.Medium)
	w.pay(before, due)
	w.sync()
	w.clock.forward(-time.Hour)
	between := w.invoice(invoice.Medium)
	w.pay(between, due)
	w.sync()
	w.is(before, invoice.Paid, due)
	w.is(between, invoice.Paid, due)
	w.mine(1)
	w.sync()
	w.clock.forward(72 * time.Hour)
	w.mine(5)
	w.sync()
	w.is(before, invoice.Complete, due)
	w.is(between, invoice.Complete, due)
}

// hiding is a back end that does not tell of some unconfirmed transactions.
type hiding struct {
	chain.Source
	hidden map[string]bool
}

func (h *hiding) Mempool(ctx context.Context) ([]string, error) {
	ids, err := h.Source.Mempool(ctx)
	return slices.DeleteFunc(ids, func(id string) bool { return h.hidden[id] }), err
}

func TestAPaymentThatAReorgTakesAndLaterBringsBackCountsOnce(t *testing.T) {
	w := newWorld(t)
	w.off()
	h := &hiding{Source: w.chain, hidden: map[string]bool{}}
	w.src = h
	w.on()
	inv := w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
	h.hidden[txid] = true
	w.reorg(6, sandbox.ReorgOptions{Unmined: true})
	w.sync()
	if got := w.read(inv).Status; got == invoice.Complete || got == invoice.Confirmed {
		t.Errorf("without its payment in the chain it is %s", got)
	}
	w.clock.forward(3 * time.Hour)
	w.sync()
	w.sync()
	w.clock.forward(time.Hour)
	w.sync()
	if got := w.read(inv).Status; got != invoice.Invalid {
		t.Errorf("hours without its payment it is %s", got)
	}
	delete(h.hidden, txid)
	w.sync()
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
	if n := len(w.read(inv).Credits); n != 1 {
		t.Errorf("%d payments are known", n)
	}
}
