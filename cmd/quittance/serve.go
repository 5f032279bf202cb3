package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/feed"
)

// serveCmd is the server and all that can be set about it.
type serveCmd struct {
	place
	nodePlace
	lightPlace
	Sandbox   bool          `help:"Play money: a Bitcoin regtest chain inside this process." env:"QUITTANCE_SANDBOX"`
	Listen    string        `help:"Address to listen on." default:"127.0.0.1:8788" env:"QUITTANCE_LISTEN" placeholder:"ADDR"`
	PublicURL string        `help:"How clients and buyers reach this server. Default: http://ADDR." env:"QUITTANCE_PUBLIC_URL" placeholder:"URL"`
	Control   string        `help:"Loopback address of the sandbox chain's control; port 0 takes a free one." default:"127.0.0.1:0" env:"QUITTANCE_CONTROL" placeholder:"ADDR"`
	MineEvery time.Duration `help:"Mine a sandbox block this often; 0 is on demand only." default:"0s" env:"QUITTANCE_MINE_EVERY" placeholder:"DURATION"`
	Rates     string        `help:"Where prices come from: fixed (the sandbox's table) or live (public sources)." enum:"fixed,live" default:"fixed" env:"QUITTANCE_RATES"`

	TrustProxy     bool          `help:"Believe X-Forwarded-* of a reverse proxy on this machine." env:"QUITTANCE_TRUST_PROXY"`
	LimitAddress   float64       `help:"Requests per second from one address; 0 is no limit." default:"100" env:"QUITTANCE_LIMIT_ADDRESS"`
	LimitMerchant  float64       `help:"Requests per second for one merchant; 0 is no limit." default:"100" env:"QUITTANCE_LIMIT_MERCHANT"`
	MaxConnections int           `help:"Open connections at once." default:"4096" env:"QUITTANCE_MAX_CONNECTIONS"`
	WebhookPrivate bool          `help:"Also deliver webhooks to loopback and private addresses (always on in the sandbox)." env:"QUITTANCE_WEBHOOK_PRIVATE"`
	WebhookHTTP    bool          `help:"Also accept http:// notification URLs (always on in the sandbox)." env:"QUITTANCE_WEBHOOK_HTTP"`
	SMTP           string        `help:"Mail relay, smtp://user:password@host:587 or smtps://…; the sandbox keeps its mails on /sandbox/mails." env:"QUITTANCE_SMTP" placeholder:"URL"`
	MailFrom       string        `help:"Sender of mails." default:"Quittance <no-reply@localhost>" env:"QUITTANCE_MAIL_FROM"`
	SMSGateway     string        `help:"URL that receives {number, text} as JSON for each SMS; the sandbox keeps them with its mails." env:"QUITTANCE_SMS_GATEWAY" name:"sms-gateway" placeholder:"URL"`
	SeedPassphrase string        `help:"Opens the sealed seeds of hot wallets; without it they are watch-only." env:"QUITTANCE_SEED_PASSPHRASE"`
	HotMaxPayment  uint64        `help:"Most that a hot wallet pays at once, in satoshi; 0 is no limit." default:"0" env:"QUITTANCE_HOT_MAX_PAYMENT" placeholder:"SATOSHI"`
	HotMaxDay      uint64        `help:"Most that leaves a hot wallet within 24 hours, in satoshi, fees included; 0 is no limit." default:"0" env:"QUITTANCE_HOT_MAX_DAY" placeholder:"SATOSHI"`
	VerifyEvery    time.Duration `help:"How often all invariants are checked while serving; a breach stops all money out. 0 is never." default:"15m" env:"QUITTANCE_VERIFY_EVERY" placeholder:"DURATION"`
	LogLevel       string        `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"QUITTANCE_LOG_LEVEL"`

	sources []feed.Source // of live prices; nil is every one there is
}

// policy bounds what hot wallets sign.
func (c *serveCmd) policy() hot.Policy {
	return hot.Policy{MaxPayment: c.HotMaxPayment, MaxDay: c.HotMaxDay}
}

// Run serves until the program is told to stop.
func (c *serveCmd) Run(ctx context.Context) error {
	// With --light scripts are held in memory, and memory is what is promised.
	if os.Getenv("GOGC") == "" && !c.Light {
		// Nearly all garbage is of single requests, and little is held at rest:
		// collecting half as often costs a few megabytes under load.
		debug.SetGCPercent(200)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level(c.LogLevel)}))
	p, err := start(ctx, c, log)
	if err != nil {
		return err
	}
	p.greet(os.Stdout)
	if c.JSON {
		fmt.Printf("{\"url\":%q,\"control\":%q}\n", p.publicURL, p.controlURL)
	}
	err = p.wait(ctx)
	log.Info("stopping")
	return errors.Join(err, p.stop())
}

func level(name string) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(name)) // the flag's enum allows levels only
	return l
}

// greet says where everything is, and on the first start how to go on.
func (p *program) greet(w io.Writer) {
	if p.conf.JSON {
		return
	}
	fmt.Fprintf(w, "quittance %s serves %s (database: %s)\n", version, p.publicURL, p.store.Engine())
	if p.controlURL != "" {
		fmt.Fprintf(w, "  sandbox chain: %s — move it with `quittance sandbox … --data %s`\n", p.controlURL, p.conf.Data)
	}
	if p.first == nil {
		return
	}
	fmt.Fprintf(w, `
This is the first start. A merchant was made to try things with:
  merchant    %s (%s)
  access key  %s
              (shown once; it approves clients on %s/dashboard/merchant/api-tokens)

Pair a client: let it ask for a token (every SDK's setup does), then
  quittance pair approve CODE --data %s
or open %s/api-access-request?pairingCode=CODE

`, p.first.name, p.first.id, p.first.key, p.publicURL, p.conf.Data, p.publicURL)
}
