package node

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/rpcclient"
	"github.com/btcsuite/btcd/wire"
	"github.com/lightninglabs/gozmq"
	"golang.org/x/sync/errgroup"
)

// listenAgain is how long to wait before an endpoint is asked for notices again.
// Without notices it is polled, so nothing is lost meanwhile.
const listenAgain = 15 * time.Second

// Run listens for what the nodes tell of themselves, until the context ends: ZMQ of
// Bitcoin Core's family, as configured or as the node says, and websockets of btcd
// and bchd. A notice only says that it is worth looking.
func (n *Node) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, e := range n.list {
		group.Go(func() error {
			n.listen(ctx, e)
			return nil
		})
	}
	return group.Wait()
}

func (n *Node) listen(ctx context.Context, e *endpoint) {
	told := false
	for ctx.Err() == nil {
		err := n.listenOnce(ctx, e)
		if err != nil && ctx.Err() == nil && !told {
			told = true
			n.log.Info("a node tells nothing of itself and is asked regularly", "chain", n.chain.Code, "node", e.name, "why", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

// errSilent means that a node has no way of telling what is new.
var errSilent = errors.New("it offers neither ZMQ nor websockets")

func (n *Node) listenOnce(ctx context.Context, e *endpoint) error {
	if err := n.check(ctx, e); err != nil {
		return err
	}
	address := e.place.ZMQ
	if address == "" {
		var err error
		if address, err = e.zmq(ctx); err != nil && !unsupported(err) {
			return err
		}
	}
	if address != "" {
		return n.listenZMQ(ctx, address)
	}
	var version map[string]any
	err := e.call(ctx, &version, "version")
	if unsupported(err) {
		return errSilent // none of btcd's kind
	}
	if err != nil {
		return err
	}
	return n.listenWebsocket(ctx, e)
}

// zmq asks a node where it publishes new blocks. A node that says "on every
// address" is listened to where its RPC is.
func (e *endpoint) zmq(ctx context.Context) (string, error) {
	var list []struct{ Type, Address string }
	if err := e.call(ctx, &list, "getzmqnotifications"); err != nil {
		return "", err
	}
	for _, l := range list {
		u, err := url.Parse(l.Address)
		if l.Type != "pubhashblock" || err != nil {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
			host, _, _ := strings.Cut(e.name, ":")
			u.Host = net.JoinHostPort(host, u.Port())
		}
		return u.String(), nil
	}
	return "", nil
}

// zmqTimeout bounds the parts of one message, and is the pause before a connection
// that was lost is tried again.
const zmqTimeout = 2 * time.Second

func (n *Node) listenZMQ(ctx context.Context, address string) error {
	conn, err := gozmq.Subscribe(strings.TrimPrefix(address, "tcp://"), []string{"hashblock", "hashtx"}, zmqTimeout)
	if err != nil {
		return fmt.Errorf("ZMQ at %s: %w", address, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	for {
		frames, err := conn.Receive(nil)
		var slow net.Error
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &slow) && slow.Timeout():
			continue // nothing happened for a while
		case err != nil:
			return fmt.Errorf("ZMQ at %s: %w", address, err)
		}
		if len(frames) > 0 && string(frames[0]) == "hashtx" {
			n.noticeTx()
		} else {
			n.notice()
		}
	}
}

func (n *Node) listenWebsocket(ctx context.Context, e *endpoint) error {
	u, err := url.Parse(e.url)
	if err != nil {
		return err
	}
	user, password, err := e.credentials()
	if err != nil {
		return err
	}
	conf := &rpcclient.ConnConfig{
		Host: u.Host, Endpoint: "ws", User: user, Pass: password, DisableTLS: u.Scheme == "http", DisableAutoReconnect: true,
	}
	if e.place.CA != "" {
		if conf.Certificates, err = certificates(e.place.CA); err != nil {
			return err
		}
	}
	c, err := rpcclient.New(conf, &rpcclient.NotificationHandlers{
		OnFilteredBlockConnected:    func(int32, *wire.BlockHeader, []*btcutil.Tx) { n.notice() },
		OnFilteredBlockDisconnected: func(int32, *wire.BlockHeader) { n.notice() },
		OnTxAccepted:                func(*chainhash.Hash, btcutil.Amount) { n.noticeTx() },
	})
	if err != nil {
		return err
	}
	defer c.WaitForShutdown()
	defer c.Shutdown()
	stop := context.AfterFunc(ctx, c.Shutdown)
	defer stop()
	if err := errors.Join(c.NotifyBlocks(), c.NotifyNewTransactions(false)); err != nil {
		return err
	}
	c.WaitForShutdown()
	if ctx.Err() != nil {
		return nil
	}
	return errors.New("the websocket was closed")
}

func certificates(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block == nil {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	} else if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return text, nil
}

// txNotices is the least time between two notices of transactions. On a busy network
// there are several a second, and each has the mempool listed, which is megabytes.
const txNotices = time.Second

// noticeTx wakes whoever waits, if nobody was woken a moment ago: what comes right
// after is read with the next notice, or when it is time to look anyway.
func (n *Node) noticeTx() {
	n.mu.Lock()
	due := n.now().Sub(n.noticed) >= txNotices
	if due {
		n.noticed = n.now()
	}
	n.mu.Unlock()
	if due {
		n.notice()
	}
}

// noticePause is the least time between two notices.
const noticePause = 250 * time.Millisecond

// notice wakes whoever waits for what is new: at once, and once more after a while if
// more was told meanwhile.
func (n *Node) notice() {
	n.mu.Lock()
	n.more = n.quiet
	wake := !n.quiet
	n.quiet = true
	n.mu.Unlock()
	if !wake {
		return
	}
	select {
	case n.changed <- struct{}{}:
	default:
	}
	time.AfterFunc(noticePause, func() {
		n.mu.Lock()
		more := n.more
		n.quiet, n.more = false, false
		n.mu.Unlock()
		if more {
			n.notice()
		}
	})
}
