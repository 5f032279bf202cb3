package e2e

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/outbox/mail/smtptest"
	"github.com/quittance/quittance/wire"
)

// postOffice is a server whose mails go out over SMTP, with the mail server.
type postOffice struct {
	*desk
	smtp *smtptest.Server
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	mails := &smtptest.Server{}
	host, port, _ := mails.Start(t)
	s := newServer(t, "", "--smtp", fmt.Sprintf("smtp+plain://%s:%d", host, port), "--mail-from", "Till <till@pay.example>")
	key, err := client.NewKey(rand.Reader)
	must(t, err)
	c := client.New(s.url, key)
	token, err := c.RequestToken(t.Context(), client.Merchant, "shop")
	must(t, err)
	s.operator(nil, "pair", "approve", token.PairingCode)
	return &postOffice{desk: newDesk(t, s, c), smtp: mails}
}

// letter waits for the mail to somebody with a subject, and holds it against what
// each mail has to be.
func (p *postOffice) letter(t *testing.T, to, subject string) (l smtptest.Letter) {
	t.Helper()
	fits := regexp.MustCompile(subject)
	until(t, "a mail to "+to+": "+subject, func() bool {
		for _, m := range p.smtp.Mails() {
			if l = m.Letter(t); l.To == to && fits.MatchString(l.Subject) {
				return true
			}
		}
		return false
	})
	l.Check(t, p.s.url)
	if from := l.Header.Get("From"); from != `"Till" <till@pay.example>` || !strings.HasSuffix(l.Header.Get("Message-Id"), "@pay.example>") {
		t.Errorf("%q is from %s, id %s", subject, from, l.Header.Get("Message-Id"))
	}
	return l
}

// link is the one that a mail asks to be opened.
func link(t *testing.T, l smtptest.Letter) *url.URL {
	t.Helper()
	links := l.Links()
	if len(links) == 0 {
		t.Fatalf("%q has no link", l.Subject)
	}
	u, err := url.Parse(links[0])
	must(t, err)
	return u
}

// Each kind of mail leaves over SMTP, whole in both parts, and leads to where it
// says; then Chromium shows all of them.
func TestEachLetterOverSMTP(t *testing.T) {
	requireNode(t)
	p := newPostOffice(t)
	t.Run("invoice and refund", p.refundLetters)
	t.Run("recipient and payout", p.payoutLetters)
	t.Run("bill", p.billLetters)
	t.Run("settlement address", p.settlementLetters)
	dir := t.TempDir()
	for i, m := range p.smtp.Mails() {
		l := m.Letter(t)
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.html", i)), []byte(l.HTML), 0o600))
	}
	runNode(t, p.s, "letters.test.mjs", "QUITTANCE_LETTERS="+dir)
	p.s.verify(t)
}

func (p *postOffice) refundLetters(t *testing.T) {
	ctx, full := t.Context(), true
	inv, err := p.c.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{
		Price: "150", Currency: "USD", OrderID: "order 7", BuyerEmail: "buyer@example.com", NotificationEmail: "shop@example.com", FullNotifications: &full,
	})
	must(t, err)
	_, err = p.c.PayInvoice(ctx, inv.ID, "complete")
	must(t, err)
	for _, state := range []string{"is paid", "is confirmed", "is complete"} {
		if got := link(t, p.letter(t, "shop@example.com", "^Invoice order 7 "+state)); got.Query().Get("id") != inv.ID {
			t.Errorf("%s leads to %s", state, got)
		}
	}
	r, err := p.c.CreateRefund(ctx, wire.RefundRequest{InvoiceID: inv.ID, Amount: "10.00", BuyerPaysRefundFee: true})
	must(t, err)
	claim := link(t, p.letter(t, "buyer@example.com", "refund .* is waiting")).Query()
	if claim.Get("id") != r.ID {
		t.Fatalf("the claim is of %v", claim)
	}
	buyer := newVisitor(t, p.s)
	claim.Set("address", buyer.address())
	claim.Set("confirm", buyer.address())
	buyer.read(buyer.post("/refund", claim))
	p.refundIs(t, r.ID, "pending")
	sent := p.letter(t, "buyer@example.com", "refund .* is on its way")
	p.mine(t, 6)
	r = p.refundIs(t, r.ID, "success")
	arrived := p.letter(t, "buyer@example.com", "refund .* has arrived")
	for _, l := range []smtptest.Letter{sent, arrived} {
		if !strings.Contains(l.Text, buyer.address()) || !strings.Contains(l.Text, r.Txid) || len(l.Links()) > 0 {
			t.Errorf("%s:\n%s", l.Subject, l.Text)
		}
	}
}

func (p *postOffice) payoutLetters(t *testing.T) {
	ctx, ada := t.Context(), newVisitor(t, p.s)
	_, err := p.c.SubmitRecipients(ctx, "", wire.NewRecipient{Email: "ada@example.com", Label: "Freelancer 7"})
	must(t, err)
	invite := p.letter(t, "ada@example.com", "wants to pay you")
	if !strings.Contains(invite.Text, "Freelancer 7") {
		t.Errorf("the invitation:\n%s", invite.Text)
	}
	code := link(t, invite).Query().Get("link")
	ada.step(code, "confirm", nil)
	ada.part(ada.prove(code), `data-step="(done)"`)
	loud, muted := p.toPay("ada@example.com", "loud"), p.toPay("ada@example.com", "muted")
	loud.Message, loud.NotificationURL, muted.NotificationURL, muted.IgnoreEmails = "Thank you for June", "", "", true
	for _, ask := range []wire.PayoutRequest{muted, loud} {
		made, err := p.c.CreatePayout(ctx, ask)
		must(t, err)
		p.payoutIs(t, made.ID, "processing")
		p.mine(t, 6)
		p.payoutIs(t, made.ID, "complete")
	}
	if sent := p.letter(t, "ada@example.com", "has sent you 10.00 USD"); !strings.Contains(sent.Text, "Thank you for June") || !strings.Contains(sent.Text, "loud") {
		t.Errorf("to the recipient:\n%s", sent.Text)
	}
	p.letter(t, "books@example.com", "Payout to ada@example.com is complete")
	// The muted one was complete before the other one began.
	for _, m := range p.smtp.Mails() {
		if l := m.Letter(t); strings.Contains(l.Text, "muted") {
			t.Errorf("although it was to be quiet, %s got:\n%s", l.To, l.Text)
		}
	}
}

func (p *postOffice) billLetters(t *testing.T) {
	ctx := t.Context()
	b, err := p.c.CreateBill(ctx, client.Merchant, wire.Bill{
		Number: "bill-1234", Currency: "USD", Name: "John Doe", Email: "payer@example.com", CC: []string{"copy@example.com"}, DueDate: "2031-05-31",
		Items: []wire.BillItem{{Description: "A wooden chair, painted blue", Price: "6", Quantity: 1}, {Description: "Cushion", Price: "4", Quantity: 2}},
	})
	must(t, err)
	must(t, p.c.DeliverBill(ctx, b.ID, b.Token))
	for _, to := range []string{"payer@example.com", "copy@example.com"} {
		l := p.letter(t, to, "^Bill bill-1234 from .*: 14.00 USD$")
		for _, want := range []string{"A wooden chair, painted blue: 6.00 USD", "Cushion (2 × 4.00 USD): 8.00 USD", "31 May 2031"} {
			if !strings.Contains(l.Text, want) {
				t.Errorf("the bill does not say %q:\n%s", want, l.Text)
			}
		}
		if got := link(t, l); got.Path != "/bill" || got.Query().Get("id") != b.ID {
			t.Errorf("the bill leads to %s", got)
		}
	}
}

func (p *postOffice) settlementLetters(t *testing.T) {
	p.s.operator(nil, "merchant", "set", "--notification-email", "boss@example.com")
	own := newVisitor(t, p.s)
	p.s.operator(nil, "settlement", "address", own.address())
	l := p.letter(t, "boss@example.com", "^Confirm the new address")
	if !strings.Contains(l.Text, own.address()) {
		t.Errorf("it does not name the address:\n%s", l.Text)
	}
	u := link(t, l)
	if page := own.read(own.post(u.Path, u.Query())); !strings.Contains(page, "Confirmed") {
		t.Errorf("the link does not confirm:\n%s", page)
	}
}
