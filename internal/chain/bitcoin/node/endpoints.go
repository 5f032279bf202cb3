package node

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcjson"

	"github.com/quittance/quittance/internal/chain"
)

// How long an endpoint that failed is left alone: twice as long after each failure
// in a row.
const (
	firstBackOff   = time.Second
	longestBackOff = time.Minute
)

// endpoint is one of a chain's nodes.
type endpoint struct {
	*rpc
	name string // host and port, for people

	mu       sync.Mutex // guards what is below
	checked  bool       // it is on the right chain, since it last failed
	failures int        // in a row
	until    time.Time  // it is left alone until then
	why      error      // of the last failure; nil while it answers
	height   int64      // of its tip, when it was last asked
}

func newEndpoint(p Place) (*endpoint, error) {
	r, err := newRPC(p)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(r.url)
	if err != nil {
		return nil, err
	}
	return &endpoint{rpc: r, name: u.Host}, nil
}

// Endpoint is how one node does.
type Endpoint struct {
	Name   string // host and port
	Used   bool   // it is the one that is asked at present
	Height int64  // of its tip when it was last asked; 0 before
	Err    error  // why it is not asked; nil while it answers
}

// Endpoints tells how each node does.
func (n *Node) Endpoints() (list []Endpoint) {
	current := n.currentIndex()
	for i, e := range n.list {
		e.mu.Lock()
		list = append(list, Endpoint{Name: e.name, Used: i == current, Height: e.height, Err: e.why})
		e.mu.Unlock()
	}
	return list
}

func (n *Node) currentIndex() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.current
}

// use makes an endpoint the one that is asked first from now on.
func (n *Node) use(i int, why string) {
	n.mu.Lock()
	changed := n.current != i
	n.current = i
	n.mu.Unlock()
	if changed {
		n.log.Warn("another node is asked from now on", "chain", n.chain.Code, "node", n.list[i].name, "why", why)
	}
}

// call asks the current node, and the others when it fails. What a node answers is
// an answer, also a refusal; it fails when it cannot be reached, does not let us in,
// is still starting, or is on another chain.
func (n *Node) call(ctx context.Context, out any, method string, params ...any) error {
	return n.try(ctx, func(e *endpoint) error { return e.call(ctx, out, method, params...) })
}

// try does something with the first node that is up to it. Nodes that failed a short
// while ago are asked only when no other is left.
func (n *Node) try(ctx context.Context, do func(*endpoint) error) error {
	var errs []error
	first := n.currentIndex()
	for _, resting := range []bool{false, true} {
		for k := range n.list {
			i := (first + k) % len(n.list)
			e := n.list[i]
			if e.resting(n.now()) != resting {
				continue
			}
			err := n.check(ctx, e)
			if err == nil {
				err = do(e)
			}
			if err == nil || isAnswer(err) {
				e.recovered()
				if i != first {
					n.use(i, errors.Join(errs...).Error())
				}
				return err
			}
			if ctx.Err() != nil {
				return err // nobody waits for it any more
			}
			e.failed(err, n.now())
			errs = append(errs, fmt.Errorf("%s: %w", e.name, err))
			if len(n.list) == 1 {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

// isAnswer reports that a node did its work, whatever it said.
func isAnswer(err error) bool {
	if errors.Is(err, chain.ErrNotFound) {
		return true
	}
	if _, refusal := refused(err); !refusal {
		return false
	}
	return !isCode(err, codeWarmingUp, btcjson.ErrRPCClientNotConnected, btcjson.ErrRPCClientInInitialDownload)
}

func (e *endpoint) resting(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return now.Before(e.until)
}

func (e *endpoint) recovered() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failures, e.until, e.why = 0, time.Time{}, nil
}

func (e *endpoint) failed(err error, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	pause := longestBackOff
	if e.failures < 6 {
		pause = min(pause, firstBackOff<<e.failures)
	}
	e.failures++
	e.checked, e.why, e.until = false, err, now.Add(pause)
}

// WrongChain says that a node follows another chain than it was given for.
type WrongChain struct{ Why string }

func (e *WrongChain) Error() string { return e.Why }

// check makes sure that a node is on the right chain (ChainBound): at first, and
// again each time that it was away. Neither its name for the network, nor its first
// block, nor the block that only this chain has may differ.
func (n *Node) check(ctx context.Context, e *endpoint) error {
	e.mu.Lock()
	done := e.checked
	e.mu.Unlock()
	if done {
		return nil
	}
	var info struct {
		Chain  string
		Blocks int64
	}
	if err := e.call(ctx, &info, "getblockchaininfo"); err != nil {
		return err
	}
	if networks[info.Chain] != n.chain.Network {
		return &WrongChain{fmt.Sprintf("the node is on %q and this server on %q: point it to a node of its own network, or change --network", info.Chain, n.chain.Network)}
	}
	first, err := e.hashAt(ctx, 0)
	if err != nil {
		return err
	}
	if first != n.Genesis() {
		return &WrongChain{fmt.Sprintf("the node's chain begins with block %s, that of %s begins with %s: it is a node of another coin, or of another network", first, n.chain, n.Genesis())}
	}
	if err := n.checkMark(ctx, e, info.Blocks); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.checked, e.height = true, info.Blocks
	return nil
}

// checkMark tells chains apart that have their beginning in common.
func (n *Node) checkMark(ctx context.Context, e *endpoint, tip int64) error {
	for _, m := range n.chain.Marks {
		if m.Height > tip {
			continue // it has not come that far
		}
		hash, err := e.hashAt(ctx, m.Height)
		if err != nil {
			return err
		}
		if (hash == m.Hash) == m.Foreign {
			return &WrongChain{fmt.Sprintf("the node's block %d is %s, which is not that of %s: it is a node of a coin that was split off", m.Height, hash, n.chain.Name)}
		}
	}
	return nil
}

// lagEvery is how often the tips of several nodes are compared, lagging how far a
// node may be behind another before that one is asked instead.
const (
	lagEvery = 30 * time.Second
	lagging  = 2
)

// compareTips leaves a node that has fallen behind the others: it may have lost its
// peers, or sit on a branch that nobody else follows.
func (n *Node) compareTips(ctx context.Context, tip int64) {
	n.mu.Lock()
	due := len(n.list) > 1 && n.now().Sub(n.compared) >= lagEvery
	if due {
		n.compared = n.now()
	}
	n.mu.Unlock()
	if !due {
		return
	}
	best, height := -1, tip+lagging-1
	for i, e := range n.list {
		if i == n.currentIndex() || e.resting(n.now()) {
			continue
		}
		err := n.check(ctx, e)
		var info struct{ Blocks int64 }
		if err == nil {
			err = e.call(ctx, &info, "getblockchaininfo")
		}
		if err != nil {
			e.failed(err, n.now())
			continue
		}
		e.setHeight(info.Blocks)
		if info.Blocks > height {
			best, height = i, info.Blocks
		}
	}
	if best >= 0 {
		n.use(best, fmt.Sprintf("it is at block %d, the other one at %d", height, tip))
	}
}

func (e *endpoint) setHeight(h int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.height = h
}
