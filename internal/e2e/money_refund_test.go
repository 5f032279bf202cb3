package e2e

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// A complete invoice is credited in full, in whole hundred-millionths.
func (d *desk) isCredited(t *testing.T) {
	before := d.balance(t)
	inv := d.sell(t, "40.25")
	if got := d.balance(t) - before; got != 4025 {
		t.Errorf("the balance grew by %d cents", got)
	}
	lines := d.lines(t, func(l wire.LedgerEntry) bool { return l.InvoiceID == inv.ID })
	if len(lines) != 1 || lines[0].Code != 1000 || lines[0].Amount != "4025000000" || lines[0].Scale != 100_000_000 ||
		cents(t, lines[0].InvoiceAmount) != 4025 || lines[0].InvoiceCurrency != "USD" || lines[0].TransactionCurrency != "BTC" {
		t.Errorf("lines %+v", lines)
	}
	d.ear.expect(t, inv.ID, 1003, 1005, 1006)
}

// A preview moves nothing until it is confirmed, and what is confirmed can be
// withdrawn.
func (d *desk) previewsRefund(t *testing.T) {
	ctx, inv := t.Context(), d.sell(t, "12.00")
	before := d.balance(t)
	ask := wire.RefundRequest{InvoiceID: inv.ID, Amount: "5", Currency: "USD", Preview: true, GUID: "preview of " + inv.ID}
	p, err := d.c.CreateRefund(ctx, ask)
	must(t, err)
	again, err := d.c.CreateRefund(ctx, ask)
	must(t, err)
	if p.Status != "preview" || again.ID != p.ID || p.TransactionCurrency != "BTC" || p.TransactionAmount == "" || p.TransactionAmount == "0" {
		t.Errorf("a preview: %+v, repeated %s", p, again.ID)
	}
	made, err := d.c.ConfirmRefundByGUID(ctx, ask.GUID)
	must(t, err)
	if made.Status != "created" || made.ID != p.ID {
		t.Errorf("confirmed it is %s", made.Status)
	}
	if _, err := d.c.ConfirmRefund(ctx, p.ID); code(err) != "030202" {
		t.Errorf("confirmed twice: %v", err)
	}
	if _, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "1"}); code(err) != "010204" {
		t.Errorf("a second one beside it: %v", err)
	}
	gone, err := d.c.CancelRefundByGUID(ctx, ask.GUID)
	must(t, err)
	read, err := d.c.RefundByGUID(ctx, ask.GUID)
	must(t, err)
	if gone.Status != "canceled" || read.Status != "canceled" || d.balance(t) != before {
		t.Errorf("withdrawn it is %s, read again %s, balance %d of %d", gone.Status, read.Status, d.balance(t), before)
	}
	other, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "2"})
	must(t, err)
	gone, err = d.c.CancelRefund(ctx, other.ID)
	must(t, err)
	list, err := d.c.Refunds(ctx, inv.ID)
	must(t, err)
	if gone.Status != "canceled" || len(list) != 2 || list[0].ID != p.ID || list[1].ID != other.ID {
		t.Errorf("%s; listed %+v", gone.Status, list)
	}
	d.ear.expect(t, other.ID, 7001, 7005)
}

// A part of the price goes back to the address that the buyer confirms, on the
// chain, and out of the ledger with its fee.
func (d *desk) paysRefund(t *testing.T) {
	ctx, inv, buyer := t.Context(), d.sell(t, "30.00"), newVisitor(t, d.s)
	before := d.balance(t)
	r, err := d.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "10.00", Reference: "broken"})
	must(t, err)
	must(t, d.c.ResendRefund(ctx, r.ID))
	d.claim(t, r.ID, buyer.address())
	if r = d.refundIs(t, r.ID, "pending"); len(r.Txid) != 64 || r.RefundAddress != buyer.address() {
		t.Errorf("on its way with %q to %q", r.Txid, r.RefundAddress)
	}
	if _, err := d.c.CancelRefund(ctx, r.ID); code(err) != "040202" {
		t.Errorf("withdrawn while on its way: %v", err)
	}
	d.mine(t, 6)
	r = d.refundIs(t, r.ID, "success")
	if spent := before - d.balance(t); spent != 1000+cents(t, r.RefundFee) {
		t.Errorf("%d cents left the ledger, the fee was %s", spent, r.RefundFee)
	}
	var took []int64
	for _, l := range d.lines(t, func(l wire.LedgerEntry) bool { return l.InvoiceID == inv.ID }) {
		took = append(took, l.Code)
		if l.Code == 1020 && (l.Amount != "-1000000000" || l.SupportRequest != r.SupportRequest) {
			t.Errorf("the refund's line: %+v", l)
		}
	}
	if len(took) != 3 || took[0] != 1000 || took[1] != 1020 || took[2] != 1039 {
		t.Errorf("lines %v", took)
	}
	d.ear.expect(t, r.ID, 7001, 7006, 7002, 7003)
	var told wire.Refund
	d.ear.said(t, r.ID, &told)
	if told.Status != "success" || told.Txid != r.Txid || told.Token != "" || told.Reference != "broken" {
		t.Errorf("the last webhook said %+v", told)
	}
}

func (d *desk) refundIs(t *testing.T, id, status string) (r *wire.Refund) {
	t.Helper()
	until(t, "a refund that is "+status, func() bool {
		var err error
		r, err = d.c.Refund(t.Context(), id)
		must(t, err)
		return r.Status == status
	})
	return r
}

// claim is what a buyer does with the link in the mail: type an address, see it
// again, confirm it.
func (d *desk) claim(t *testing.T, refund, address string) {
	t.Helper()
	link := d.mail(t, `/refund\?id=`+refund+`&code=([0-9A-Za-z]+)`)
	form := url.Values{"id": {refund}, "code": {link[1]}, "address": {address}}
	for _, want := range []string{"Is this your address?", "It will be sent to this address."} {
		resp, err := http.PostForm(d.s.url+"/refund", form)
		must(t, err)
		if page := text(t, resp); !strings.Contains(page, want) {
			t.Fatalf("the page does not say %q:\n%s", want, page)
		}
		form.Set("confirm", address)
	}
}

// code is that of a refusal.
func code(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}
