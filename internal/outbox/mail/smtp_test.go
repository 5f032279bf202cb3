package mail_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/outbox/mail"
)

// server speaks as much ESMTP (RFC 5321, 3207, 4954) as a submission needs.
type server struct {
	net.Listener
	cert    tls.Certificate
	starts  bool   // offers STARTTLS
	implied bool   // TLS from the first byte
	auth    string // "user\x00password"; empty offers none
	refuse  string // answer to RCPT, empty accepts

	mu     sync.Mutex
	mails  []received
	quitOK bool
}

type received struct {
	from, to, data string
	tls, authed    bool
}

func serve(t *testing.T, s *server) (host string, port int, roots *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Listener.Close() })
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go s.session(c)
		}
	}()
	return "127.0.0.1", s.Addr().(*net.TCPAddr).Port, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

func (s *server) session(c net.Conn) {
	defer func() { c.Close() }()
	var m received
	if s.implied {
		c, m.tls = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{s.cert}}), true
	}
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	say("220 test ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO":
			say("250-test")
			if s.starts && !m.tls {
				say("250-STARTTLS")
			}
			if s.auth != "" && (m.tls || !s.starts) {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go")
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{s.cert}})
			r, m.tls = bufio.NewReader(c), true
		case "AUTH":
			b, _ := base64.StdEncoding.DecodeString(line[strings.LastIndexByte(line, ' ')+1:])
			if m.authed = string(b) == "\x00"+s.auth; m.authed {
				say("235 ok")
			} else {
				say("535 no")
			}
		case "MAIL":
			m.from = line
			say("250 ok")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			m.to = line
			say("250 ok")
		case "DATA":
			say("354 go on")
			var data strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				data.WriteString(strings.TrimPrefix(l, "."))
			}
			m.data = data.String()
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			if !s.quitOK {
				return // hangs up instead of answering
			}
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

var message = mail.Message{
	ID: "7Yd2delivery", To: "boss@shop.example", Subject: "Invoice é/42 is paid: 10.00 USD", Text: "Plain wörds.\n.\n..dots\n", HTML: "<p>Wörds</p>",
	Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
}

func sender(t *testing.T, c mail.SMTPConfig) *mail.SMTP {
	t.Helper()
	if c.From == "" {
		c.From = "Till <till@pay.example>"
	}
	m, err := mail.NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMailIsHandedOverInEachKindOfSession(t *testing.T) {
	for name, tc := range map[string]struct {
		srv      *server
		security mail.Security
		user     string
	}{
		"plain, to this machine":             {srv: &server{quitOK: true}, security: mail.None},
		"starttls with a password":           {srv: &server{starts: true, auth: "till\x00s3cret", quitOK: true}, security: mail.StartTLS, user: "till"},
		"tls with a password":                {srv: &server{implied: true, auth: "till\x00s3cret", quitOK: true}, security: mail.TLS, user: "till"},
		"a server that does not say goodbye": {srv: &server{}, security: mail.None},
	} {
		t.Run(name, func(t *testing.T) {
			s := tc.srv
			host, port, conf := serve(t, s)
			m := sender(t, mail.SMTPConfig{Host: host, Port: port, Security: tc.security, Username: tc.user, Password: "s3cret", TLSConfig: conf})
			if err := m.Send(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			if len(s.mails) != 1 {
				t.Fatalf("%d mails taken", len(s.mails))
			}
			got := s.mails[0]
			if got.tls != (tc.security != mail.None) || got.authed != (tc.user != "") {
				t.Errorf("tls %v, authenticated %v", got.tls, got.authed)
			}
			check(t, got)
		})
	}
}

func check(t *testing.T, got received) {
	t.Helper()
	if !strings.Contains(got.from, "<till@pay.example>") || !strings.Contains(got.to, "<boss@shop.example>") {
		t.Errorf("envelope %q %q", got.from, got.to)
	}
	m, err := netmail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if subject != message.Subject || m.Header.Get("Message-ID") != "<7Yd2delivery@pay.example>" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers %v", m.Header)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{message.Text, message.HTML} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		sc := bufio.NewReader(quotedprintable.NewReader(p))
		_, _ = sc.WriteTo(&b)
		if text := strings.ReplaceAll(b.String(), "\r\n", "\n"); strings.TrimSpace(text) != strings.TrimSpace(want) {
			t.Errorf("part is %q, want %q", text, want)
		}
	}
}

func TestARetryIsRecognisable(t *testing.T) {
	s := &server{quitOK: true}
	host, port, _ := serve(t, s)
	m := sender(t, mail.SMTPConfig{Host: host, Port: port, Security: mail.None})
	for range 2 {
		if err := m.Send(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	for _, got := range s.mails {
		check(t, got)
	}
}

func TestNoHeaderCanBeSmuggledIn(t *testing.T) {
	s := &server{quitOK: true}
	host, port, _ := serve(t, s)
	m := sender(t, mail.SMTPConfig{Host: host, Port: port, Security: mail.None})
	evil := message
	evil.Subject = "Invoice x\r\nBcc: victim@example.com\r\n\r\nhello\u2028\x00"
	evil.ID = "id\r\nBcc: victim@example.com"
	if err := m.Send(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	got, err := netmail.ReadMessage(strings.NewReader(s.mails[0].data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Bcc") != "" || strings.Contains(s.mails[0].data, "\nBcc:") {
		t.Errorf("mail is %q", s.mails[0].data)
	}
	for _, to := range []string{"", "boss", "a@b.example, c@d.example", "Boss <boss@shop.example>", "a@b.example\r\nRCPT TO:<x@y.example>", "a@b.example>\nDATA"} {
		bad := message
		bad.To = to
		if err := m.Send(t.Context(), bad); err == nil {
			t.Errorf("a mail to %q was sent", to)
		}
	}
	if len(s.mails) != 1 {
		t.Errorf("%d mails taken", len(s.mails))
	}
}

func TestRefusalsAreErrors(t *testing.T) {
	for name, s := range map[string]*server{
		"unknown recipient":       {refuse: "550 5.1.1 no such user", quitOK: true},
		"no STARTTLS":             {quitOK: true},
		"wrong password":          {starts: true, auth: "till\x00other", quitOK: true},
		"nobody listens any more": {},
	} {
		host, port, conf := serve(t, s)
		c := mail.SMTPConfig{Host: host, Port: port, Security: mail.StartTLS, TLSConfig: conf}
		switch name {
		case "unknown recipient":
			c.Security = mail.None
		case "wrong password":
			c.Username, c.Password = "till", "s3cret"
		case "nobody listens any more":
			s.Listener.Close()
		}
		err := sender(t, c).Send(t.Context(), message)
		if err == nil || strings.Contains(err.Error(), "s3cret") || len(s.mails) != 0 {
			t.Errorf("%s: error %v, %d mails", name, err, len(s.mails))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sender(t, mail.SMTPConfig{Host: "127.0.0.1", Security: mail.None}).Send(ctx, message); err == nil {
		t.Error("sent although the context is over")
	}
}

func TestDangerousConfigurationsAreRefused(t *testing.T) {
	for name, c := range map[string]mail.SMTPConfig{
		"no sender":             {Host: "localhost", Security: mail.None},
		"a sender that is none": {Host: "localhost", Security: mail.None, From: "till"},
		"clear text far away":   {Host: "mail.example", Security: mail.None, From: "a@b.example"},
		"an unknown protection": {Host: "mail.example", Security: "ssl3", From: "a@b.example"},
		"no server":             {From: "a@b.example"},
	} {
		if _, err := mail.NewSMTP(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
