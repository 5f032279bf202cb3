package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

var _ chain.Finder = (*Node)(nil)

// scanTimeout bounds a search through all that is unspent: on slow disks it takes
// minutes.
const scanTimeout = 30 * time.Minute

// FindCoins has the node search its unspent outputs (scantxoutset, which Bitcoin Core
// and what descends from it know); chain.ErrNoScan where it cannot. Only one search
// goes on in a node at a time.
func (n *Node) FindCoins(ctx context.Context, destinations [][]byte) ([]chain.Found, error) {
	list := make([]string, len(destinations))
	for i, d := range destinations {
		list[i] = "raw(" + hex.EncodeToString(d) + ")"
	}
	var found struct {
		Success  bool
		Unspents []struct {
			Txid         string
			Vout         uint32
			ScriptPubKey string
			Amount       jsonAmount
			Coinbase     bool
			Height       int64
		}
	}
	err := n.try(ctx, func(e *endpoint) error { return e.patient().call(ctx, &found, "scantxoutset", "start", list) })
	if unsupported(err) {
		return nil, chain.ErrNoScan
	}
	if err == nil && !found.Success {
		err = errors.New("node: the search through the unspent outputs was broken off: try again")
	}
	if err != nil {
		return nil, err
	}
	out := make([]chain.Found, len(found.Unspents))
	for i, u := range found.Unspents {
		to, err := hex.DecodeString(u.ScriptPubKey)
		if err != nil {
			return nil, fmt.Errorf("node: output %s:%d: its script is not in hex: %w", u.Txid, u.Vout, err)
		}
		out[i] = chain.Found{Outpoint: chain.Outpoint{Txid: u.Txid, Vout: u.Vout}, Amount: money.NewUnits(uint64(u.Amount)), To: to, Height: u.Height, Coinbase: u.Coinbase}
	}
	return out, nil
}

// patient is the same node, asked without a hurry.
func (r *rpc) patient() *rpc {
	return &rpc{place: r.place, url: r.url, user: r.user, password: r.password, cookie: r.cookie, http: &http.Client{Transport: r.http.Transport, Timeout: scanTimeout}}
}
