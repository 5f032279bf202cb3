package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
)

// source is the sandbox chain behind a line that can fail.
type source struct {
	chain.Source
	afterMempool func()          // called once the mempool was listed
	afterHashAt  func()          // called once the hash of a block was given
	fail         func(int) error // asked before the n-th call, from 1
	noMempool    bool

	mu    sync.Mutex
	calls int
}

var errLine = errors.New("the line is cut")

func (s *source) ask() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fail == nil {
		return nil
	}
	return s.fail(s.calls)
}

func (s *source) Tip(ctx context.Context) (chain.Ref, error) {
	if err := s.ask(); err != nil {
		return chain.Ref{}, err
	}
	return s.Source.Tip(ctx)
}

func (s *source) HashAt(ctx context.Context, height int64) (string, error) {
	if err := s.ask(); err != nil {
		return "", err
	}
	hash, err := s.Source.HashAt(ctx, height)
	if s.afterHashAt != nil {
		s.afterHashAt()
	}
	return hash, err
}

func (s *source) Block(ctx context.Context, hash string) (*chain.Block, error) {
	if err := s.ask(); err != nil {
		return nil, err
	}
	return s.Source.Block(ctx, hash)
}

func (s *source) Mempool(ctx context.Context) ([]string, error) {
	if err := s.ask(); err != nil {
		return nil, err
	}
	if s.noMempool {
		return nil, chain.ErrNoMempool
	}
	ids, err := s.Source.Mempool(ctx)
	if s.afterMempool != nil {
		s.afterMempool()
	}
	return ids, err
}

func (s *source) MempoolTx(ctx context.Context, txid string) (*chain.Tx, error) {
	if err := s.ask(); err != nil {
		return nil, err
	}
	return s.Source.MempoolTx(ctx, txid)
}

// foreign claims to be another chain.
type foreign struct{ chain.Source }

func (foreign) Genesis() string {
	return "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
}

func asWrong(err error, target **app.WrongChainError) bool { return errors.As(err, target) }

func contextOf(w *world) (context.Context, context.CancelFunc) { return context.WithCancel(w.ctx) }

func TestASourceThatFailsAnywhereLosesNothing(t *testing.T) {
	w := newWorld(t)
	src := &source{Source: w.chain}
	w.watch.Source = src
	var invs []*invoice.Invoice
	// Each reading is cut at one more call, until one has no fault in it.
	for cut := 1; ; cut++ {
		inv := w.invoice(invoice.Medium)
		invs = append(invs, inv)
		w.pay(inv, due)
		w.mine(1)
		if cut%3 == 0 {
			w.reorg(1, sandbox.ReorgOptions{})
		}
		w.pay(invs[0], 1000)
		src.calls, src.fail = 0, func(n int) error {
			if n == cut {
				return errLine
			}
			return nil
		}
		err := w.watch.Sync(w.ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, errLine) || !errors.Is(w.watch.Status().Err, errLine) {
			t.Fatalf("%v", err)
		}
	}
	if len(invs) < 6 {
		t.Fatalf("only %d calls could fail", len(invs))
	}
	w.sync()
	for i, inv := range invs {
		got := w.read(inv)
		if got.Status != invoice.Confirmed && got.Status != invoice.Complete {
			t.Errorf("invoice %d is %s", i, got.Status)
		}
	}
	if n := len(w.read(invs[0]).Credits); n != len(invs)+1 {
		t.Errorf("%d credits of %d payments", n, len(invs)+1)
	}
	w.atTip()
}

func TestABlockThatVanishesBetweenItsHashAndItselfIsReadAnew(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.mine(2)
	times := 0
	w.watch.Source = &source{Source: w.chain, afterHashAt: func() {
		if times++; times == 2 || times == 4 {
			w.reorg(2, sandbox.ReorgOptions{Unmined: times == 2})
		}
	}}
	w.sync()
	tip, err := w.chain.Tip(w.ctx)
	w.check(err)
	if at, _ := w.app.Cursor(w.ctx, "BTC"); at != tip {
		t.Errorf("the cursor is at %v, the tip is %v", at, tip)
	}
	w.mine(1)
	w.sync()
	if got := w.read(inv); len(got.Credits) != 1 || got.Status != invoice.Confirmed {
		t.Errorf("the invoice is %s with %+v", got.Status, got.Credits)
	}
}

func TestAChainThatNeverHoldsStillIsAnErrorNotALoop(t *testing.T) {
	w := newWorld(t)
	w.watch.Source = &source{Source: w.chain, afterMempool: func() { w.mine(1); w.reorg(1, sandbox.ReorgOptions{}) },
		afterHashAt: func() { w.reorg(1, sandbox.ReorgOptions{}) }}
	if err := w.watch.Sync(w.ctx); !errors.Is(err, errShifted) {
		t.Errorf("got %v", err)
	}
	w.watch.Source = w.chain
	w.sync()
	w.atTip()
}

func TestABackEndWithoutMempoolFindsPaymentsInBlocks(t *testing.T) {
	w := newWorld(t)
	w.watch.Source = &source{Source: w.chain, noMempool: true}
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.sync()
	w.is(inv, invoice.New, 0)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
}

func TestTheMempoolIsReadOnceAndForgottenWithWhatLeavesIt(t *testing.T) {
	p := newPool()
	all := []string{"a", "b", "c"}
	if got := p.unread(all); !slices.Equal(got, all) {
		t.Fatalf("unread %v", got)
	}
	p.done([]chain.Tx{{ID: "a"}, {ID: "b"}}) // c left before it was read
	if got := p.unread(all); !slices.Equal(got, []string{"c"}) {
		t.Errorf("unread %v, want c", got)
	}
	p.done([]chain.Tx{{ID: "c"}})
	if got := p.unread([]string{"b"}); len(got) != 0 {
		t.Errorf("unread %v, want none", got)
	}
	if got := p.unread(all); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("unread %v after a and c came back", got)
	}
}

func TestAMempoolLargerThanOneChunkIsReadWhole(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.High)
	src := &crowd{Source: w.chain, n: 3*poolChunk + 7}
	w.watch.Source = src
	w.pay(inv, due)
	var got Reading
	w.watch.Observe = func(r Reading) { got = r }
	w.sync()
	if got.Unconfirmed != src.n+1 {
		t.Errorf("%d transactions were read, not %d", got.Unconfirmed, src.n+1)
	}
	w.is(inv, invoice.Confirmed, due)
	w.sync()
	if got.Unconfirmed != 0 {
		t.Errorf("%d transactions were read again", got.Unconfirmed)
	}
}

// crowd is a mempool with many strangers in it.
type crowd struct {
	chain.Source
	n int
}

func (c *crowd) Mempool(ctx context.Context) ([]string, error) {
	ids, err := c.Source.Mempool(ctx)
	for i := range c.n {
		ids = append(ids, fmt.Sprintf("stranger %d", i))
	}
	return ids, err
}

func (c *crowd) MempoolTx(ctx context.Context, txid string) (*chain.Tx, error) {
	if len(txid) != 64 {
		return &chain.Tx{ID: txid, Payments: []chain.Payment{{To: []byte(txid)}}}, nil
	}
	return c.Source.MempoolTx(ctx, txid)
}

func TestPausesGrowAndStayBounded(t *testing.T) {
	for n := 1; n < 100; n++ {
		most := longestPause
		if n < 10 {
			most = min(most, firstPause<<(n-1))
		}
		if d := pause(n); d < most/2 || d > most {
			t.Errorf("after %d failures the pause is %v of at most %v", n, d, most)
		}
	}
}
