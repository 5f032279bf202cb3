package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
)

// Pay asks the faucet for a transaction.
type Pay struct {
	Address     string `json:"address"`
	Amount      uint64 `json:"amount"`  // satoshi
	FeeRate     uint64 `json:"feeRate"` // satoshi per virtual byte, 0 is 2
	Replaceable bool   `json:"replaceable"`
}

// Mine asks for blocks.
type Mine struct {
	Blocks int `json:"blocks"` // 0 is 1
}

// Replace asks for a transaction that spends what another spends. Without an
// address the money goes back to the faucet.
type Replace struct {
	Txid    string `json:"txid"`
	Address string `json:"address"`
	Amount  uint64 `json:"amount"`
	FeeRate uint64 `json:"feeRate"`
}

// Reorg asks for a longer branch from depth blocks below the tip.
type Reorg struct {
	Depth int      `json:"depth"`
	Extra int      `json:"extra"` // blocks longer than the least
	Drop  []string `json:"drop"`  // transactions that vanish
	Keep  bool     `json:"keep"`  // leave the abandoned transactions in the mempool instead of mining them again
}

// Status is where the chain stands after an operation.
type Status struct {
	Height  int64  `json:"height"`
	Hash    string `json:"hash"`
	Mempool int    `json:"mempool"`
	Faucet  string `json:"faucet"`         // its address
	Balance string `json:"balance"`        // of the faucet, satoshi
	Txid    string `json:"txid,omitempty"` // of the transaction that was made
}

// Server answers control requests. Settle, if set, is called after each change
// and returns when the server has followed it.
type Server struct {
	Chain  *sandbox.Chain
	Settle func(context.Context) error
	// Ask answers further questions, POST /NAME?…, with what it returns.
	Ask map[string]func(context.Context, url.Values) (any, error)
}

// ServeHTTP answers GET /status and POST /pay, /mine, /replace, /doublespend,
// /reorg and /invalidate. Requests must come from this machine and name it: a
// page of another site, open in a browser here, can do neither.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !local(r) {
		http.Error(w, `{"error":"the sandbox chain is moved from this machine only"}`, http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if ask := s.Ask[strings.TrimPrefix(r.URL.Path, "/")]; ask != nil && r.Method == http.MethodPost {
		s.answer(w, r, ask)
		return
	}
	status, err := s.do(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
		return
	}
	_ = json.NewEncoder(w).Encode(status)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, ask func(context.Context, url.Values) (any, error)) {
	v, err := ask(r.Context(), r.URL.Query())
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		v = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(v)
}

func local(r *http.Request) bool {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopback(peer) {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host != "localhost" && !loopback(strings.Trim(host, "[]")) {
		return false
	}
	// A form of another site cannot send JSON without being asked first.
	return r.Method == http.MethodGet || strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Server) do(r *http.Request) (*Status, error) {
	ctx := r.Context()
	if r.Method == http.MethodGet && r.URL.Path == "/status" {
		return s.status(ctx, "")
	}
	act, ok := actions[r.URL.Path]
	if !ok || r.Method != http.MethodPost {
		return nil, fmt.Errorf("%s %s is not something this does", r.Method, r.URL.Path)
	}
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	txid, err := act(ctx, s.Chain, d)
	if err != nil {
		return nil, err
	}
	if s.Settle != nil {
		if err := s.Settle(ctx); err != nil {
			return nil, err
		}
	}
	return s.status(ctx, txid)
}

type action func(context.Context, *sandbox.Chain, *json.Decoder) (txid string, err error)

func with[T any](do func(context.Context, *sandbox.Chain, T) (string, error)) action {
	return func(ctx context.Context, c *sandbox.Chain, d *json.Decoder) (string, error) {
		var in T
		if err := d.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("the request cannot be read: %w", err)
		}
		return do(ctx, c, in)
	}
}

var actions = map[string]action{
	"/pay": with(func(ctx context.Context, c *sandbox.Chain, in Pay) (string, error) {
		return c.Pay(ctx, sandbox.PayOptions{
			Outputs: []sandbox.Output{{Address: in.Address, Amount: in.Amount}}, FeeRate: in.FeeRate, Replaceable: in.Replaceable,
		})
	}),
	"/mine": with(func(ctx context.Context, c *sandbox.Chain, in Mine) (string, error) {
		if in.Blocks == 0 {
			in.Blocks = 1
		}
		_, err := c.Mine(ctx, in.Blocks)
		return "", err
	}),
	"/replace": with(func(ctx context.Context, c *sandbox.Chain, in Replace) (string, error) {
		return c.Replace(ctx, in.Txid, in.options())
	}),
	"/doublespend": with(func(ctx context.Context, c *sandbox.Chain, in Replace) (string, error) {
		txid, _, err := c.ConflictInBlock(ctx, in.Txid, in.options())
		return txid, err
	}),
	"/reorg": with(func(ctx context.Context, c *sandbox.Chain, in Reorg) (string, error) {
		_, err := c.Reorg(ctx, in.Depth, sandbox.ReorgOptions{Drop: in.Drop, Extra: in.Extra, Unmined: in.Keep})
		return "", err
	}),
	"/invalidate": with(func(ctx context.Context, c *sandbox.Chain, in Reorg) (string, error) {
		_, err := c.Invalidate(ctx, in.Depth)
		return "", err
	}),
}

func (r Replace) options() sandbox.ReplaceOptions {
	return sandbox.ReplaceOptions{To: r.Address, Amount: r.Amount, FeeRate: r.FeeRate}
}

func (s *Server) status(ctx context.Context, txid string) (*Status, error) {
	tip, err := s.Chain.Tip(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := s.Chain.Mempool(ctx)
	if err != nil && !errors.Is(err, chain.ErrNoMempool) {
		return nil, err
	}
	return &Status{
		Height: tip.Height, Hash: tip.Hash, Mempool: len(pool), Faucet: s.Chain.FaucetAddress(), Balance: s.Chain.Balance().String(), Txid: txid,
	}, nil
}
