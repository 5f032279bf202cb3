package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/light"
	"github.com/quittance/quittance/internal/chain/bitcoin/node"
	"github.com/quittance/quittance/internal/watch"
)

// nodePlace says which nodes to follow instead of the sandbox's chain.
type nodePlace struct {
	Node     []string      `help:"A node's RPC: http://user:password@host:port for Bitcoin, LTC=http://… for Litecoin; BCH= and DOGE= likewise. Give several of one chain and the next is asked when one fails. ?cookie=FILE, ?ca=FILE and ?zmq=tcp://… may follow." env:"QUITTANCE_NODE" placeholder:"URL" sep:","`
	Cookie   string        `help:"File in which a node keeps its password of the day (Bitcoin Core's .cookie), for every --node that names none." env:"QUITTANCE_NODE_COOKIE" name:"node-cookie" placeholder:"FILE"`
	CA       string        `help:"Certificate that a node's TLS is trusted by (btcd's rpc.cert), for every --node that names none." env:"QUITTANCE_NODE_CA" name:"node-ca" placeholder:"FILE"`
	Poll     time.Duration `help:"How often nodes are asked for what is new, besides when they tell." env:"QUITTANCE_NODE_POLL" name:"node-poll" default:"2s" placeholder:"DURATION"`
	Fallback uint64        `help:"Network fee where a node of Bitcoin has no estimate, in satoshi per 1,000 virtual bytes." env:"QUITTANCE_NODE_FEE" name:"node-fee" default:"10000" placeholder:"SATOSHI"`
	Network  string        `help:"The network of all nodes: main, test, testnet4, signet or regtest." enum:"main,test,testnet4,signet,regtest" default:"regtest" env:"QUITTANCE_NETWORK"`
}

// followed is one chain that this server follows.
type followed struct {
	*bitcoin.Chain
	source chain.Source
	sender chain.Sender
	poll   time.Duration
	run    func(context.Context) error // beside the watcher; nil: nothing
	light  *light.Client               // what source is, if it is one: it sees no unconfirmed transactions

	watcher atomic.Pointer[watch.Watcher] // nil until the parts are put together
}

// parse reads one --node: the chain it is of, and where it is.
func (n nodePlace) parse(text string) (code string, p node.Place, err error) {
	code = "BTC"
	if before, after, found := strings.Cut(text, "="); found && slices.Contains(bitcoin.Codes(), strings.ToUpper(before)) {
		code, text = strings.ToUpper(before), after
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", p, errors.New("it is not of the form http://user:password@host:port") // without the password in it
	}
	q := u.Query()
	p = node.Place{Cookie: n.Cookie, CA: n.CA}
	for key, field := range map[string]*string{"cookie": &p.Cookie, "ca": &p.CA, "zmq": &p.ZMQ} {
		if q.Has(key) {
			*field = q.Get(key)
			q.Del(key)
		}
	}
	for key := range q {
		return "", p, fmt.Errorf("it has ?%s=, which is none of cookie, ca and zmq", key)
	}
	u.RawQuery = ""
	p.URL = u.String()
	return code, p, nil
}

func sameHost(a, b string) bool {
	x, err1 := url.Parse(a)
	y, err2 := url.Parse(b)
	return err1 == nil && err2 == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host) && strings.Trim(x.Path, "/") == strings.Trim(y.Path, "/")
}

// nodes opens the nodes that are given, by chain, in the order of the chains.
func (p *program) nodes() ([]*followed, error) {
	places := map[string][]node.Place{}
	for _, text := range p.conf.Node {
		code, place, err := p.conf.parse(text)
		if err != nil {
			return nil, fmt.Errorf("--node: %w", err)
		}
		if slices.ContainsFunc(places[code], func(other node.Place) bool { return sameHost(other.URL, place.URL) }) {
			return nil, fmt.Errorf("--node: a node of %s is given twice: it would stand in for itself, and vouch for payments twice", code)
		}
		places[code] = append(places[code], place)
	}
	var list []*followed
	if p.conf.Light {
		f, err := p.openLight(len(places["BTC"]))
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	for _, code := range bitcoin.Codes() {
		if len(places[code]) == 0 {
			continue
		}
		c, err := bitcoin.Find(code, p.conf.Network)
		if err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "bitcoin: "))
		}
		conf := node.Config{Chain: c, Places: places[code], Log: p.log, Now: p.clock.now}
		if code == "BTC" {
			conf.FallbackFee = p.conf.Fallback
		}
		n, err := node.New(conf)
		if err != nil {
			return nil, fmt.Errorf("--node: %w", err)
		}
		list = append(list, &followed{Chain: c, source: n, sender: n, poll: p.conf.Poll, run: n.Run})
	}
	return list, nil
}

// check refuses nodes of another chain. That none answers is no reason not to start:
// other chains go on, and this one follows once it does.
func (f *followed) check(ctx context.Context, p *program) error {
	n, ok := f.source.(*node.Node)
	if !ok {
		return nil
	}
	err := n.Check(ctx)
	var wrong *node.WrongChain
	if errors.As(err, &wrong) {
		return fmt.Errorf("the node of %s given with --node: %w", f.Name, err)
	}
	if err != nil {
		p.log.Error("no node answers; it is tried again", "chain", f.Code, "error", err)
	}
	return nil
}

// errNothingToFollow refuses to guess what money is.
var errNothingToFollow = errors.New("say what to follow: --sandbox for play money inside this process, --light for Bitcoin without a node, or --node http://user:password@host:port for a Bitcoin node (LTC=http://… for Litecoin, and so on); see \"Going live\" in the README")

// follow opens the chains that the settings name: the sandbox's or those of nodes.
func (p *program) follow(ctx context.Context) (err error) {
	switch {
	case p.conf.nothingToFollow():
		return errNothingToFollow
	case p.conf.Sandbox:
		if p.play, err = openPlayMoney(p.conf.Data, p.log); err != nil {
			return err
		}
		p.network = "regtest"
		p.chains = []*followed{{Chain: bitcoin.Regtest, source: p.play.source, sender: p.play.chain}}
		return nil
	case p.conf.Network != "regtest" && p.conf.Rates == "fixed":
		return errors.New("the fixed prices are the sandbox's: take public ones with --rates live")
	}
	p.network = p.conf.Network
	if p.chains, err = p.nodes(); err != nil {
		return err
	}
	for _, f := range p.chains {
		if err := f.check(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// ready reports whether the chain was followed up to its tip since the start.
func (f *followed) ready() bool {
	w := f.watcher.Load()
	return w != nil && w.Ready()
}

// status is how far the chain has been followed.
func (f *followed) status() watch.Status {
	if w := f.watcher.Load(); w != nil {
		return w.Status()
	}
	return watch.Status{Chain: f.Code, Network: f.Network}
}

// ready reports whether any chain is: one chain's fault keeps no other from working.
func (p *program) ready() bool {
	return slices.ContainsFunc(p.chains, (*followed).ready)
}

// sources are the chains that can be asked at present.
func (p *program) sources() map[string]chain.Source {
	out := map[string]chain.Source{}
	for _, f := range p.chains {
		if f.ready() && f.status().Err == nil {
			out[f.Code] = f.source
		}
	}
	return out
}

// sync reads every chain that can be asked once more.
func (p *program) sync(ctx context.Context) error {
	for _, f := range p.chains {
		if !f.ready() || f.status().Err != nil {
			continue
		}
		if err := f.watcher.Load().Sync(ctx); err != nil {
			return err
		}
	}
	return nil
}

// assets is what invoices can be paid with here.
func (p *program) assets() (list []app.Asset) {
	for _, f := range p.chains {
		a := assetOf(f.Chain)
		a.Sender, a.Ready, a.Unconfirmed = f.sender, f.ready, f.light == nil
		a.Inspector, _ = f.sender.(chain.Inspector)
		list = append(list, a)
	}
	return list
}

// ask gives a command that works beside no server the nodes to ask.
func (n nodePlace) ask(ctx context.Context, a *app.App) (map[string]chain.Source, error) {
	p := &program{conf: &serveCmd{nodePlace: n}, log: slog.New(slog.DiscardHandler)}
	list, err := p.nodes()
	if err != nil {
		return nil, err
	}
	sources := map[string]chain.Source{}
	for _, f := range list {
		if err := f.source.(*node.Node).Check(ctx); err != nil {
			return nil, fmt.Errorf("the node of %s given with --node: %w", f.Name, err)
		}
		sources[f.Code] = f.source
		if asset, ok := a.Asset(f.Code); ok {
			asset.Sender = f.sender
		}
	}
	return sources, nil
}
