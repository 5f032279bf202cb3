package mail_test

import (
	"context"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/outbox/mail/smtptest"
)

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
		srv      *smtptest.Server
		security mail.Security
		user     string
	}{
		"plain, to this machine":             {srv: &smtptest.Server{}, security: mail.None},
		"starttls with a password":           {srv: &smtptest.Server{Starts: true, Auth: "till\x00s3cret"}, security: mail.StartTLS, user: "till"},
		"tls with a password":                {srv: &smtptest.Server{Implied: true, Auth: "till\x00s3cret"}, security: mail.TLS, user: "till"},
		"a server that does not say goodbye": {srv: &smtptest.Server{Rude: true}, security: mail.None},
	} {
		t.Run(name, func(t *testing.T) {
			s := tc.srv
			host, port, conf := s.Start(t)
			m := sender(t, mail.SMTPConfig{Host: host, Port: port, Security: tc.security, Username: tc.user, Password: "s3cret", TLSConfig: conf})
			if err := m.Send(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			if len(s.Mails()) != 1 {
				t.Fatalf("%d mails taken", len(s.Mails()))
			}
			got := s.Mails()[0]
			if got.TLS != (tc.security != mail.None) || got.Authed != (tc.user != "") {
				t.Errorf("tls %v, authenticated %v", got.TLS, got.Authed)
			}
			check(t, got)
		})
	}
}

func check(t *testing.T, got smtptest.Received) {
	t.Helper()
	if !strings.Contains(got.From, "<till@pay.example>") || !strings.Contains(got.To, "<boss@shop.example>") {
		t.Errorf("envelope %q %q", got.From, got.To)
	}
	l := got.Letter(t)
	if l.Subject != message.Subject || l.Header.Get("Message-ID") != "<7Yd2delivery@pay.example>" || l.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers %v", l.Header)
	}
	if strings.TrimSpace(l.Text) != strings.TrimSpace(message.Text) || strings.TrimSpace(l.HTML) != message.HTML {
		t.Errorf("parts %q and %q", l.Text, l.HTML)
	}
}

func TestARetryIsRecognisable(t *testing.T) {
	s := &smtptest.Server{}
	host, port, _ := s.Start(t)
	m := sender(t, mail.SMTPConfig{Host: host, Port: port, Security: mail.None})
	for range 2 {
		if err := m.Send(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	for _, got := range s.Mails() {
		check(t, got)
	}
}

func TestNoHeaderCanBeSmuggledIn(t *testing.T) {
	s := &smtptest.Server{}
	host, port, _ := s.Start(t)
	m := sender(t, mail.SMTPConfig{Host: host, Port: port, Security: mail.None})
	evil := message
	evil.Subject = "Invoice x\r\nBcc: victim@example.com\r\n\r\nhello\u2028\x00"
	evil.ID = "id\r\nBcc: victim@example.com"
	if err := m.Send(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	got, err := netmail.ReadMessage(strings.NewReader(s.Mails()[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Bcc") != "" || strings.Contains(s.Mails()[0].Data, "\nBcc:") {
		t.Errorf("mail is %q", s.Mails()[0].Data)
	}
	for _, to := range []string{"", "boss", "a@b.example, c@d.example", "Boss <boss@shop.example>", "a@b.example\r\nRCPT TO:<x@y.example>", "a@b.example>\nDATA"} {
		bad := message
		bad.To = to
		if err := m.Send(t.Context(), bad); err == nil {
			t.Errorf("a mail to %q was sent", to)
		}
	}
	if len(s.Mails()) != 1 {
		t.Errorf("%d mails taken", len(s.Mails()))
	}
}

func TestRefusalsAreErrors(t *testing.T) {
	for name, s := range map[string]*smtptest.Server{
		"unknown recipient":       {Refuse: "550 5.1.1 no such user"},
		"no STARTTLS":             {},
		"wrong password":          {Starts: true, Auth: "till\x00other"},
		"nobody listens any more": {},
	} {
		host, port, conf := s.Start(t)
		c := mail.SMTPConfig{Host: host, Port: port, Security: mail.StartTLS, TLSConfig: conf}
		switch name {
		case "unknown recipient":
			c.Security = mail.None
		case "wrong password":
			c.Username, c.Password = "till", "s3cret"
		case "nobody listens any more":
			s.Close()
		}
		err := sender(t, c).Send(t.Context(), message)
		if err == nil || strings.Contains(err.Error(), "s3cret") || len(s.Mails()) != 0 {
			t.Errorf("%s: error %v, %d mails", name, err, len(s.Mails()))
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
