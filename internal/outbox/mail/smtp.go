package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Security is how the connection to the mail server is protected.
type Security string

// The ways to reach a mail server. None is allowed to this machine only.
const (
	StartTLS Security = "starttls" // usually port 587
	TLS      Security = "tls"      // usually port 465
	None     Security = "none"
)

const (
	smtpTimeout  = 15 * time.Second
	smtpSessions = 4 // at once; many servers refuse more from one client
)

// SMTPConfig says which mail server to use and who the sender is.
type SMTPConfig struct {
	Host     string
	Port     int // 0: the usual one of Security
	Security Security
	Username string // empty: no authentication
	Password string
	From     string // "name@shop.example" or "Shop <name@shop.example>"

	// TLSConfig, when set, replaces the usual verification by system authorities.
	TLSConfig *tls.Config
}

// SMTP hands messages to a mail server, one session each.
type SMTP struct {
	client *gomail.Client
	from   *netmail.Address
	turn   chan struct{}
}

// NewSMTP checks the configuration; it does not connect yet.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	from, err := netmail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("mail: the sender %q is not an e-mail address", c.From)
	}
	opts, err := c.options()
	if err != nil {
		return nil, err
	}
	client, err := gomail.NewClient(c.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return &SMTP{client: client, from: from, turn: make(chan struct{}, smtpSessions)}, nil
}

func (c *SMTPConfig) options() ([]gomail.Option, error) {
	port := c.Port
	opts := []gomail.Option{gomail.WithTimeout(smtpTimeout), gomail.WithoutNoop()}
	switch c.Security {
	case StartTLS, "":
		opts, port = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory)), orElse(port, 587)
	case TLS:
		opts, port = append(opts, gomail.WithSSL()), orElse(port, 465)
	case None:
		if !local(c.Host) {
			return nil, fmt.Errorf("mail: security \"none\" is allowed for a mail server on this machine only, %s is not; use starttls or tls", c.Host)
		}
		opts, port = append(opts, gomail.WithTLSPolicy(gomail.NoTLS)), orElse(port, 25)
	default:
		return nil, fmt.Errorf("mail: security %q is not one of starttls, tls, none", c.Security)
	}
	if c.TLSConfig != nil {
		opts = append(opts, gomail.WithTLSConfig(c.TLSConfig))
	}
	if c.Username != "" {
		opts = append(opts, gomail.WithUsername(c.Username), gomail.WithPassword(c.Password),
			gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover))
	}
	return append(opts, gomail.WithPort(port)), nil
}

func orElse(port, usual int) int {
	if port == 0 {
		return usual
	}
	return port
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send delivers one message. A failure after the server took it over is none.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := s.message(m)
	if err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return errors.New("mail: the mail server is busy with earlier messages")
	}
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	session, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("mail: reach the mail server: %w", err)
	}
	err = s.client.SendWithSMTPClient(session, msg)
	_ = s.client.CloseWithSMTPClient(session)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

// message puts m into MIME form. Only addresses that parse as one bare address
// and a subject of one line reach a header.
func (s *SMTP) message(m Message) (*gomail.Msg, error) {
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || strings.ContainsAny(m.To, "\r\n\x00") {
		return nil, fmt.Errorf("mail: %q is not an e-mail address", m.To)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(&netmail.Address{Address: to.Address})
	msg.Subject(oneLine(m.Subject))
	msg.SetDateWithValue(m.Date)
	msg.SetMessageIDWithValue(oneLine(m.ID) + s.from.Address[strings.LastIndexByte(s.from.Address, '@'):])
	// RFC 3834: no automatic answers to automatic mails.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}
