package watch

import (
	"context"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
)

// doubts is what was said about an invoice's only payment, and how sure it was.
func (w *world) doubts(id string) (score int, text string) {
	w.t.Helper()
	inv, err := w.app.Invoice(w.ctx, id)
	w.check(err)
	if len(inv.Credits) != 1 {
		w.t.Fatalf("%d payments", len(inv.Credits))
	}
	return inv.Credits[0].Score, strings.Join(inv.Credits[0].Doubts, "; ")
}

// paySure pays without signalling replacement.
func (w *world) paySure(inv *invoice.Invoice, amount uint64) string {
	w.t.Helper()
	txid, err := w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: inv.Terms.Options[0].Address, Amount: amount}}})
	w.check(err)
	return txid
}

// At high speed a payment counts on sight, if nothing speaks against it; else it
// waits for a block like any other, and says why.
func TestAHighSpeedPaymentCountsOnSightUnlessItCanBeTakenBack(t *testing.T) {
	w := newWorld(t)
	w.app.Assets[0].Depths = invoice.Standard
	sure := w.invoice(invoice.High)
	w.paySure(sure, due)
	w.sync()
	w.is(sure, invoice.Confirmed, due)
	if score, text := w.doubts(sure.ID); score != invoice.TopScore || text != "" {
		t.Errorf("a payment that nothing speaks against: %d, %s", score, text)
	}
	doubtful := w.invoice(invoice.High)
	w.pay(doubtful, due)
	w.sync()
	w.is(doubtful, invoice.Paid, due)
	if score, text := w.doubts(doubtful.ID); score != 0 || !strings.Contains(text, "replace") {
		t.Errorf("a payment that can be replaced: %d, %s", score, text)
	}
	w.mine(1)
	w.sync()
	w.is(doubtful, invoice.Confirmed, due)
}

// The merchant asks for more confirmations from a value on, and for certainty at high
// speed.
func TestAMerchantsRuleSaysHowManyConfirmationsAValueNeeds(t *testing.T) {
	w := newWorld(t)
	_, err := w.app.ChangeMerchant(w.ctx, w.shop.ID, func(m *merchant.Merchant) error {
		m.Settings.Confirm = "BTC:10:3:8:100"
		return nil
	})
	w.check(err)
	if w.shop, err = w.app.FindMerchant(w.ctx, w.shop.ID); err != nil {
		t.Fatal(err)
	}
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	for depth, want := range []invoice.Status{invoice.Paid, invoice.Paid, invoice.Paid, invoice.Confirmed, invoice.Confirmed, invoice.Confirmed, invoice.Confirmed, invoice.Confirmed, invoice.Complete} {
		if depth > 0 {
			w.mine(1)
		}
		w.sync()
		w.is(inv, want, due)
	}
	if n := inv.Target(); n != 8 {
		t.Errorf("the invoice asks for %d confirmations", n)
	}
	// A rule that is changed later changes no invoice that is there.
	_, err = w.app.ChangeMerchant(w.ctx, w.shop.ID, func(m *merchant.Merchant) error {
		m.Settings.Confirm = ""
		return nil
	})
	w.check(err)
	w.sync()
	w.is(inv, invoice.Complete, due)
}

// prober is a chain that says how transactions stand, while it can.
type prober struct {
	chain.Source
	err error
}

func (p *prober) Probe(context.Context, string) (*chain.Standing, error) {
	if p.err != nil {
		return nil, p.err
	}
	return &chain.Standing{Nodes: 1, Holds: 1}, nil
}

// A payment of which nothing can be learnt does not count on sight: it may have been
// replaced between being read and being asked about. It is asked about again.
func TestAPaymentThatNobodyCanJudgeDoesNotCountOnSight(t *testing.T) {
	for _, failure := range []error{errLine, chain.ErrNotFound} {
		w := newWorld(t)
		w.app.Assets[0].Depths = invoice.Standard
		p := &prober{Source: w.chain, err: failure}
		w.watch = w.newWatch(w.app, p)
		inv := w.invoice(invoice.High)
		w.paySure(inv, due)
		w.sync()
		w.is(inv, invoice.Paid, due)
		if score, text := w.doubts(inv.ID); score != 0 || text == "" {
			t.Errorf("after %v it is scored %d: %s", failure, score, text)
		}
		p.err = nil
		w.sync()
		w.is(inv, invoice.Confirmed, due)
	}
}

// A payment that was only seen in a block is nothing that anybody has judged. When the
// block leaves the chain, it waits like any other that can be taken back.
func TestAPaymentWhoseBlockLeftIsTrustedAsFarAsItWasJudged(t *testing.T) {
	w := newWorld(t)
	w.app.Assets[0].Depths = invoice.Standard
	inBlock, doubtful := w.invoice(invoice.High), w.invoice(invoice.High)
	w.pay(doubtful, due)
	w.sync()
	w.pay(inBlock, due)
	w.mine(2)
	w.sync()
	w.is(inBlock, invoice.Confirmed, due)
	w.is(doubtful, invoice.Confirmed, due)
	w.reorg(2, sandbox.ReorgOptions{Unmined: true})
	w.sync()
	w.is(inBlock, invoice.Paid, due)
	w.is(doubtful, invoice.Paid, due)
	w.mine(1)
	w.sync()
	w.is(inBlock, invoice.Confirmed, due)
	w.is(doubtful, invoice.Confirmed, due)
}

// A rule for all chains raises what each of them needs and lowers none; a rule that names
// a chain does as it says.
func TestARuleForAllChainsLowersNone(t *testing.T) {
	for rule, want := range map[string]invoice.Depths{
		"*:0:3:6": {Medium: 3, Credit: 20, Trust: invoice.DefaultTrust}, "*:0:3:30": {Medium: 3, Credit: 30, Trust: invoice.DefaultTrust},
		"BTC:0:1:6": {Medium: 1, Credit: 6, Trust: invoice.DefaultTrust}, "": {Medium: 2, Credit: 20, Trust: invoice.DefaultTrust},
	} {
		w := newWorld(t)
		w.app.Assets[0].Depths = invoice.Depths{Medium: 2, Credit: 20, Trust: invoice.DefaultTrust}
		var err error
		w.shop, err = w.app.ChangeMerchant(w.ctx, w.shop.ID, func(m *merchant.Merchant) error {
			m.Settings.Confirm = rule
			return nil
		})
		w.check(err)
		if got := w.invoice(invoice.Medium).Depths("BTC"); got != want {
			t.Errorf("%q: %+v", rule, got)
		}
	}
}
