package e2e

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// walk is one visit to a server by everybody who has secrets.
type walk struct {
	t    *testing.T
	s    *overheard
	c    *canary
	http *http.Client
	api  *client.Client
	key  *client.Key
	inv  *wire.Invoice
}

// Whatever clients, buyers and operators do, no secret reaches what the server
// writes: its log at the finest level, its metrics, the files beside its
// database. The one exception is the access key in the greeting of the first
// start, which says so.
func TestSecretsAreNeverWrittenDown(t *testing.T) {
	s := overhear(t, "/api-access-request?pairingCode=CODE\n\n")
	w := &walk{t: t, s: s, c: newCanary()}
	w.http = &http.Client{Transport: w.c}
	w.greeting()
	w.pairs()
	w.operates()
	w.invoices()
	w.verifiesNumber()
	w.events()
	w.session()
	w.isRefused()
	w.isMalformed()
	w.visitsPages()
	metrics := w.get("/metrics", nil)
	w.seeds()
	s.stop()

	for _, kind := range []string{"a token", "an X-Signature", "a query string", "the access key", "a webhook secret", "a private key",
		"seed material", "an SMS code", "a session", "an event token", "a wrong key", "a passphrase"} {
		if !w.c.kinds()[kind] {
			t.Errorf("nothing of the kind %q was used", kind)
		}
	}
	if hits := w.c.found("x " + w.inv.Token + "\n"); len(hits) != 1 {
		t.Fatalf("the search does not find what is there: %v", hits)
	}
	if len(s.stderr.String()) == 0 || !strings.Contains(metrics, "quittance_http_request_seconds") {
		t.Fatal("the server wrote nothing")
	}
	w.clean("the log", s.stderr.String())
	w.clean("the metrics", metrics)
	// What the greeting shows: the key, and a link with a placeholder.
	greeting := strings.Replace(s.stdout.String(), "?pairingCode=CODE", "", 1)
	if hits := w.c.found(greeting); len(hits) != 1 || !strings.HasPrefix(hits[0], "the access key") {
		t.Errorf("standard output holds %v\n%s", hits, s.stdout)
	}
	w.files()
}

func (w *walk) clean(where, text string) {
	w.t.Helper()
	for _, hit := range w.c.found(text) {
		w.t.Errorf("%s holds %s", where, hit)
	}
}

// files searches the data folder but for the database and the sandbox's chain.
func (w *walk) files() {
	w.t.Helper()
	must(w.t, filepath.WalkDir(w.s.data, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "sandbox":
			return filepath.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), "quittance.db"):
			return nil
		}
		b, err := os.ReadFile(path)
		w.clean(d.Name(), string(b))
		return err
	}))
}

var (
	served   = regexp.MustCompile(`serves (http://\S+)`)
	keyShown = regexp.MustCompile(`access key +(qk_\S+)`)
)

func (w *walk) greeting() {
	w.t.Helper()
	said := w.s.stdout.String()
	where, key := served.FindStringSubmatch(said), keyShown.FindStringSubmatch(said)
	if where == nil || key == nil {
		w.t.Fatalf("the greeting is\n%s", said)
	}
	w.s.url = where[1]
	w.c.keep("the access key", key[1])
}

// do sends a request that is not the client's and returns the answer's body.
func (w *walk) do(method, path string, header http.Header, body string) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.s.url+path, strings.NewReader(body))
	must(w.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := w.http.Do(req)
	must(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return string(b)
}

func (w *walk) get(path string, header http.Header) string {
	return w.do(http.MethodGet, path, header, "")
}

func (w *walk) form(path string, values url.Values) string {
	return w.do(http.MethodPost, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, values.Encode())
}

// signed sends a request with the client's signature.
func (w *walk) signed(method, path, body string) string {
	h := http.Header{"Content-Type": {"application/json"}, "X-Accept-Version": {"2.0.0"}}
	h.Set("X-Identity", w.key.Identity())
	h.Set("X-Signature", w.key.Sign(w.s.url+path, []byte(body)))
	return w.do(method, path, h, body)
}

func (w *walk) newClient() (*client.Client, *client.Key) {
	w.t.Helper()
	key, err := client.NewKey(rand.Reader)
	must(w.t, err)
	w.c.keep("a private key", key.Hex())
	return client.New(w.s.url, key, client.WithHTTPClient(w.http)), key
}

// pairs gets tokens in all ways: by the page with the access key, and by a code.
func (w *walk) pairs() {
	w.t.Helper()
	w.api, w.key = w.newClient()
	token, err := w.api.RequestToken(w.t.Context(), client.Merchant, "canary")
	must(w.t, err)
	w.get("/api-access-request?pairingCode="+token.PairingCode, nil)
	wrong := "qk_thisIsNotTheKeyButItIsOnesKey"
	w.c.keep("a wrong key", wrong)
	access := keyShown.FindStringSubmatch(w.s.stdout.String())[1]
	for _, key := range []string{wrong, access} {
		page := w.form("/api-access-request", url.Values{"pairingCode": {token.PairingCode}, "key": {key}})
		if approved := strings.Contains(page, "Client approved"); approved != (key == access) {
			w.t.Fatalf("the page says\n%s", page)
		}
	}
	w.form("/dashboard/merchant/api-tokens", url.Values{"action": {"open"}, "facade": {"pos"}, "key": {access}})

	var made struct{ PairingCode, Token string }
	w.s.operator(&made, "pair", "create", "--facade", "pos")
	pos, _ := w.newClient()
	_, err = pos.Claim(w.t.Context(), made.PairingCode)
	must(w.t, err)
	_, err = pos.CreateInvoice(w.t.Context(), client.POS, wire.InvoiceRequest{Price: "3", Currency: "EUR"})
	must(w.t, err)
	w.s.operator(&made, "pair", "create", "--open")
	w.c.keep("a token", made.Token)
	tokens, err := w.api.LoadTokens(w.t.Context())
	must(w.t, err)
	if tokens[client.Merchant] != token.Token {
		w.t.Fatal("the client has no merchant token")
	}
	w.c.keep("a token", token.Token)
}

// operates changes secrets from the command line while the server runs.
func (w *walk) operates() {
	w.t.Helper()
	var hook struct{ Secret string }
	w.s.operator(&hook, "webhook", "secret")
	w.c.keep("a webhook secret", hook.Secret, strings.TrimPrefix(hook.Secret, "whsec_"))
	var made struct{ AccessKey, Words string }
	w.s.operator(&made, "merchant", "key")
	w.c.keep("a renewed access key", made.AccessKey)
	w.s.operator(&made, "merchant", "create", "Another shop")
	w.c.keep("a merchant's access key", made.AccessKey)
	const pass = "a passphrase of the operator"
	w.c.keep("a passphrase", pass)
	w.s.operator(&made, "wallet", "add", "--merchant", "Another shop", "--generate", "--passphrase", pass)
	w.c.keep("seed material", made.Words)
}

// invoices makes one whose webhooks go to a receiver that refuses them, at an
// address with a secret in it, and one whose webhooks nobody receives.
func (w *walk) invoices() {
	w.t.Helper()
	ctx := w.t.Context()
	got := make(chan http.Header, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got <- r.Header.Clone()
		rw.WriteHeader(http.StatusInternalServerError)
	}))
	w.t.Cleanup(hook.Close)
	const password = "passwordOfTheWebhook"
	w.c.keep("a webhook address", "hook="+password, password)
	inv, err := w.api.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{
		Price: "10", Currency: "USD", GUID: "canary", NotificationURL: hook.URL + "/?hook=" + password, NotificationEmail: "shop@example.com",
	})
	must(w.t, err)
	w.inv = inv
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	lost, err := w.api.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{Price: "10", Currency: "USD", NotificationURL: nobody.URL + "/?hook=" + password})
	must(w.t, err)
	_, err = w.api.PayInvoice(ctx, lost.ID, "confirmed")
	must(w.t, err)
	_, err = w.api.PayInvoice(ctx, inv.ID, "confirmed")
	must(w.t, err)
	h := <-got
	w.c.keep("a webhook's signature", h.Get("X-Signature"), h.Get("Webhook-Signature"))
	must(w.t, w.api.ResendInvoice(ctx, inv.ID)) // waits behind the one that failed
	for w.tries(lost.ID) == 0 || w.tries(inv.ID) == 0 {
		moment(ctx, 50*time.Millisecond)
	}
	if inv, err = w.api.Invoice(ctx, client.Merchant, inv.ID); err == nil {
		_, err = w.api.InvoiceByGUID(ctx, client.Merchant, inv.GUID)
	}
	must(w.t, err)
	_, err = w.api.Invoices(ctx, client.InvoiceFilter{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
	must(w.t, err)
}

// tries is how often the webhooks of an invoice were tried.
func (w *walk) tries(invoice string) (n int) {
	w.t.Helper()
	var rows []struct{ Tries []json.RawMessage }
	w.s.operator(&rows, "webhook", "list", invoice)
	for _, r := range rows {
		n += len(r.Tries)
	}
	return n
}

var codeInMail = regexp.MustCompile(`verification code is (\d{6})`)

// verifiesNumber asks for a code, which only the sandbox's mails show.
func (w *walk) verifiesNumber() {
	w.t.Helper()
	open, err := w.api.CreateInvoice(w.t.Context(), client.Merchant, wire.InvoiceRequest{Price: "4", Currency: "USD"})
	must(w.t, err)
	token, _ := w.api.Token(client.Merchant)
	ask := func(more string) string {
		return w.signed(http.MethodPut, "/invoices/"+open.ID, fmt.Sprintf(`{"token":%q,"buyerSms":"+12223334444","autoVerify":false%s}`, token, more))
	}
	ask("")
	code := codeInMail.FindStringSubmatch(w.get("/sandbox/mails", nil))
	if code == nil {
		w.t.Fatal("no code was sent")
	}
	w.c.keep("an SMS code", code[1])
	ask(`,"smsCode":"xx` + code[1] + `"`)
	if said := ask(`,"smsCode":"` + code[1] + `"`); !strings.Contains(said, `"smsVerified":true`) {
		w.t.Fatalf("the code does not verify: %s", said)
	}
}

// events opens a stream, an unknown one and one that is ended again.
func (w *walk) events() {
	w.t.Helper()
	e, err := w.api.InvoiceEvents(w.t.Context(), w.inv.ID)
	must(w.t, err)
	w.c.keep("an event token", e.Token)
	resp, err := w.http.Get(w.s.url + "/events?token=" + e.Token)
	must(w.t, err)
	_, err = bufio.NewReader(resp.Body).ReadString('\n')
	must(w.t, err)
	resp.Body.Close()
	w.get("/events?action=unsubscribe&token="+e.Token, nil)
	w.get("/events?token="+e.Token[1:], nil)
	w.get("/invoice/state?id="+w.inv.ID+"&token="+e.Token, nil)
}

// session numbers requests, repeats one and leaves one out.
func (w *walk) session() {
	w.t.Helper()
	var opened struct{ Data string }
	must(w.t, json.Unmarshal([]byte(w.do(http.MethodPost, "/sessions", nil, "")), &opened))
	w.c.keep("a session", opened.Data)
	token, _ := w.api.Token(client.Merchant)
	for _, number := range []int{1, 1, 7} {
		w.signed(http.MethodGet, fmt.Sprintf("/invoices/%s?token=%s&sessionId=%s&requestNumber=%d", w.inv.ID, token, opened.Data, number), "")
	}
}

// isRefused sends wrong signatures and tokens, and right ones where they do not
// belong.
func (w *walk) isRefused() {
	w.t.Helper()
	token, _ := w.api.Token(client.Merchant)
	const foreign = "aTokenThatIsNotOfThisServer1111111111111111"
	w.c.keep("a token", foreign)
	stranger := http.Header{"X-Identity": {w.key.Identity()}, "X-Signature": {hex.EncodeToString([]byte("this is not a signature, but it may be one elsewhere"))}}
	w.do(http.MethodGet, "/invoices/"+w.inv.ID+"?token="+token, stranger, "")
	w.do(http.MethodPost, "/invoices", stranger, `{"token":"`+token+`"}`)
	w.signed(http.MethodGet, "/invoices/"+w.inv.ID+"?token="+foreign, "")
	w.signed(http.MethodPost, "/invoices", `{"token":"`+foreign+`","price":5,"currency":"USD"}`)
	_, err := w.api.SINs(w.t.Context(), client.Merchant)
	must(w.t, err)
	w.signed(http.MethodGet, "/tokens/"+foreign+"/sins", "")
	w.signed(http.MethodPost, "/tokens/"+token+"/sins", `{"sin":"`+token+`"}`)
	w.signed(http.MethodPatch, "/tokens/"+token+"/sins?token="+token, "")
}

// isMalformed sends secrets where nothing reads them, and what is no JSON, no
// path and no HTTP.
func (w *walk) isMalformed() {
	w.t.Helper()
	token, _ := w.api.Token(client.Merchant)
	for _, body := range []string{`{"token":"` + token + `", `, "\x00" + token, `"` + token + `"`, `{"token":["` + token + `"],"price":{"` + token + `":1}}`} {
		w.signed(http.MethodPost, "/invoices", body)
		w.signed(http.MethodPost, "/invoices?token="+token, body)
	}
	for _, path := range []string{"/nothing/", "/invoices/pay/", "/i/", "/static/", "/invoiceData/", "//", "/..%2f"} {
		w.get(path+token, nil)
		w.get(path+token+"?token="+token, http.Header{"Accept": {"text/html"}})
	}
	for _, text := range []string{
		"GET /" + token + "?token=" + token + " HTTP/9.9\r\n\r\n",
		"GET /?token=" + token + " HTTP/1.1\r\nHost: a b\r\nX-Signature " + token + "\r\n\r\n",
		"POST /invoices?token=" + token + " HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n" + token,
		token + "\r\n\r\n",
		"GET /?token=" + token + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.s.url, "http://"))
		must(w.t, err)
		_, _ = io.WriteString(conn, text) // the server may hang up early
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
}

func (w *walk) visitsPages() {
	w.t.Helper()
	token, _ := w.api.Token(client.Merchant)
	w.get("/invoice?id="+w.inv.ID+"&token="+token, nil)
	w.get("/invoice?id="+token, nil)
	w.get("/i/"+w.inv.ID+"?token="+token, nil)
	w.get("/api-access-request?pairingCode="+token, nil)
	w.form("/invoice/email", url.Values{"id": {token}, "email": {token}})
	w.form("/dashboard/merchant/api-tokens?key="+token, url.Values{"key": {token}, "action": {token}, "facade": {token}})
	w.form("/api-access-request", url.Values{"%": {token}})
	w.get("/healthz?token="+token, nil)
	w.get("/readyz?token="+token, nil)
}

// seeds keeps what the sandbox's own money is made of.
func (w *walk) seeds() {
	w.t.Helper()
	seed, err := os.ReadFile(filepath.Join(w.s.data, "sandbox", "faucet.seed"))
	must(w.t, err)
	w.c.keep("seed material", string(seed), hex.EncodeToString(seed))
}

// With --json the greeting, and with it the key, is left out; a start that
// fails does not repeat passwords.
func TestStartsKeepSecretsToThemselves(t *testing.T) {
	s := overhear(t, "\n", "--json")
	s.stop()
	if said := s.stdout.String() + s.stderr.String(); strings.Contains(said, "qk_") {
		t.Errorf("the access key is printed with --json:\n%s", said)
	}
	const password = "passwordOfTheOperator"
	for _, args := range [][]string{
		{"--database", "postgres://quittance:" + password + "@127.0.0.1:1/quittance?connect_timeout=2"},
		{"--database", "postgres://quittance:" + password + "@127.0.0.1:none/quittance"},
		{"--smtp", "smtp://quittance:" + password + "@mail.example.com:none"},
		{"--smtp", "mailto://quittance:" + password + "@mail.example.com"},
		{"--smtp", "smtp://quittance:" + password + "@:25"},
		{"--public-url", "https://quittance:" + password + "@pay.example.com"},
	} {
		if said := s.refusal(append(args, "--data", t.TempDir())...); strings.Contains(said, password) {
			t.Errorf("%s repeats the password: %s", args[0], said)
		}
	}
}
