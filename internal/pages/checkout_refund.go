package pages

import (
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/refund"
)

// refundNews tells a buyer on the checkout page of money that comes back. To the
// form that takes it leads the mailed link alone: the page's own address is known
// to the shop, and to whoever saw it.
type refundNews struct {
	ID         string
	Status     refund.Status
	Head, Body string
	Asks       bool   // the buyer has to open the link, or to give the code in it
	Field      string // the label of the address that is asked for
	MayAsk     bool   // the link can be sent again
	Stages     []stage
	Txid       string
}

func newsOf(f *refund.Refund, t *text, now time.Time) refundNews {
	n := refundNews{ID: f.ID, Field: fill(t.RefundAddress, "asset", f.Terms.Asset), Status: f.Status, Asks: f.Awaits(), MayAsk: app.MaySendClaimAgain(f, now), Txid: f.State.Txid, Stages: refundStages(f, t)}
	switch {
	case n.Asks:
		n.Head, n.Body = t.RefundAskHead, t.RefundAskText
	case f.Status == refund.Created:
		n.Head, n.Body = t.RefundWaitHead, t.RefundWaitText
	case f.Status == refund.Pending:
		n.Head, n.Body = t.RefundSentHead, t.RefundSentText
	case f.Status == refund.Success:
		n.Head, n.Body = t.RefundDoneHead, t.RefundDoneText
	case f.Status == refund.Canceled:
		n.Head, n.Body = t.RefundGoneHead, t.RefundGoneText
	default:
		n.Head, n.Body = t.RefundFailHead, t.RefundFailText
	}
	values := []string{"amount", shown(f.Terms.Asset, f.Terms.Net()), "contact", refund.Mask(f.Terms.Contact), "time", f.State.Notified.UTC().Format("2006-01-02, 15:04 UTC")}
	n.Head, n.Body = fill(n.Head, values...), fill(n.Body, values...)
	return n
}

// refundStages is how far a refund got; none for one that goes nowhere.
func refundStages(f *refund.Refund, t *text) []stage {
	done, goesOn := 0, true
	switch {
	case f.Status == refund.Canceled, f.Status == refund.Failure:
		return nil
	case f.Status == refund.Success:
		done = 3
	case f.State.Address != "":
		done, goesOn = 1, f.Status == refund.Pending
	}
	return timeline(done, goesOn, t.RefundAddressStep, t.RefundSentStep, t.RefundDoneStep)
}

// refunds fills in what comes back. A preview is the merchant's alone.
func (m *checkoutPage) refunds(s app.Shown, now time.Time) {
	for _, f := range s.Refunds {
		if f.Status == refund.Preview {
			continue
		}
		m.Refunds = append(m.Refunds, newsOf(f, m.T, now))
		m.Reload = m.Reload || f.Status.Open()
	}
}

// refundState is what the checkout's script compares.
func refundState(s app.Shown, now time.Time) string {
	var b strings.Builder
	for _, f := range s.Refunds {
		if f.Status == refund.Preview {
			continue
		}
		b.WriteString(string(f.Status))
		if f.Awaits() {
			b.WriteByte('?')
		}
		if app.MaySendClaimAgain(f, now) {
			b.WriteByte('!')
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}
