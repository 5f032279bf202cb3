package main

import (
	"net"
	"testing"
)

// fakeNet hands out connections that claim to come from given addresses.
type fakeNet struct {
	net.Listener
	from chan string
}

type fakeConn struct {
	net.Conn
	from   net.Addr
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr { return c.from }
func (c *fakeConn) Close() error         { c.closed = true; return nil }

func (f *fakeNet) Accept() (net.Conn, error) {
	addr, ok := <-f.from
	if !ok {
		return nil, net.ErrClosed
	}
	a, err := net.ResolveTCPAddr("tcp", addr)
	return &fakeConn{from: a}, err
}

func TestOneAddressCannotHoldAllConnections(t *testing.T) {
	from := make(chan string, 20)
	l := &peerListener{Listener: &fakeNet{from: from}, most: 2, open: map[string]int{}}
	for _, a := range []string{
		"203.0.113.7:1", "203.0.113.7:2", "203.0.113.7:3", // the third is one too many
		"198.51.100.1:1",
		"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", // one /64
		"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3",
	} {
		from <- a
	}
	close(from)
	var got []string
	var first net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		if first == nil {
			first = c
		}
		got = append(got, c.RemoteAddr().String())
	}
	if len(got) != 8 {
		t.Fatalf("accepted %v", got)
	}
	first.Close()
	first.Close() // twice gives one place back
	if n := l.open["203.0.113.7"]; n != 1 {
		t.Errorf("after one of two is closed, %d are counted", n)
	}
}
