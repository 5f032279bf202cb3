package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server speaks as much ESMTP (RFC 5321, 3207, 4954) as a submission needs.
type Server struct {
	net.Listener
	cert    tls.Certificate
	Starts  bool   // offers STARTTLS
	Implied bool   // TLS from the first byte
	Auth    string // "user\x00password"; empty offers none
	Refuse  string // answer to RCPT, empty accepts

	Rude bool // hangs up instead of saying goodbye

	mu    sync.Mutex
	mails []Received // guarded by mu
}

// Received is one mail as the server took it over.
type Received struct {
	From, To    string // the envelope's lines
	Data        string
	TLS, Authed bool
}

// Mails is what came so far.
func (s *Server) Mails() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.mails...)
}

// Start runs the server on a port of this machine until the test ends. roots trusts
// its certificate.
func (s *Server) Start(t testing.TB) (host string, port int, roots *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Listener.Close() })
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go s.session(c)
		}
	}()
	return "127.0.0.1", s.Addr().(*net.TCPAddr).Port, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

func (s *Server) session(c net.Conn) {
	defer func() { c.Close() }()
	var m Received
	if s.Implied {
		c, m.TLS = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{s.cert}}), true
	}
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	say("220 test ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO":
			say("250-test")
			if s.Starts && !m.TLS {
				say("250-STARTTLS")
			}
			if s.Auth != "" && (m.TLS || !s.Starts) {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go")
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{s.cert}})
			r, m.TLS = bufio.NewReader(c), true
		case "AUTH":
			b, _ := base64.StdEncoding.DecodeString(line[strings.LastIndexByte(line, ' ')+1:])
			if m.Authed = string(b) == "\x00"+s.Auth; m.Authed {
				say("235 ok")
			} else {
				say("535 no")
			}
		case "MAIL":
			m.From = line
			say("250 ok")
		case "RCPT":
			if s.Refuse != "" {
				say(s.Refuse)
				continue
			}
			m.To = line
			say("250 ok")
		case "DATA":
			say("354 go on")
			var data strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				data.WriteString(strings.TrimPrefix(l, "."))
			}
			m.Data = data.String()
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			if s.Rude {
				return
			}
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
