package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
)

// rates chooses where prices come from.
func (p *program) rates() (app.Rates, error) {
	if p.conf.Rates == "fixed" {
		return feed.Static(rate.Fixed(time.Now())), nil
	}
	sources := p.conf.sources
	if sources == nil {
		sources = feed.All()
	}
	f := &feed.Poller{Sources: sources, Interval: time.Minute, Timeout: 10 * time.Second, Policy: rate.DefaultPolicy(), Now: p.clock.now, Log: p.log}
	p.background = append(p.background, namedLoop{"rates", f.Run})
	return f, nil
}

type namedLoop struct {
	name string
	run  func(context.Context) error
}

// mailer chooses where mails go: a relay, or the sandbox's own page.
func (p *program) mailer() (mail.Mailer, error) {
	if p.conf.SMTP == "" {
		if !p.conf.Sandbox {
			p.log.Warn("there is no mail relay (--smtp): letters are kept in the database and reach nobody")
		}
		return mail.Sandbox{Store: p.store}, nil
	}
	u, err := url.Parse(p.conf.SMTP)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("--smtp is not an address such as smtp://user:password@mail.example.com:587")
	}
	c := mail.SMTPConfig{Host: u.Hostname(), Security: mail.StartTLS, Username: u.User.Username(), From: p.conf.MailFrom}
	c.Password, _ = u.User.Password()
	if port := u.Port(); port != "" {
		if c.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("--smtp: the port %q is not a number", port)
		}
	}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		c.Security = mail.TLS
	case "smtp+plain":
		c.Security = mail.None
	default:
		return nil, fmt.Errorf("--smtp: %q is none of smtp, smtps and, for a relay on this machine, smtp+plain", u.Scheme)
	}
	return mail.NewSMTP(c)
}

// sms chooses how codes reach buyers.
func (p *program) sms() app.SMS {
	if p.conf.SMSGateway != "" {
		return smsGateway{p.conf.SMSGateway}
	}
	if p.conf.Sandbox {
		return sandboxSMS{p.store}
	}
	return nil
}

// smsGateway hands messages to a service of the operator's choice.
type smsGateway struct{ url string }

// Send posts {"number", "text"} and takes any 2xx as accepted.
func (g smsGateway) Send(ctx context.Context, number, text string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]string{"number": number, "text": text})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return withoutURL(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the SMS gateway answered %s", resp.Status)
	}
	return nil
}

// withoutURL is a failed request's error less its address: gateways are given
// their key in it, and the error is logged.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("the SMS gateway cannot be reached: %w", err)
}

// sandboxSMS keeps messages with the sandbox's mails.
type sandboxSMS struct{ store *store.Store }

// Send keeps the message.
func (s sandboxSMS) Send(ctx context.Context, number, text string) error {
	now := time.Now()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		return tx.AddMail(store.Mail{ID: fmt.Sprintf("sms-%d-%s", now.UnixNano(), number), Sent: now, Recipient: number, Subject: "SMS", Text: text})
	})
}

// quiet drops what net/http logs of clients that hang up or speak no HTTP: it
// would hold addresses and parts of requests.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "http: ") {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

// health adds the pages that machines look at.
func (p *program) health(mux *http.ServeMux, m *metrics) {
	answer := func(w http.ResponseWriter, err error) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	}
	ready := func(w http.ResponseWriter, err error) {
		answer(w, err)
		p.writeAlarms(w)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { answer(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { ready(w, p.readiness(r.Context())) })
	mux.Handle("GET /metrics", m.handler(p))
}

// readiness says what still keeps the server from taking invoices.
func (p *program) readiness(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := p.store.View(ctx, func(tx *store.Tx) error { _, err := tx.Tips(); return err }); err != nil {
		p.log.Error("readiness: the database", "error", err)
		return errors.New("the database does not answer")
	}
	if !p.ready() {
		return p.stillFollowing()
	}
	if _, err := p.app.Rates.Current(); err != nil {
		return fmt.Errorf("no trustworthy exchange rate: %w", err)
	}
	return nil
}
