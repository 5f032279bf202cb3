package main

import (
	"net"
	"sync"

	"golang.org/x/net/netutil"
)

// perPeer is how many connections one address may hold open. This machine's own
// are not counted: a reverse proxy holds many.
const perPeer = 128

// capped bounds how many connections are open at once, in all (more wait to be
// accepted) and for one address (more are closed at once).
func capped(l net.Listener, most int) net.Listener {
	if most > 0 {
		l = netutil.LimitListener(l, most)
	}
	return &peerListener{Listener: l, most: perPeer, open: map[string]int{}}
}

type peerListener struct {
	net.Listener
	most int
	mu   sync.Mutex
	open map[string]int // by address
}

// Accept returns the next connection of an address that has not too many.
func (l *peerListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(c.RemoteAddr())
		if peer == "" {
			return c, nil
		}
		if l.enter(peer) {
			return &peerConn{Conn: c, leave: func() { l.leave(peer) }}, nil
		}
		c.Close()
	}
}

// peerOf is whom a connection counts for: an address, for IPv6 its /64; empty
// for this machine.
func peerOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	ip := net.ParseIP(host)
	if err != nil || ip == nil || ip.IsLoopback() {
		return ""
	}
	if ip.To4() == nil {
		ip = ip.Mask(net.CIDRMask(64, 128))
	}
	return ip.String()
}

func (l *peerListener) enter(peer string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[peer] >= l.most {
		return false
	}
	l.open[peer]++
	return true
}

func (l *peerListener) leave(peer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[peer]--; l.open[peer] == 0 {
		delete(l.open, peer)
	}
}

type peerConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close closes the connection and gives its place back, once.
func (c *peerConn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
