package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// toPay is ten dollars for somebody.
func (d *desk) toPay(email, reference string) wire.PayoutRequest {
	return wire.PayoutRequest{
		Amount: "10.00", Currency: "USD", LedgerCurrency: "USD", Email: email, Reference: reference,
		NotificationURL: d.ear.url, NotificationEmail: "books@example.com", Label: "wages",
	}
}

// Somebody who was only invited is promised money and gets it once an address is
// proven.
func (d *desk) paysRecipient(t *testing.T) {
	d.sell(t, "100.00")
	ctx, ada := t.Context(), newVisitor(t, d.s)
	list, err := d.c.SubmitRecipients(ctx, "", wire.NewRecipient{Email: "ada@example.com", Label: "Ada", NotificationURL: d.ear.url})
	must(t, err)
	seen := map[string]bool{}
	link := ada.link(seen)
	p, err := d.c.CreatePayout(ctx, d.toPay("ada@example.com", "first wages"))
	must(t, err)
	if p.Status != "new" || p.RecipientID != list[0].ID || len(p.Transactions) != 0 || p.Label != "wages" || p.NotificationURL != d.ear.url {
		t.Errorf("promised: %+v", p)
	}
	must(t, d.c.ResendPayout(ctx, p.ID))
	if err := d.c.RemoveRecipient(ctx, list[0].ID); code(err) != "040002" {
		t.Errorf("a recipient with money waiting was removed: %v", err)
	}
	before := d.balance(t)
	ada.step(link, "confirm", nil)
	ada.part(ada.prove(link), `data-step="(done)"`)
	d.ear.expect(t, list[0].ID, 4001, 4002, 4003, 4004)
	d.payoutIs(t, p.ID, "processing")
	d.mine(t, 6)
	p = d.payoutIs(t, p.ID, "complete")
	if len(p.Transactions) != 1 || len(p.Transactions[0].Txid) != 64 || p.DateExecuted == "" || p.ExchangeRates["BTC"]["USD"] == "" {
		t.Errorf("paid: %+v", p)
	}
	funded := d.lines(t, func(l wire.LedgerEntry) bool { return l.Description == "PayoutRequest "+p.ID })
	fees := d.lines(t, func(l wire.LedgerEntry) bool { return l.Code == 1040 })
	if len(funded) != 1 || funded[0].Code != 1034 || funded[0].Amount != "-1000000000" || len(fees) != 1 {
		t.Fatalf("lines %+v, fees %+v", funded, fees)
	}
	if spent := before - d.balance(t); spent*1_000_000 != 1_000_000_000-whole(t, fees[0].Amount) {
		t.Errorf("%d cents left the ledger for 10.00 and a fee of %s", spent, fees[0].Amount)
	}
	d.ear.expect(t, p.ID, 5005, 5001, 5002, 5003)
	var told wire.Payout
	d.ear.said(t, p.ID, &told)
	if told.Status != "complete" || cents(t, told.Price) != 1000 || told.Token != "" {
		t.Errorf("the last webhook said %+v", told)
	}
}

func (d *desk) payoutIs(t *testing.T, id, status string) (p *wire.Payout) {
	t.Helper()
	until(t, "a payout that is "+status, func() bool {
		var err error
		p, err = d.c.Payout(t.Context(), id)
		must(t, err)
		return p.Status == status
	})
	return p
}

// In a group two equal members are two payouts, one that is wrong does not keep
// the others, and a cancellation takes what is new.
func (d *desk) paysGroup(t *testing.T) {
	ctx := t.Context()
	wages, small := d.toPay("ada@example.com", "group wages"), d.toPay("ada@example.com", "")
	small.Amount = "1.00"
	g, err := d.c.CreatePayoutGroup(ctx, wages, wages, d.toPay("newcomer@example.com", "group wages"), small)
	must(t, err)
	if len(g.Created) != 3 || len(g.Failed) != 1 || *g.Failed[0].Payee != "ada@example.com" || !strings.Contains(g.Failed[0].ErrMessage, "5 USD") {
		t.Fatalf("made %+v, refused %+v", g.Created, g.Failed)
	}
	group, one, two, newcomer := g.Created[0].GroupID, g.Created[0].ID, g.Created[1].ID, g.Created[2].ID
	if one == two || group == "" || g.Created[2].GroupID != group {
		t.Errorf("members %s and %s of group %q", one, two, group)
	}
	d.payoutIs(t, one, "processing")
	d.payoutIs(t, two, "processing")
	c, err := d.c.CancelPayoutGroup(ctx, group)
	must(t, err)
	if len(c.Cancelled) != 1 || c.Cancelled[0].ID != newcomer || c.Cancelled[0].Status != "cancelled" || len(c.Failed) != 2 {
		t.Errorf("cancelled %+v, not %+v", c.Cancelled, c.Failed)
	}
	d.mine(t, 6)
	d.payoutIs(t, one, "complete")
	d.payoutIs(t, two, "complete")
	members, err := d.c.Payouts(ctx, client.PayoutFilter{GroupID: group})
	must(t, err)
	if len(members) != 3 {
		t.Errorf("the group has %d members", len(members))
	}
	d.ear.expect(t, newcomer, 5004)
	if _, err := d.c.CancelPayoutGroup(ctx, "Hpqc63wvE1ZjzeeH4kEycF"); code(err) != "040001" {
		t.Errorf("an unknown group: %v", err)
	}
}

// A payout is found by what it was asked with, withdrawn while it is new, and
// asked for again under the same reference.
func (d *desk) cancelsPayout(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	p, err := d.c.CreatePayout(ctx, d.toPay("later@example.com", "once"))
	must(t, err)
	find := client.PayoutFilter{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1), Status: "new", Reference: "once", Limit: 5}
	found, err := d.c.Payouts(ctx, find)
	must(t, err)
	if len(found) != 1 || found[0].ID != p.ID || found[0].Token != p.Token {
		t.Errorf("found %+v", found)
	}
	same, err := d.c.CreatePayout(ctx, d.toPay("later@example.com", "once"))
	must(t, err)
	must(t, d.c.CancelPayout(ctx, p.ID))
	d.payoutIs(t, p.ID, "cancelled")
	next, err := d.c.CreatePayout(ctx, d.toPay("later@example.com", "once"))
	must(t, err)
	if same.ID != p.ID || next.ID == p.ID || next.Status != "new" {
		t.Errorf("repeated %s, after the cancellation %s %s; the first is %s", same.ID, next.ID, next.Status, p.ID)
	}
	must(t, d.c.CancelPayout(ctx, next.ID))
	if _, err := d.c.CreatePayout(ctx, wire.PayoutRequest{Amount: "10", Currency: "USD", RecipientID: "Hpqc63wvE1ZjzeeH4kEycF"}); code(err) != "010001" {
		t.Errorf("an unknown recipient: %v", err)
	}
	paid, err := d.c.Payouts(ctx, client.PayoutFilter{Status: "complete", Limit: 1})
	must(t, err)
	if len(paid) != 1 {
		t.Fatalf("%d payouts on a page of one", len(paid))
	}
	if err := d.c.CancelPayout(ctx, paid[0].ID); code(err) != "040002" {
		t.Errorf("a paid one was cancelled: %v", err)
	}
	d.ear.expect(t, p.ID, 5004)
}
