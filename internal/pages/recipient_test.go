package pages

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	btcwire "github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/message"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox"
	letters "github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/wire"
)

// payee is a wallet that can sign, with one address on regtest.
type payee struct {
	key     *btcec.PrivateKey
	address string
}

func newPayee(t testing.TB, seed string) payee {
	t.Helper()
	key, pub := btcec.PrivKeyFromBytes([]byte(strings.Repeat(seed, 32))[:32])
	address, ok := bitcoin.ScriptAddress(append([]byte{0, 20}, btcutil.Hash160(pub.SerializeCompressed())...), bitcoin.Regtest)
	if !ok {
		t.Fatal("no address")
	}
	return payee{key, address}
}

// sign makes what a wallet's "sign message" prints (BIP 137).
func (p payee) sign(text string) string {
	var b bytes.Buffer
	_ = btcwire.WriteVarString(&b, 0, "Bitcoin Signed Message:\n")
	_ = btcwire.WriteVarString(&b, 0, text)
	sig := ecdsa.SignCompact(p.key, chainhash.DoubleHashB(b.Bytes()), true)
	sig[0] += 8 // P2WPKH
	return base64.StdEncoding.EncodeToString(sig)
}

// invited is a world in which one recipient was invited, with the program's
// outbox and the merchant's server.
type invited struct {
	*world
	out *outbox.Outbox
	id  string
	who payee

	mu    sync.Mutex
	hooks []wire.Webhook
	sent  []app.TestAmount
}

func newInvited(t testing.TB, adjust ...func(*app.Config)) *invited {
	t.Helper()
	v := &invited{who: newPayee(t, "payee")}
	v.world = newWorld(t, func(ac *app.Config, _ *Config) {
		s := spending.New(bitcoin.Regtest)
		m := message.New(bitcoin.Regtest)
		ac.Assets[0].Spending, ac.Assets[0].Messages = s, m
		for _, f := range adjust {
			f(ac)
		}
	})
	ipn := httptest.NewServer(v)
	t.Cleanup(ipn.Close)
	v.out = outbox.New(outbox.Config{
		App: v.app, Renderer: v.pages.Renderer, Mailer: letters.Sandbox{Store: v.store}, AllowHTTP: true, AllowPrivate: true, Now: v.clock,
	})
	v.set(func(s *merchant.Settings) { s.RecipientIPN = ipn.URL + "/ipn" })
	v.id = v.submit("Alice@Example.com").ID
	v.deliver()
	return v
}

func (v *invited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var h wire.Webhook
	_ = json.Unmarshal(body, &h)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hooks = append(v.hooks, h)
}

func (v *invited) set(do func(*merchant.Settings)) {
	v.t.Helper()
	m, err := v.app.ChangeMerchant(context.Background(), v.merchant.ID, func(m *merchant.Merchant) error {
		do(&m.Settings)
		return nil
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.merchant = m
}

func (v *invited) submit(email string) *recipient.Recipient {
	v.t.Helper()
	list, err := v.app.SubmitRecipients(context.Background(), app.NewRecipients{
		Merchant: v.merchant, Token: v.token, List: []recipient.Invitation{{Email: email, Label: "Freelancer 7"}},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return list[0]
}

// deliver lets the outbox send all that is due.
func (v *invited) deliver() {
	v.t.Helper()
	for range 6 {
		if err := v.out.Step(context.Background()); err != nil {
			v.t.Fatal(err)
		}
	}
}

// told are the codes of the webhooks that the merchant got, in order.
func (v *invited) told() []int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []int64
	for _, h := range v.hooks {
		out = append(out, h.Event.Code)
	}
	return out
}

// mails are the texts of what the recipient was sent, newest first.
func (v *invited) mails() []string {
	v.t.Helper()
	list, err := v.app.SandboxMails(context.Background(), 100)
	if err != nil {
		v.t.Fatal(err)
	}
	var out []string
	for _, m := range list {
		if m.Recipient != "Alice@Example.com" {
			v.t.Errorf("a mail went to %s", m.Recipient)
		}
		out = append(out, m.Text)
	}
	return out
}

// link is the one that works, out of all mails.
func (v *invited) link() string {
	v.t.Helper()
	for _, mail := range v.mails() {
		if !strings.Contains(mail, "?link=") {
			continue
		}
		link := find(v.t.(*testing.T), mail, `https://pay\.example\.com/recipient\?link=([1-9A-HJ-NP-Za-km-z]{44})\s`)
		if v.get("/recipient?link="+link).Code == http.StatusOK {
			return link
		}
	}
	v.t.Fatal("no mail has a link that works")
	return ""
}

// wrote returns the mail that holds a text.
func (v *invited) wrote(text string) string {
	v.t.Helper()
	for _, mail := range v.mails() {
		if strings.Contains(mail, text) {
			return mail
		}
	}
	v.t.Fatalf("no mail holds %q", text)
	return ""
}

func (v *invited) is(want recipient.Status) *recipient.Recipient {
	v.t.Helper()
	r, err := v.app.Recipient(context.Background(), v.id)
	if err != nil || r.Status != want {
		v.t.Fatalf("the recipient is %v, %v; want %s", r, err, want)
	}
	return r
}

// step sends the page's form.
func (v *invited) step(link, step string, pairs ...string) *httptest.ResponseRecorder {
	v.t.Helper()
	f := url.Values{"link": {link}, "step": {step}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return v.do("POST", "/recipient", f)
}

// shows checks what a page answers and holds.
func (v *invited) shows(page *httptest.ResponseRecorder, status int, want ...string) string {
	v.t.Helper()
	// An address is shown in groups, and read as a whole.
	body := strings.ReplaceAll(html.UnescapeString(page.Body.String()), "</span><span>", "")
	if page.Code != status {
		v.t.Fatalf("answered %d, want %d:\n%s", page.Code, status, body)
	}
	for _, s := range want {
		if !strings.Contains(body, s) {
			v.t.Fatalf("the page lacks %q:\n%s", s, body)
		}
	}
	return body
}

// give takes the page up to the text that is to be signed.
func (v *invited) give(link, address string) (text, nonce string) {
	v.t.Helper()
	body := v.shows(v.step(link, "address", "asset", "BTC", "address", address), http.StatusOK, `data-step="prove"`, strings.ToLower(strings.TrimSpace(address)))
	return find(v.t.(*testing.T), body, `data-testid="text">([^<]+)<`), find(v.t.(*testing.T), body, `name="nonce" value="([^"]+)"`)
}

// prove takes the page from the mail to an active recipient.
func (v *invited) prove() {
	v.t.Helper()
	link := v.link()
	v.step(link, "confirm")
	text, nonce := v.give(link, v.who.address)
	v.shows(v.step(link, "sign", "nonce", nonce, "signature", v.who.sign(text)), http.StatusOK, `data-step="done"`)
	v.deliver()
}

func TestARecipientGoesFromTheMailToAProvenAddress(t *testing.T) {
	v := newInvited(t)
	link := v.link()
	page := "/recipient?link=" + link
	// Mail scanners open links, and try what they lead to.
	for range 3 {
		v.shows(v.get(page), http.StatusOK, `data-step="confirm"`, "Café Größenwahn wants to pay you", "A…@Example.com")
	}
	v.is(recipient.Invited)
	v.shows(v.step(link, "confirm"), http.StatusOK, `data-step="give"`)
	if r := v.is(recipient.Verified); r.State.ShopperID == "" {
		t.Error("no shopper id was given")
	}
	text, nonce := v.give(link, " "+strings.ToUpper(v.who.address)+" ")
	if !strings.Contains(text, v.id) || !strings.Contains(text, v.who.address) || !strings.Contains(text, nonce) {
		t.Errorf("the text to sign is %q", text)
	}
	v.is(recipient.Verified)
	done := v.shows(v.step(link, "sign", "nonce", nonce, "signature", v.who.sign(text)+"\n"), http.StatusOK, `data-step="done"`, v.who.address, "from now on")
	if strings.Contains(done, link) {
		t.Error("the last page repeats the link")
	}
	r := v.is(recipient.Active)
	address, destination, err := v.app.PayoutAddress(r, "BTC", v.clock())
	script, _ := bitcoin.AddressScript(v.who.address, bitcoin.Regtest)
	if err != nil || address != v.who.address || !bytes.Equal(destination, script) {
		t.Errorf("paid at %s %x, %v", address, destination, err)
	}
	if _, err := v.app.PauseRecipient(context.Background(), v.id); err != nil {
		t.Fatal(err)
	}
	if _, err := v.app.ResumeRecipient(context.Background(), v.id); err != nil {
		t.Fatal(err)
	}
	if err := v.app.ResendRecipient(context.Background(), v.id); err != nil {
		t.Fatal(err)
	}
	if _, err := v.app.RemoveRecipient(context.Background(), v.id); err != nil {
		t.Fatal(err)
	}
	v.deliver()
	if got, want := v.told(), []int64{4001, 4002, 4003, 4004, 4005, 4004, 4007, 4006}; !slices.Equal(got, want) {
		t.Errorf("webhooks %v, want %v", got, want)
	}
	last := v.hooks[len(v.hooks)-1]
	data := last.Data.(map[string]any)
	if last.Event.Name != "recipient_removed" || data["id"] != v.id || data["email"] != "Alice@Example.com" || data["label"] != "Freelancer 7" ||
		data["status"] != "removed" || data["shopperId"] != r.State.ShopperID || len(data) != 5 {
		t.Errorf("the last webhook says %+v", last)
	}
}

func TestWhatProvesNothingIsRefused(t *testing.T) {
	v := newInvited(t)
	link, other := v.link(), newPayee(t, "other")
	v.shows(v.step(link, "address", "asset", "BTC", "address", v.who.address), http.StatusBadRequest, "Confirm your e-mail address first", `data-step="confirm"`)
	v.step(link, "confirm")
	for _, c := range []struct{ name, asset, address, says string }{
		{"nothing", "BTC", " ", "address"},
		{"of another network", "BTC", "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l", "belongs to network main"},
		{"of another chain", "BTC", "0x52908400098527886E0F7030069857D2E4169EE7", "Ethereum"},
		{"mistyped", "BTC", v.who.address[:len(v.who.address)-1] + "b", "not an address"},
		{"a whole wallet", "BTC", "tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba", "key of a whole wallet"},
		{"an asset the merchant cannot pay in", "LTC", v.who.address, "not something you can be paid in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.shows(v.step(link, "address", "asset", c.asset, "address", c.address), http.StatusBadRequest, c.says, `data-step="give"`)
		})
	}
	text, nonce := v.give(link, v.who.address)
	for _, c := range []struct{ name, signature, says string }{
		{"no signature", "", "signature"},
		{"not a signature", "hello", "copy it whole"},
		{"the signature of another wallet", other.sign(text), "not of this address"},
		{"the signature of another text", v.who.sign(text + "."), "not of this address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.shows(v.step(link, "sign", "nonce", nonce, "signature", c.signature), http.StatusBadRequest, c.says, `data-step="prove"`)
		})
	}
	v.shows(v.step(link, "test", "nonce", nonce), http.StatusBadRequest, "A test amount is not available on this server")
	v.shows(v.step(link, "fly"), http.StatusBadRequest, "no such button")
	if r := v.is(recipient.Verified); len(r.State.Addresses) != 0 {
		t.Errorf("addresses: %+v", r.State.Addresses)
	}
	if _, _, err := v.app.PayoutAddress(v.is(recipient.Verified), "BTC", v.clock()); err == nil {
		t.Error("a recipient without a proven address can be paid")
	}
}

func TestTwoTabsDoNotMixAddresses(t *testing.T) {
	v := newInvited(t)
	link, second := v.link(), newPayee(t, "second")
	v.step(link, "confirm")
	v.shows(v.step(link, "confirm"), http.StatusOK, `data-step="give"`)
	firstText, firstNonce := v.give(link, v.who.address)
	secondText, secondNonce := v.give(link, second.address)
	v.shows(v.step(link, "sign", "nonce", firstNonce, "signature", v.who.sign(firstText)), http.StatusBadRequest, "another tab", second.address)
	v.shows(v.step(link, "forget", "nonce", firstNonce), http.StatusBadRequest, "another tab")
	v.shows(v.step(link, "sign", "nonce", secondNonce, "signature", second.sign(secondText)), http.StatusOK, `data-step="done"`)
	v.shows(v.step(link, "sign", "nonce", secondNonce, "signature", second.sign(secondText)), http.StatusNotFound, "already used")
	if r := v.is(recipient.Active); len(r.State.Addresses) != 1 || r.State.Addresses[0].Address != second.address {
		t.Errorf("addresses: %+v", r.State.Addresses)
	}
	v.deliver()
	if got, want := v.told(), []int64{4001, 4002, 4003, 4004}; !slices.Equal(got, want) {
		t.Errorf("webhooks %v, want %v", got, want)
	}
}

func TestAnAddressCanBeTakenBackBeforeItIsProven(t *testing.T) {
	v := newInvited(t)
	link := v.link()
	v.step(link, "confirm")
	text, nonce := v.give(link, v.who.address)
	v.shows(v.step(link, "forget", "nonce", nonce), http.StatusOK, `data-step="give"`)
	v.shows(v.step(link, "sign", "nonce", nonce, "signature", v.who.sign(text)), http.StatusBadRequest, "another tab")
	// The same address again is a new text.
	if again, _ := v.give(link, v.who.address); again == text {
		t.Error("an old signature would be accepted again")
	}
}

func TestLinksThatLeadNowhere(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name, says string
		do         func(v *invited, link string) string
		status     int
	}{
		{"none", "not known", func(*invited, string) string { return "" }, 404},
		{"unknown", "not known", func(*invited, string) string { return strings.Repeat("x", 44) }, 404},
		{"cut off", "not known", func(_ *invited, link string) string { return link[:40] }, 404},
		{"expired", "expired on 8 March 2026", func(v *invited, link string) string {
			v.pass(recipient.LinkLife + time.Second)
			return link
		}, 404},
		{"used", "already used", func(v *invited, link string) string { v.prove(); return link }, 404},
		{"replaced by a newer one", "already used", func(v *invited, link string) string {
			if _, err := v.app.InviteRecipient(ctx, v.id); err != nil {
				v.t.Fatal(err)
			}
			v.deliver()
			v.shows(v.get("/recipient?link="+v.link()), 200)
			return link
		}, 404},
		{"of a removed recipient", "withdrawn", func(v *invited, link string) string {
			if _, err := v.app.RemoveRecipient(ctx, v.id); err != nil {
				v.t.Fatal(err)
			}
			return link
		}, 404},
		{"of a paused recipient", "on hold", func(v *invited, link string) string {
			if _, err := v.app.PauseRecipient(ctx, v.id); err != nil {
				v.t.Fatal(err)
			}
			return link
		}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newInvited(t)
			link := c.do(v, v.link())
			before, err := v.app.Recipient(ctx, v.id)
			if err != nil {
				t.Fatal(err)
			}
			v.shows(v.get("/recipient?link="+link), c.status, c.says)
			for _, step := range []string{"confirm", "address", "sign", "forget", "amount"} {
				v.shows(v.step(link, step, "asset", "BTC", "address", v.who.address, "amount", "1"), c.status, c.says)
			}
			if after, _ := v.app.Recipient(ctx, v.id); after.Version != before.Version {
				t.Error("a link that leads nowhere changed something")
			}
		})
	}
}

func TestGuessedLinksAreSlowedDown(t *testing.T) {
	v := newInvited(t)
	link := v.link()
	for range 10 {
		v.shows(v.get("/recipient?link=guess"), http.StatusNotFound)
	}
	v.shows(v.get("/recipient?link="+link), http.StatusTooManyRequests, "Wait 6 seconds")
	v.shows(v.step(link, "confirm"), http.StatusTooManyRequests)
	v.is(recipient.Invited)
	v.pass(6 * time.Second)
	v.shows(v.get("/recipient?link="+link), http.StatusOK)
}

func TestAFormOfAnotherSiteDoesNothing(t *testing.T) {
	v := newInvited(t)
	f := url.Values{"link": {v.link()}, "step": {"confirm"}}
	v.shows(v.do("POST", "/recipient", f, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	// The link counts in the body of a form only: an address ends up in logs.
	v.shows(v.do("POST", "/recipient?link="+v.link(), url.Values{"step": {"confirm"}}), http.StatusNotFound)
	v.is(recipient.Invited)
}

func TestTheOperatorChecksIdentitiesFirst(t *testing.T) {
	v := newInvited(t)
	v.set(func(s *merchant.Settings) { s.RecipientCheck = true })
	link := v.link()
	v.shows(v.step(link, "confirm"), http.StatusOK, `data-step="wait"`)
	v.is(recipient.Unverified)
	v.shows(v.step(link, "address", "asset", "BTC", "address", v.who.address), http.StatusBadRequest, "still being checked")
	v.pass(30 * 24 * time.Hour)
	if _, err := v.app.VerifyRecipient(context.Background(), v.id); err != nil {
		t.Fatal(err)
	}
	v.deliver()
	v.wrote("is waiting for your address")
	v.prove()
	v.is(recipient.Active)
	if got, want := v.told(), []int64{4001, 4002, 4003, 4004}; !slices.Equal(got, want) {
		t.Errorf("webhooks %v, want %v", got, want)
	}
}

func TestAChangedAddressIsHeldForADay(t *testing.T) {
	v := newInvited(t)
	v.prove()
	ctx, second, third := context.Background(), newPayee(t, "second"), newPayee(t, "third")
	at := func(want payee) {
		t.Helper()
		if got, _, err := v.app.PayoutAddress(v.is(recipient.Active), "BTC", v.clock()); err != nil || got != want.address {
			t.Fatalf("paid at %s, %v; want %s", got, err, want.address)
		}
	}
	change := func(to payee) {
		t.Helper()
		if _, err := v.app.InviteRecipient(ctx, v.id); err != nil {
			t.Fatal(err)
		}
		v.deliver()
		link := v.link()
		text, nonce := v.give(link, to.address)
		v.shows(v.step(link, "sign", "nonce", nonce, "signature", to.sign(text)), http.StatusOK, `data-step="done"`, "Until then the address you had before stays")
		v.deliver()
		if mail := v.wrote(to.address); !strings.Contains(mail, "was changed") || strings.Contains(mail, "link=") {
			t.Errorf("the mail says\n%s", mail)
		}
	}
	change(second)
	at(v.who)
	v.pass(recipient.AddressHold - time.Second)
	at(v.who)
	v.pass(time.Second)
	at(second)
	// Whoever took over a mailbox is overruled in time by who has it back.
	change(newPayee(t, "thief"))
	v.pass(time.Hour)
	change(third)
	v.pass(recipient.AddressHold - time.Hour)
	at(second)
	v.pass(time.Hour)
	at(third)
	r := v.is(recipient.Active)
	if len(r.State.Addresses) != 4 || r.State.Addresses[2].Void.IsZero() || r.State.Addresses[0].Address != v.who.address {
		t.Errorf("the history is %+v", r.State.Addresses)
	}
	if got, want := v.told(), []int64{4001, 4002, 4003, 4004}; !slices.Equal(got, want) {
		t.Errorf("webhooks %v, want %v", got, want)
	}
}

func TestATestAmountProvesAnAddress(t *testing.T) {
	var v *invited
	fail := true
	v = newInvited(t, func(c *app.Config) {
		c.TestAmount = func(_ context.Context, a app.TestAmount) error {
			v.sent = append(v.sent, a)
			if fail {
				return errors.New("no coins")
			}
			return nil
		}
	})
	link := v.link()
	v.step(link, "confirm")
	_, nonce := v.give(link, v.who.address)
	v.shows(v.step(link, "test", "nonce", nonce), http.StatusBadRequest, "could not be sent now")
	fail = false
	body := v.shows(v.step(link, "test", "nonce", nonce), http.StatusOK, `data-step="read"`)
	if len(v.sent) != 2 || v.sent[0] != v.sent[1] {
		t.Fatalf("asked for twice: %+v", v.sent)
	}
	sent := v.sent[0]
	if sent.Address != v.who.address || sent.Recipient != v.id || sent.Asset != "BTC" || strings.Contains(body, sent.Amount.String()) {
		t.Errorf("sent %+v", sent)
	}
	v.shows(v.step(link, "amount", "nonce", nonce, "amount", "x"), http.StatusBadRequest, "not an amount")
	v.shows(v.step(link, "amount", "nonce", nonce, "amount", "1"), http.StatusBadRequest, "4 more tries")
	n := sent.Amount.String()
	v.shows(v.step(link, "amount", "nonce", nonce, "amount", "0."+strings.Repeat("0", 8-len(n))+n), http.StatusOK, `data-step="done"`)
	if a := v.is(recipient.Active).State.Addresses[0]; a.Proof.Kind != recipient.ByTestAmount || a.Proof.Test != sent.ID {
		t.Errorf("the proof is %+v", a.Proof)
	}
}

func TestAWrongTestAmountCanBeTypedFiveTimes(t *testing.T) {
	v := newInvited(t, func(c *app.Config) {
		c.TestAmount = func(context.Context, app.TestAmount) error { return nil }
	})
	link := v.link()
	v.step(link, "confirm")
	for round := range recipient.MaxTests {
		_, nonce := v.give(link, v.who.address)
		v.shows(v.step(link, "test", "nonce", nonce), http.StatusOK, `data-step="read"`)
		for range recipient.MaxTestTries {
			v.shows(v.step(link, "amount", "nonce", nonce, "amount", "1"), http.StatusBadRequest, "not the amount")
			v.pass(time.Minute)
		}
		v.shows(v.step(link, "amount", "nonce", nonce, "amount", "1"), http.StatusBadRequest, "another tab")
		if got := v.is(recipient.Verified).State.Tests; got != round+1 {
			t.Errorf("%d tests counted in round %d", got, round)
		}
	}
	v.pass(time.Hour)
	_, nonce := v.give(link, v.who.address)
	v.shows(v.step(link, "test", "nonce", nonce), http.StatusBadRequest, "sign the text instead")
}

func TestTheTextOfALinkIsNowhereButInTheMail(t *testing.T) {
	v := newInvited(t)
	link := v.link()
	rows, err := v.raw.Query(`SELECT hash || recipient || event FROM recipient_link UNION ALL SELECT state FROM recipient UNION ALL SELECT detail || name FROM event`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(s, link) {
			t.Errorf("the database holds it: %s", s)
		}
	}
	if n < 3 {
		t.Errorf("%d rows", n)
	}
	if h := v.get("/recipient?link=" + link).Header(); h.Get("Referrer-Policy") != "origin" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
}
