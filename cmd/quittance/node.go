package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/node"
)

// nodePlace says which node to follow instead of the sandbox's chain.
type nodePlace struct {
	Node     string        `help:"A Bitcoin node's RPC: http://user:password@host:port." env:"QUITTANCE_NODE" placeholder:"URL"`
	Cookie   string        `help:"File in which the node keeps its password of the day (Bitcoin Core's .cookie)." env:"QUITTANCE_NODE_COOKIE" name:"node-cookie" placeholder:"FILE"`
	CA       string        `help:"Certificate that the node's TLS is trusted by (btcd's rpc.cert)." env:"QUITTANCE_NODE_CA" name:"node-ca" placeholder:"FILE"`
	Poll     time.Duration `help:"How often the node is asked for what is new." env:"QUITTANCE_NODE_POLL" name:"node-poll" default:"2s" placeholder:"DURATION"`
	Fallback uint64        `help:"Network fee where the node has no estimate, in satoshi per 1,000 virtual bytes." env:"QUITTANCE_NODE_FEE" name:"node-fee" default:"10000" placeholder:"SATOSHI"`
	Network  string        `help:"The node's network: regtest, test or signet." enum:"regtest,test,signet" default:"regtest" env:"QUITTANCE_NETWORK"`
}

// connect finds the node and makes sure that it is on the network that was said.
func (n nodePlace) connect(ctx context.Context) (*node.Node, error) {
	c, err := node.Open(ctx, node.Config{URL: n.Node, Cookie: n.Cookie, CA: n.CA, Network: n.Network, FallbackFee: n.Fallback})
	if err != nil {
		return nil, fmt.Errorf("the node given with --node: %w", err)
	}
	return c, nil
}

// errNothingToFollow refuses to guess what money is.
var errNothingToFollow = errors.New("say what to follow: --sandbox for play money inside this process, or --node http://user:password@host:port for a Bitcoin node on regtest, test or signet; see \"Going live\" in the README for mainnet")

// follow opens the chain that the settings name: the sandbox's or a node's.
func (p *program) follow(ctx context.Context) (err error) {
	switch {
	case p.conf.Sandbox == (p.conf.Node != ""):
		return errNothingToFollow
	case p.conf.Sandbox:
		if p.play, err = openPlayMoney(p.conf.Data, p.log); err != nil {
			return err
		}
		p.network, p.source, p.sender = "regtest", p.play.source, p.play.chain
		return nil
	case p.conf.Network != "regtest" && p.conf.Rates == "fixed":
		return errors.New("the fixed prices are the sandbox's: take public ones with --rates live")
	}
	n, err := p.conf.connect(ctx)
	if err != nil {
		return err
	}
	p.network, p.source, p.sender, p.poll = n.Network(), n, n, p.conf.Poll
	return nil
}

// sources are the chains that can be asked.
func sources(src chain.Source) map[string]chain.Source {
	return map[string]chain.Source{src.Chain(): src}
}
