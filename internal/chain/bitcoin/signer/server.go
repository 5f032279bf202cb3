package signer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/net/netutil"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
)

// maxConnections is how many may be open at once; more wait.
const maxConnections = 32

// Open is a wallet whose seed is open.
type Open struct {
	Name   string
	Signer *hot.Signer
}

// Config is what a Server is made of.
type Config struct {
	Wallets []Open
	// AllowUIDs are the users besides the process's own that may ask, where the
	// system says who does.
	AllowUIDs []int
	Log       *slog.Logger
	// ReadTimeout bounds how long a request may take to come; 0 is ten seconds.
	ReadTimeout time.Duration
}

// Server answers on the socket.
type Server struct {
	config Config
	own    int // the process's user
	http   *http.Server
}

// NewServer returns a server; Serve runs it.
func NewServer(c Config) *Server {
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 10 * time.Second
	}
	s := &Server{config: c, own: os.Geteuid()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+signPath, s.sign)
	mux.HandleFunc("GET "+statusPath, s.status)
	mux.HandleFunc("POST "+approvePath, s.approve)
	s.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: c.ReadTimeout, ReadTimeout: c.ReadTimeout, WriteTimeout: c.ReadTimeout + patience, IdleTimeout: c.ReadTimeout,
		MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// Serve answers until Close.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(netutil.LimitListener(&guarded{l, s}, maxConnections))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close ends the server once the calls underway are answered.
func (s *Server) Close(ctx context.Context) error { return s.http.Shutdown(ctx) }

// errNoPeers means that this system does not say who is at a socket's other end.
var errNoPeers = errors.New("signer: the system does not say who asks")

// guarded hangs up on users that the policy does not let in.
type guarded struct {
	net.Listener
	server *Server
}

// Accept returns the next connection of somebody who may ask.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g.server.admits(c) {
			return c, nil
		}
		c.Close()
	}
}

func (s *Server) admits(c net.Conn) bool {
	uid, err := peerUID(c)
	if errors.Is(err, errNoPeers) {
		return true // the socket's mode lets nobody else in
	}
	if err != nil || uid != s.own && !slices.Contains(s.config.AllowUIDs, uid) {
		s.config.Log.Warn("a user who may not ask was turned away", "uid", uid, "error", err)
		return false
	}
	return true
}

func (s *Server) sign(w http.ResponseWriter, r *http.Request) {
	var in signRequest
	if status, err := decode(w, r, &in); err != nil {
		write(w, status, signAnswer{Error: err.Error()})
		return
	}
	if err := in.check(); err != nil {
		write(w, http.StatusBadRequest, signAnswer{Error: err.Error()})
		return
	}
	out, err := s.signed(r.Context(), &in)
	var held *chain.Withheld
	switch {
	case errors.As(err, &held):
		s.config.Log.Info("not signed", "transfer", in.Transfer, "why", held.Reason, "final", held.Final)
		write(w, http.StatusOK, signAnswer{Withheld: &refusal{held.Reason, held.Final}})
	case err != nil:
		s.config.Log.Error("it could not be signed", "transfer", in.Transfer, "error", err)
		write(w, http.StatusInternalServerError, signAnswer{Error: "it could not be signed; the signer's log says why"})
	default:
		s.config.Log.Info("signed", "transfer", in.Transfer)
		write(w, http.StatusOK, signAnswer{Packet: out})
	}
}

func (s *Server) signed(ctx context.Context, in *signRequest) ([]byte, error) {
	o := s.wallet(in.XPub)
	if o == nil || o.Signer.Kind() != in.Kind {
		// Not final: the operator can give it the seed.
		return nil, &chain.Withheld{Reason: "the signer has no keys of this wallet: give it the seed with `quittance signer init`, or the wallet another signer"}
	}
	return o.Signer.Sign(ctx, in.asked())
}

func (s *Server) wallet(xpub string) *Open {
	i := slices.IndexFunc(s.config.Wallets, func(o Open) bool { return o.Signer.XPub() == xpub })
	if i < 0 {
		return nil
	}
	return &s.config.Wallets[i]
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	out := statusAnswer{Wallets: []WalletStatus{}}
	for _, o := range s.config.Wallets {
		out.Wallets = append(out.Wallets, WalletStatus{o.Name, o.Signer.Status()})
	}
	write(w, http.StatusOK, out)
}

// approve takes no one's word: the wallet's signer holds the signature against
// the key that its policy has.
func (s *Server) approve(w http.ResponseWriter, r *http.Request) {
	var in Approval
	if status, err := decode(w, r, &in); err != nil {
		write(w, status, approveAnswer{Error: err.Error()})
		return
	}
	o := s.wallet(in.XPub)
	if o == nil {
		write(w, http.StatusNotFound, approveAnswer{Error: "the signer has no keys of this wallet"})
		return
	}
	n, err := o.Signer.Approve(in.Digest, in.Name, in.Signature)
	if err != nil {
		s.config.Log.Warn("an approval was refused", "wallet", o.Name, "error", err)
		write(w, http.StatusForbidden, approveAnswer{Error: err.Error()})
		return
	}
	s.config.Log.Info("approved", "wallet", o.Name, "digest", in.Digest, "by", in.Name, "agreed", n)
	write(w, http.StatusOK, approveAnswer{Agreed: n})
}

// decode reads one bounded JSON object with the fields that are expected, and no
// other, nothing twice and nothing behind it.
func decode(w http.ResponseWriter, r *http.Request, v any) (status int, err error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge, errors.New("the request is larger than any packet")
	}
	if err != nil {
		return http.StatusBadRequest, errors.New("the request did not come whole")
	}
	if !strings.HasPrefix(strings.TrimSpace(string(b)), "{") || json.Unmarshal(b, v, json.RejectUnknownMembers(true)) != nil {
		return http.StatusBadRequest, errors.New("the request is not one that a signer of this version knows")
	}
	return 0, nil
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // who hung up asks again
}
