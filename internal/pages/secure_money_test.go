package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	letters "github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// refunded stores a refund of an invoice as it is, past every rule.
func (w *world) refunded(inv *invoice.Invoice, change func(*refund.Refund)) *refund.Refund {
	w.t.Helper()
	f := &refund.Refund{
		ID: "refund-of-" + inv.ID, Merchant: inv.Merchant, Invoice: inv.ID, Token: "secret", GUID: "guid of " + inv.ID, Status: refund.Created, Created: w.clock(),
		Terms: refund.Terms{Reason: refund.Asked, Amount: money.NewUnits(500), Currency: "USD", Asset: "BTC", Gross: money.NewUnits(10_000), Contact: "buyer@example.com"},
		State: refund.State{Claims: 1, ClaimedTo: w.clock().Add(refund.ClaimFor), Notified: w.clock(), Confirmed: w.clock()},
	}
	change(f)
	w.update(func(tx *store.Tx) error { return tx.AddRefund(f) })
	w.alter(inv.ID, func(inv *invoice.Invoice) { inv.State.Refunds = 1 })
	return f
}

func (w *world) update(do func(*store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) setRefund(f *refund.Refund) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { return tx.SetRefund(f) })
}

func claimOf(f *refund.Refund) url.Values {
	return form("id", f.ID, "code", f.ClaimCode(f.State.Claims))
}

// hostilePages is the pages of money with one hostile text in everything that a merchant,
// a buyer or a recipient can choose.
type hostilePages struct {
	*invited
	inv    *invoice.Invoice
	refund *refund.Refund
	bill   *bill.Bill
	link   string
}

func newHostilePages(t *testing.T) *hostilePages {
	t.Helper()
	h := &hostilePages{invited: newInvited(t)}
	h.link = h.invited.link()
	h.inv = h.order()
	h.refund = h.refunded(h.inv, func(*refund.Refund) {})
	b, err := h.app.CreateBill(context.Background(), h.merchant, h.token, bill.Terms{
		Currency: "USD", Email: "a@b.example", Items: []bill.Item{{Description: "x", Price: money.NewUnits(100), Quantity: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.bill = b
	return h
}

// say puts the text into the stored rows, as a hole elsewhere would.
func (h *hostilePages) say(s string, i int) {
	h.t.Helper()
	h.alter(h.inv.ID, func(inv *invoice.Invoice) { inv.Terms.Order.MerchantName, inv.Terms.Order.OrderID = s, s })
	h.refund.Status = []refund.Status{refund.Created, refund.Pending, refund.Success, refund.Canceled, refund.Failure}[i%5]
	h.refund.State.Address, h.refund.State.Txid = "", s
	if i%2 == 1 {
		h.refund.State.Address = s
	}
	terms, err := json.Marshal(&refund.Terms{Currency: "USD", Asset: "BTC", Contact: s, Reference: s})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.raw.Exec(`UPDATE refund SET terms = ? WHERE id = ?`, string(terms), h.refund.ID); err != nil {
		h.t.Fatal(err)
	}
	h.setRefund(h.refund)
	h.bill.Terms.Number, h.bill.Terms.Name, h.bill.Terms.Items[0].Description = s, s, s
	h.update(func(tx *store.Tx) error {
		m, err := tx.Merchant(h.merchant.ID)
		if err != nil {
			return err
		}
		m.Name, m.Settings.NewAddress, m.Settings.SettlementAddress = s, s, s
		r, err := tx.Recipient(h.id)
		if err != nil {
			return err
		}
		r.Status, r.State.Label = recipient.Verified, s
		r.State.Candidate = &recipient.Candidate{Asset: "BTC", Address: s, Nonce: s}
		return firstError(tx.SetMerchant(m), tx.SetBill(h.bill), tx.SetRecipient(r))
	})
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// Threat A8 on the pages of money: refunds, bills, recipients and settlements.
func TestHostileTextsStayTextWhereMoneyMoves(t *testing.T) {
	h := newHostilePages(t)
	claim := claimOf(h.refund)
	for i, s := range hostile() {
		h.say(s, i)
		holds := func(page *httptest.ResponseRecorder, want bool) {
			t.Helper()
			inspect(t, page.Body.String())
			if want && !strings.Contains(html.UnescapeString(strings.ReplaceAll(page.Body.String(), "</span><span>", "")), s) {
				t.Errorf("the text is not on the page: %d", page.Code)
			}
		}
		h.pass(time.Minute) // wrong codes are counted; this is about texts
		open := h.refund.Status != refund.Canceled && h.refund.Status != refund.Failure
		holds(h.get("/refund?"+claim.Encode()), open)
		holds(h.get("/bill?id="+h.bill.ID), true)
		holds(h.get("/recipient?link="+h.link), true)
		switch i % 5 {
		case 0:
			holds(h.get("/invoice?id="+h.inv.ID), true)
		case 1:
			holds(h.do("POST", "/refund", form("id", h.refund.ID, "code", claim.Get("code"), "address", s)), false)
		case 2:
			holds(h.step(h.link, "sign", "nonce", s, "signature", s), true)
			holds(h.step(h.link, s), true)
		case 3:
			holds(h.do("POST", "/invoice/refund", form("id", h.inv.ID, "lang", s, "view", s)), false)
			holds(h.get("/refund?id="+url.QueryEscape(s)+"&code="+url.QueryEscape(s)), false)
		case 4:
			holds(h.get("/settlement-address?merchant="+url.QueryEscape(s)+"&code="+url.QueryEscape(s)), false)
			holds(h.do("POST", "/bill/pay", form("id", s, "lang", s)), false)
		}
		if t.Failed() {
			t.Fatalf("text %d: %q", i, s)
		}
	}
}

// The page of a new settlement address shows what was asked for only to whom the
// link was mailed, and as text.
func TestHostileTextsStayTextWhereSettlementsMove(t *testing.T) {
	w := newInvited(t)
	w.set(func(s *merchant.Settings) { s.NotificationEmail = "Alice@Example.com" })
	if err := w.app.AskSettlementAddress(context.Background(), w.merchant.ID, w.who.address); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	link := find(t, w.wrote("new address for settlements"), `(/settlement-address\?merchant=\S+&code=\S+)`)
	for i, s := range hostile() {
		w.update(func(tx *store.Tx) error {
			m, err := tx.Merchant(w.merchant.ID)
			if err != nil {
				return err
			}
			m.Name, m.Settings.NewAddress, m.Settings.SettlementAddress = s, s, s
			if m.Settings.NewAddressConfirmed = 0; i%2 == 1 {
				m.Settings.NewAddressConfirmed = epoch.UnixMilli()
			}
			return tx.SetMerchant(m)
		})
		page := w.get(link).Body.String()
		inspect(t, page)
		if !strings.Contains(html.UnescapeString(strings.ReplaceAll(page, "</span><span>", "")), s) || t.Failed() {
			t.Fatalf("text %d: %q on\n%s", i, s, page)
		}
	}
	if page := w.get(link + "x"); page.Code != http.StatusNotFound || strings.Contains(page.Body.String(), "alert") {
		t.Errorf("a wrong code is shown %d %s", page.Code, page.Body)
	}
}

// everyLetter is each kind of mail with a text in all that others choose.
func everyLetter(t *testing.T, inv *invoice.Invoice, s string) (out []letters.Message) {
	t.Helper()
	const public = "https://pay.example.com/x?id=1&code=2"
	add := func(m letters.Message, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	m := &merchant.Merchant{Name: s, Settings: merchant.Settings{NewAddress: s, SettlementAddress: s}}
	inv.Terms.Order.MerchantName, inv.Terms.Order.OrderID = s, s
	f := &refund.Refund{ID: s, Terms: refund.Terms{Currency: "USD", Asset: "BTC"}}
	for _, st := range []refund.Status{refund.Created, refund.Pending, refund.Success, refund.Canceled, refund.Failure} {
		f.Status = st
		if st != refund.Created {
			f.State.Address, f.State.Txid = s, s
		}
		add(letters.Refund(store.Event{Status: string(st)}, f, inv, public))
	}
	p := &payout.Payout{ID: s, Terms: payout.Terms{Currency: "USD", Email: s, Reference: s, Message: s}, State: payout.State{Problem: s, Txid: s}}
	for _, st := range []payout.Status{payout.Processing, payout.Complete, payout.Failed} {
		add(letters.Payout(store.Event{Status: string(st)}, p, m))
	}
	b := &bill.Bill{ID: s, Terms: bill.Terms{Number: s, Currency: "USD", Name: s, Items: []bill.Item{{Description: s, Price: money.NewUnits(1), Quantity: 1}}}}
	add(letters.ComposeBill(b, m, public))
	r := &recipient.Recipient{ID: s, Status: recipient.Active, State: recipient.State{Label: s, Addresses: []recipient.Address{{Asset: "BTC", Address: s}}}}
	for _, name := range []string{recipient.Invited.Notice().Name, recipient.Change{Kind: recipient.LinkAsked}.Notice().Name, recipient.Change{Kind: recipient.AddressChanged}.Notice().Name} {
		add(letters.ComposeRecipient(store.Event{Name: name}, r, s, public))
	}
	add(letters.SettlementAddress(store.Event{Name: "settlement_address"}, m, public))
	return out
}

// letterElements is everything the mails' own template writes.
var letterElements = map[string]bool{}

func init() {
	for _, e := range strings.Fields("html head meta title style body div h1 p table tbody tr td a br") {
		letterElements[e] = true
	}
}

// inspectLetter parses a mail as a mail program does.
func inspectLetter(t *testing.T, m letters.Message, styles map[string]bool) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(m.HTML))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode || n.Type == html.ElementNode && !letterElements[n.Data] {
			t.Errorf("what is not ours: <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "href" && a.Val != "https://pay.example.com/x?id=1&code=2":
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case a.Key == "style" && !styles[a.Val]:
				t.Errorf("a style that is not ours: %q", a.Val)
			}
		}
	}
	for line := range strings.SplitSeq(m.Text, "\n") {
		if strings.ContainsAny(line, "\r\u2028\u202e") {
			t.Errorf("the plain text has the line %q", line)
		}
	}
	if strings.ContainsAny(m.Subject, "\r\n") {
		t.Errorf("subject %q", m.Subject)
	}
}

// stylesOf are the styles of harmless mails.
func stylesOf(t *testing.T, list []letters.Message) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, m := range list {
		doc, err := html.Parse(strings.NewReader(m.HTML))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			for _, a := range n.Attr {
				if a.Key == "style" {
					found[a.Val] = true
				}
			}
		}
	}
	return found
}

func TestHostileTextsStayTextInMails(t *testing.T) {
	inv := newWorld(t).order()
	plain := everyLetter(t, inv, "plain")
	styles := stylesOf(t, plain)
	for _, s := range append(hostile(), "x\r\nBcc: victim@example.com\r\n\r\nhttps://evil.example/", "a\nTotal:     0.00 USD\nb") {
		for i, m := range everyLetter(t, inv, s) {
			inspectLetter(t, m, styles)
			if got, want := strings.Count(m.Text, "\n"), strings.Count(plain[i].Text, "\n"); got != want {
				t.Errorf("the plain text has %d lines instead of %d:\n%s", got, want, m.Text)
			}
			if t.Failed() {
				t.Fatalf("%q in %q", s, m.Subject)
			}
		}
	}
}
