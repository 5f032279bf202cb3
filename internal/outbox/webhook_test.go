package outbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

func hmacText(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestAWebhookCarriesBothSignatures(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.cancelled(s.URL)
	e.clock.Add(90 * time.Second)
	e.step(e.outbox())
	g := s.received()[0]
	h, at := g.header, e.clock.Now().Unix()
	for name, want := range map[string]string{
		"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "Quittance/1.2.3",
		"X-Signature": hmacText([]byte(apiToken), string(g.body)),
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(e.merchant.WebhookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Get("Webhook-Timestamp") != jsonInt(at) || h.Get("Webhook-Id") != e.deliveries(inv.ID)[0].Event {
		t.Errorf("id %q, timestamp %q", h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"))
	}
	if want := "v1," + hmacText(key, h.Get("Webhook-Id")+"."+h.Get("Webhook-Timestamp")+"."+string(g.body)); h.Get("Webhook-Signature") != want {
		t.Errorf("webhook-signature is %q, want %q", h.Get("Webhook-Signature"), want)
	}
}

func jsonInt(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestTheExtendedBodyIsInPHPSpelling(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.cancelled(s.URL)
	e.step(e.outbox())
	body := string(s.received()[0].body)
	start := `{"event":{"code":1004,"name":"invoice_expired"},"data":{"id":"` + inv.ID +
		`","url":"https:\/\/pay.example\/invoice?id=` + inv.ID +
		`","posData":"{\"ref\":\"\u00e9\ud83d\ude00\"}","status":"expired","price":10.5,"currency":"USD","invoiceTime":`
	if !strings.HasPrefix(body, start) || !strings.Contains(body, `"orderId":"shop\/42"`) ||
		!strings.Contains(body, `"paymentTotals":{"BTC":21000}`) || strings.Contains(body, "{}") {
		t.Errorf("body is %s\nwant it to begin %s", body, start)
	}
}

func TestTheStandardBodyIsFlat(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.invoice(func(o *invoice.Order) { o.NotificationURL, o.Extended = s.URL, false })
	e.resend(inv.ID)
	e.step(e.outbox())
	var n wire.InvoiceNotice
	body := s.received()[0].body
	if err := json.Unmarshal(body, &n); err != nil || n.ID != inv.ID || n.Status != "new" || strings.Contains(string(body), `"event"`) {
		t.Errorf("body is %s (%v)", body, err)
	}
}

func TestTheStateIsTheOneAtDelivery(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.invoice(func(o *invoice.Order) { o.NotificationURL = s.URL })
	e.resend(inv.ID)
	if _, err := e.app.CancelInvoice(t.Context(), inv.ID, false); err != nil {
		t.Fatal(err)
	}
	e.step(e.outbox())
	first := s.received()[0]
	if first.Code != 1012 || !strings.Contains(string(first.body), `"status":"expired"`) {
		t.Errorf("the first webhook is %s", first.body)
	}
}

func TestOnly2xxIsSuccess(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	o := e.outbox()
	for status, want := range map[int]string{
		200: store.Done, 201: store.Done, 204: store.Done, 299: store.Done,
		301: store.Waiting, 302: store.Waiting, 304: store.Waiting, 307: store.Waiting, 308: store.Waiting,
		400: store.Waiting, 404: store.Waiting, 410: store.Waiting, 429: store.Waiting, 500: store.Waiting, 503: store.Waiting,
	} {
		s.answers(func(got) int { return status })
		inv := e.cancelled(s.URL + "/" + jsonInt(int64(status)))
		e.step(o)
		if d := e.deliveries(inv.ID)[0]; d.State != want || d.Tries[0].Status != status {
			t.Errorf("after %d the delivery is %s, logged as %d", status, d.State, d.Tries[0].Status)
		}
	}
}

func TestTheAnswerIsKeptShortAndStorable(t *testing.T) {
	e := newEnv(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 4096 {
			_, _ = w.Write([]byte("a\x00\xff€ long answer …"))
		}
	}))
	defer s.Close()
	inv := e.cancelled(s.URL)
	e.step(e.outbox())
	tr := e.deliveries(inv.ID)[0].Tries[0]
	if len(tr.Answer) > 1024 || len(tr.Answer) < 900 || strings.ToValidUTF8(tr.Answer, "") != tr.Answer || strings.Contains(tr.Answer, "\x00") {
		t.Errorf("%d bytes kept: %q", len(tr.Answer), tr.Answer)
	}
}

func TestAnInternalAddressIsNeverReached(t *testing.T) {
	e, inside := newEnv(t), newShop(t)
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	hosts := []string{
		"127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1",
		"017700000001", "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "127.0.0.1.", "%6c%6f%63alhost",
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]",
		"[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[::ffff:0:127.0.0.1]",
		"[fe80::1%25lo]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1",
		"user:pass@127.0.0.1", "public.example@127.0.0.1", "127.0.0.1%00.example.com", "127.0.0.1%2eexample.com",
	}
	o := e.outbox(func(c *outbox.Config) { c.AllowPrivate = false })
	now := e.clock.Now()
	inv := e.invoice(func(*invoice.Order) {})
	e.update(func(tx *store.Tx) error {
		ev := store.Event{ID: "ev", Merchant: e.merchant.ID, Kind: "invoice", Resource: inv.ID, Seq: 50, Code: 1003, Name: "invoice_paidInFull", At: now}
		if err := tx.AddEvent(ev); err != nil {
			return err
		}
		for _, host := range hosts {
			l := store.Lane{ID: host, Kind: "webhook", Endpoint: "http://" + host + port + "/hook", Merchant: e.merchant.ID}
			if err := tx.Enqueue(l, store.Delivery{ID: host, Event: "ev", Resource: inv.ID, RunAt: now, Created: now}); err != nil {
				return err
			}
		}
		return nil
	})
	e.step(o)
	if n := inside.tried(); n != 0 {
		t.Errorf("%d requests reached a server inside", n)
	}
	for _, d := range e.deliveries(inv.ID) {
		if d.State != store.Waiting || len(d.Tries) != 1 || d.Tries[0].Error == "" {
			t.Errorf("%s: %s, %+v", d.ID, d.State, d.Tries)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	e, inside := newEnv(t), newShop(t)
	var hits int
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, inside.URL, []int{301, 302, 303, 307, 308}[hits%5])
	}))
	defer outside.Close()
	for range 5 {
		e.cancelled(outside.URL)
	}
	o := e.outbox()
	for range 200 {
		e.step(o)
		e.clock.Add(10 * time.Minute)
	}
	if hits < 25 || inside.tried() != 0 {
		t.Errorf("%d redirects given, %d followed", hits, inside.tried())
	}
}

func TestPlainHTTPNeedsPermission(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	inv := e.cancelled(s.URL)
	e.step(e.outbox(func(c *outbox.Config) { c.AllowHTTP = false }))
	if tr := e.deliveries(inv.ID)[0].Tries[0]; s.tried() != 0 || !strings.Contains(tr.Error, "https://") {
		t.Errorf("%d tries, logged %+v", s.tried(), tr)
	}
}

func TestAnUnknownCertificateIsRefused(t *testing.T) {
	e := newEnv(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request was sent") }))
	defer s.Close()
	inv := e.cancelled(s.URL + "/ipn?secret=hunter2")
	e.step(e.outbox())
	if tr := e.deliveries(inv.ID)[0].Tries[0]; !strings.Contains(tr.Error, "certificate") || strings.Contains(tr.Error, "hunter2") {
		t.Errorf("logged %+v", tr)
	}
}
