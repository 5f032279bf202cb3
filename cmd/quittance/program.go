package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quittance/quittance/internal/api"
	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/light"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/pages"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
	"github.com/quittance/quittance/internal/watch"
)

// program is a running server.
type program struct {
	conf       *serveCmd
	log        *slog.Logger
	store      *store.Store
	app        *app.App
	play       *playMoney // nil outside of the sandbox
	network    string
	light      *light.Client // nil where Bitcoin is not followed without a node
	chains     []*followed
	front      *api.Server
	pages      *pages.Pages
	http       *http.Server
	control    *http.Server
	clock      clock
	publicURL  string
	controlURL string
	first      *firstMerchant
	background []namedLoop
	locks      []*os.File
	hot        *hotWallets
	journal    *journal
	settled    time.Time // owned by the spender's loop
	joined     time.Time // likewise: when coins were last looked at to be joined
	spendNow   chan struct{}
	announced  bool // the control file is ours

	loops  sync.WaitGroup
	cancel context.CancelFunc
	failed chan error
}

type firstMerchant struct{ id, name, key string }

// clock is the real time, put forward only by the demo, which does not wait for
// a payment window to close.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) skip(d time.Duration) { c.ahead.Add(int64(d)) }

// start puts the parts together and returns once requests are answered.
func start(ctx context.Context, conf *serveCmd, log *slog.Logger) (p *program, err error) {
	if conf.nothingToFollow() {
		return nil, errNothingToFollow
	}
	p = &program{conf: conf, log: log, failed: make(chan error, 8), spendNow: make(chan struct{}, 1)}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	defer func() {
		if err != nil {
			_ = p.stop()
		}
	}()
	listener, err := net.Listen("tcp", conf.Listen)
	if err != nil {
		return p, fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", conf.Listen, err)
	}
	p.publicURL = publicURL(conf.PublicURL, listener.Addr())
	if err = p.open(ctx); err != nil {
		listener.Close()
		return p, err
	}
	if err = p.assemble(background); err != nil {
		listener.Close()
		return p, err
	}
	if err = p.listen(background, listener); err != nil {
		return p, err
	}
	return p, nil
}

func publicURL(configured string, addr net.Addr) string {
	if configured != "" {
		return strings.TrimRight(configured, "/")
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// checkPublicURL refuses what links and signatures cannot be built upon. It
// repeats nothing of the address that may be a secret.
func checkPublicURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return errors.New("--public-url is not an address such as https://pay.example.com")
	case u.User != nil || strings.ContainsAny(text, "?#"):
		return errors.New("--public-url is an address such as https://pay.example.com, without a user, a query or a fragment")
	}
	return nil
}

// open opens the database, the chain and the operations on them.
func (p *program) open(ctx context.Context) error {
	if err := checkPublicURL(p.publicURL); err != nil {
		return err
	}
	if err := p.lock(); err != nil {
		return err
	}
	st, err := store.Open(ctx, p.conf.Database, p.conf.Data)
	if err != nil {
		return err
	}
	p.store = st
	if err = p.follow(ctx); err != nil {
		return err
	}
	rates, err := p.rates()
	if err != nil {
		return err
	}
	p.hot = &hotWallets{
		folder: filepath.Join(p.conf.Data, "signer"), passphrase: p.conf.SeedPassphrase, policy: p.conf.policy(), now: p.clock.now, log: p.log,
	}
	owner, err := instance(p.conf.Data)
	if err != nil {
		return err
	}
	if p.journal, err = openJournal(p.conf.Data); err != nil {
		return err
	}
	c := app.Config{
		Store: st, Journal: p.journal, Rates: rates, Assets: p.assets(), Signers: p.hot, Owner: owner, SMS: p.sms(), Log: p.log, Now: p.clock.now,
		PublicURL: p.publicURL, AllowHTTP: p.conf.Sandbox || p.conf.WebhookHTTP, NoMail: p.conf.SMTP == "" && !p.conf.Sandbox,
	}
	if p.play != nil {
		c.Sandbox = p.play
	}
	p.app = app.New(c)
	p.app.TestAmount = p.app.SendTestAmount
	// A database of another chain is found out before anybody is answered.
	for _, f := range p.chains {
		var wrong *app.WrongChainError
		if _, err := p.app.StartChain(ctx, f.source); errors.As(err, &wrong) || err != nil && p.play != nil {
			return err
		} else if err != nil && !errors.Is(err, chain.ErrSyncing) {
			p.log.Error("a chain cannot be followed yet; it is tried again", "chain", f.Code, "error", err)
		}
	}
	// So is one that was put back from a backup, before an address is handed out.
	if err := p.app.CheckJournal(ctx); err != nil {
		return err
	}
	return p.welcome(ctx)
}

// instance names this data folder's server in leases. One process at a time has
// the folder, so what it left leased when it was killed is its own to take back.
func instance(data string) (string, error) {
	path := filepath.Join(data, "instance")
	b, err := os.ReadFile(path)
	if err == nil && len(b) > 0 {
		return string(b), nil
	}
	id := rand.Text()
	return id, os.WriteFile(path, []byte(id), 0o600)
}

// welcome makes a merchant on the sandbox's first start, so that a trial needs
// no further command.
func (p *program) welcome(ctx context.Context) error {
	list, err := p.app.Merchants(ctx)
	if err != nil || len(list) > 0 || p.play == nil {
		return err
	}
	m, key, err := newMerchant(ctx, p.app, "Sandbox shop")
	if err != nil {
		return fmt.Errorf("make the first merchant: %w", err)
	}
	p.first = &firstMerchant{m.ID, m.Name, key}
	return nil
}

// assemble builds the loops and the HTTP front.
func (p *program) assemble(ctx context.Context) error {
	r := &view.Renderer{PublicURL: p.publicURL, Assets: p.app.Assets}
	m := newMetrics()
	for _, f := range p.chains {
		w, err := watch.New(watch.Config{App: p.app, Source: f.source, Poll: f.poll, Patient: p.play == nil, Log: p.log})
		if err != nil {
			return err
		}
		f.watcher.Store(w)
		p.loop(ctx, "watcher of "+f.Code, w.Run)
		if f.run != nil {
			p.loop(ctx, "node of "+f.Code, f.run)
		}
		if p.play != nil {
			p.play.settle = w.Sync
		}
	}
	mailer, err := p.mailer()
	if err != nil {
		return err
	}
	owner, err := instance(p.conf.Data)
	if err != nil {
		return err
	}
	out := outbox.New(outbox.Config{
		App: p.app, Renderer: r, Owner: owner, Version: version, Mailer: mailer, Log: p.log, Now: p.clock.now, Observe: m.delivery,
		AllowPrivate: p.conf.Sandbox || p.conf.WebhookPrivate, AllowHTTP: p.conf.Sandbox || p.conf.WebhookHTTP,
	})
	p.front = api.New(api.Config{
		App: p.app, Renderer: r, BaseURLs: []string{p.publicURL}, PlainHTTP: true, TrustProxy: p.conf.TrustProxy,
		Limits: api.Limits{PerAddress: p.conf.LimitAddress, PerMerchant: p.conf.LimitMerchant}, Log: p.log, Observe: m.request,
	})
	mux := http.NewServeMux()
	wallets, err := p.wallets(ctx, mux)
	if err != nil {
		return err
	}
	pg, err := pages.New(pages.Config{
		App: p.app, Renderer: r, Sandbox: p.conf.Sandbox, Log: p.log, Now: p.clock.now, Wallet: wallets,
		Chains:     p.chainStates,
		Wallets:    func() any { return p.front.SelectableWallets() },
		ClientAddr: func(r *http.Request) string { return api.ClientAddress(r, p.conf.TrustProxy) },
	})
	if err != nil {
		return err
	}
	pg.Register(mux)
	p.health(mux, m)
	p.front.Pages, p.pages = mux, pg
	p.app.OnEvent(func(string) { out.Wake(); p.wakeSpender() })
	p.loop(ctx, "outbox", out.Run)
	p.loop(ctx, "spender", p.spend)
	p.loop(ctx, "miner", p.mine)
	p.loop(ctx, "subscriptions", p.subscriptions)
	p.loop(ctx, "watchdog", p.watchdog)
	for _, l := range p.background {
		p.loop(ctx, l.name, l.run)
	}
	return nil
}

// loop runs f until the program stops; f ending earlier is a fault.
func (p *program) loop(ctx context.Context, name string, f func(context.Context) error) {
	loopCtx, cancel := context.WithCancel(ctx)
	stop := p.cancel
	p.cancel = func() { cancel(); stop() }
	p.loops.Go(func() {
		if err := f(loopCtx); err != nil && loopCtx.Err() == nil {
			p.failed <- fmt.Errorf("%s: %w", name, err)
		}
	})
}

// subscriptions makes the bills that are due. It looks every second, because a
// subscription whose first delivery is now or past is promised to deliver at once.
// Several processes may do so: each delivery is taken by one of them.
func (p *program) subscriptions(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		if err := p.app.DeliverSubscriptions(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("bills of subscriptions", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (p *program) mine(ctx context.Context) error {
	if p.conf.MineEvery <= 0 || p.play == nil {
		<-ctx.Done()
		return nil
	}
	t := time.NewTicker(p.conf.MineEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if _, err := p.play.chain.Mine(ctx, 1); err != nil {
				p.log.Error("the sandbox's miner", "error", err)
			}
		}
	}
}

// wait returns when ctx ends or a part fails.
func (p *program) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.failed:
		return err
	}
}

// stop ends everything in order: no new requests, then the loops, then the
// chain and the database.
func (p *program) stop() error {
	var errs []error
	ctx, done := context.WithTimeout(context.Background(), 10*time.Second)
	defer done()
	if p.front != nil {
		p.front.Close()
	}
	if p.pages != nil {
		p.pages.Close()
	}
	for _, s := range []*http.Server{p.control, p.http} {
		if s != nil {
			if err := s.Shutdown(ctx); err != nil {
				errs = append(errs, s.Close())
			}
		}
	}
	p.cancel()
	p.loops.Wait()
	if p.hot != nil {
		errs = append(errs, p.hot.close())
	}
	if p.journal != nil {
		errs = append(errs, p.journal.close())
	}
	if p.play != nil {
		errs = append(errs, p.play.chain.Close())
	}
	if p.light != nil {
		errs = append(errs, p.light.Close())
	}
	if p.store != nil {
		errs = append(errs, p.store.Close())
	}
	if p.announced {
		if err := os.Remove(filepath.Join(p.conf.Data, controlName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, l := range p.locks {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
