package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
)

// history is something that a chain, its nodes or a payer did. Each has to end as if
// only its end had been seen; see judge.
type history struct {
	name  string
	lasts time.Duration // on the clock; zero is less than three hours
	clock bool          // it turns on when a payment was seen waiting
	pool  bool          // it needs a mempool to be seen
	heavy bool          // it is played on PostgreSQL too
	play  func(*stage)
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// depths are how deep reorganisations go.
var depths = []int{1, 2, 3, 6, 10, 50, 100}

func histories() (list []history) {
	for _, depth := range depths {
		list = append(list, history{name: fmt.Sprintf("reorganised %d deep with crashes in the middle", depth), heavy: depth == 10, play: func(s *stage) { reorganised(s, depth) }})
	}
	return append(list,
		history{name: "mined again in another block", play: minedElsewhere},
		history{name: "mined again in the invoice's own birth block and below", play: minedAtBirth},
		history{name: "never mined again, spent elsewhere", play: spentElsewhere},
		history{name: "never mined again, forgotten", lasts: 6 * time.Hour, pool: true, play: forgotten},
		history{name: "never mined again, built on one that was spent elsewhere", lasts: 6 * time.Hour, play: orphaned},
		history{name: "replaced by one that pays less", clock: true, play: replacedBy(50)},
		history{name: "replaced by one that pays nothing", clock: true, play: replacedBy(0)},
		history{name: "replaced by one that pays more", clock: true, play: replacedBy(150)},
		history{name: "reported ten times, out of order, by two sources", heavy: true, play: reportedTenTimes},
		history{name: "paid in many outputs and many transactions", play: paidInMany},
		history{name: "paid in the second before expiry, seen waiting", clock: true, play: lastSecond(-time.Second, false)},
		history{name: "paid in the second before expiry, seen in its block", play: lastSecond(-time.Second, true)},
		history{name: "paid in the second after expiry, seen waiting", clock: true, play: lastSecond(time.Second, false)},
		history{name: "paid in the second after expiry, seen in its block", play: lastSecond(time.Second, true)},
		history{name: "paid in the second before expiry, seen waiting too late by a node on another fork", pool: true, play: lateOnAnotherFork},
		history{name: "paid a day late", lasts: day + 3*time.Hour, play: paidLate(day)},
		history{name: "paid a year late", lasts: year + 3*time.Hour, play: paidLate(year)},
		history{name: "node down for 48 hours while payments arrive", heavy: true, lasts: 52 * time.Hour, play: nodeDown},
		history{name: "node on another fork, longer, and back", play: anotherFork(3)},
		history{name: "node on another fork, shorter, and back", play: anotherFork(-2)},
		history{name: "node on another network", play: anotherNetwork},
		history{name: "node pruned", play: prunedNode},
		history{name: "node restarted with an empty mempool, sent again", pool: true, clock: true, play: emptied(sentAgain)},
		history{name: "node restarted with an empty mempool, mined all the same", heavy: true, pool: true, clock: true, play: emptied(minedAllTheSame)},
		history{name: "node restarted with an empty mempool, never back", pool: true, lasts: 6 * time.Hour, play: emptied(neverBack)},
	)
}

// Three payments so deep: two of them wait again and are mined in other blocks, then
// their blocks are replaced by others that hold them too, and then the third is
// double-spent. The server is killed in the middle of each.
func reorganised(s *stage, depth int) {
	first, second, thief := s.sell(invoice.Medium), s.sell(invoice.Low), s.sell(invoice.High)
	s.pay(100, first)
	s.sync()
	if depth > 1 {
		s.mine(1)
	}
	s.pay(100, second)
	stolen := s.pay(100, thief) // last, so that nothing else is built on it
	s.sync()
	s.mine(max(1, depth-1))
	s.sync()
	s.seen(first, where(depth, invoice.Confirmed), 100)

	s.reorg(depth, sandbox.ReorgOptions{Unmined: true})
	s.crash(depth)
	s.sync()
	s.mine(depth)
	s.sync()
	s.reorg(depth, sandbox.ReorgOptions{Extra: 1})
	s.crash(depth)
	s.sync()
	s.ends(thief, where(depth+2, invoice.Confirmed), 100)
	// All that lay in those blocks waits, but what a thief puts in another's place.
	s.cut(depth + 2)
	s.spendElsewhere(stolen, s.instead(nil, 0))
	s.mine(depth + 4)
	s.crash(depth + 2)
	s.sync()
	s.ends(first, where(depth+5, invoice.Confirmed), 100)
	s.ends(second, where(depth+5, invoice.Paid), 100)
	s.ends(thief, invoice.Invalid, 0)
	s.mine(6)
	s.sync()
	s.ends(first, invoice.Complete, 100)
	s.ends(second, invoice.Complete, 100)
	if s.killed < 2 && !s.platform.blind {
		s.t.Errorf("the server was killed while it wrote %d times", s.killed)
	}
}

// where an invoice stands with so many confirmations; less is its state before the
// credit.
func where(confirmations int, less invoice.Status) invoice.Status {
	if confirmations >= invoice.CreditDepth {
		return invoice.Complete
	}
	return less
}

func minedElsewhere(s *stage) {
	inv := s.sell(invoice.Medium)
	s.pay(100, inv)
	s.mine(8)
	s.sync()
	s.ends(inv, invoice.Complete, 100)
	s.reorg(8, sandbox.ReorgOptions{Unmined: true})
	s.sync()
	s.ends(inv, invoice.Paid, 100)
	s.mine(1) // nine blocks higher than before
	s.sync()
	s.ends(inv, invoice.Confirmed, 100)
	s.mine(5)
	s.sync()
	s.ends(inv, invoice.Complete, 100)
}

// The chain is reorganised to below where it ended when invoices were made, and their
// payments are mined at that height, and one below it.
func minedAtBirth(s *stage) {
	s.mine(3)
	s.sync()
	at, below := s.sell(invoice.Medium), s.sell(invoice.Medium)
	s.pay(100, at)
	s.pay(100, below)
	s.mine(2)
	s.sync()
	s.ends(at, invoice.Confirmed, 100)
	for _, under := range []int{1, 2} {
		s.cut(2 + under)
		s.mine(3 + under)
		s.sync()
		s.ends(at, invoice.Confirmed, 100)
	}
	s.off() // the same while nobody looks
	s.cut(5)
	s.mine(7)
	s.on()
	s.ends(at, invoice.Complete, 100)
	s.ends(below, invoice.Complete, 100)
}

func spentElsewhere(s *stage) {
	whole, half := s.sell(invoice.Medium), s.sell(invoice.Medium)
	txid := s.pay(100, whole)
	s.pay(50, half)
	other := s.pay(50, half)
	s.mine(7)
	s.sync()
	s.ends(whole, invoice.Complete, 100)
	s.ends(half, invoice.Complete, 100)
	s.cut(7)
	s.spendElsewhere(txid, s.instead(nil, 0))
	s.cut(1)
	s.spendElsewhere(other, s.instead(nil, 0))
	s.mine(9)
	s.sync()
	s.ends(half, invoice.Invalid, 50)
	if got := s.read(whole); got.Status != invoice.Invalid && got.Status != invoice.Complete {
		s.t.Errorf("the other invoice is %s", got.Status)
	}
}

// A payment is built on one to somebody else, whose coins are spent elsewhere in a
// reorganisation. Nothing that is mined conflicts with the payment itself.
func orphaned(s *stage) {
	parent, child := s.sell(invoice.Medium), s.sell(invoice.Medium)
	txid := s.pay(100, parent)
	s.mine(1)
	s.pay(100, child) // out of the change, the smallest coin there is
	s.mine(6)
	s.sync()
	s.ends(child, invoice.Complete, 100)
	s.cut(7)
	s.spendElsewhere(txid, s.instead(nil, 0))
	s.mine(7)
	s.sync()
	s.ends(parent, invoice.Invalid, 0)
	s.ends(child, invoice.Paid, 100) // the coins it spends are not ours to know
	s.sync()
	s.clock.forward(app.DropAfter + time.Minute)
	s.sync()
	s.ends(child, invoice.Invalid, 0)
}

// A payment leaves the chain with its block, nobody sends it again, and nothing spends
// its coins.
func forgotten(s *stage) {
	inv := s.sell(invoice.Medium)
	txid := s.pay(100, inv)
	s.mine(7)
	s.sync()
	s.ends(inv, invoice.Complete, 100)
	s.reorg(7, sandbox.ReorgOptions{Drop: []string{txid}})
	s.sync()
	s.seen(inv, invoice.Paid, 100) // it may come back
	s.sync()
	s.clock.forward(app.DropAfter + time.Minute)
	s.mine(1)
	s.sync()
	s.ends(inv, invoice.Invalid, 0)
}

// A payment is replaced before it confirms, once while the server looks and once while
// it does not.
func replacedBy(percent uint64) func(*stage) {
	return func(s *stage) {
		looking, away := s.sell(invoice.Medium), s.sell(invoice.Medium)
		to := func(inv *invoice.Invoice) sandbox.ReplaceOptions {
			if percent == 0 {
				return s.instead(nil, 0)
			}
			return s.instead(inv, percent)
		}
		a, b := s.pay(100, looking), s.pay(100, away)
		s.sync()
		s.seen(looking, invoice.Paid, 100)
		s.replace(a, to(looking))
		s.sync()
		after := invoice.Invalid
		if percent >= 100 {
			after = invoice.Paid
		}
		s.seen(looking, after, percent)
		s.off()
		s.replace(b, to(away))
		s.mine(1)
		s.on()
		s.mine(6)
		s.sync()
		for _, inv := range []*invoice.Invoice{looking, away} {
			switch {
			case percent >= 100:
				s.ends(inv, invoice.Complete, percent)
			case s.platform.blind:
				s.ends(inv, invoice.New, percent)
			default:
				s.ends(inv, invoice.Invalid, percent)
			}
		}
	}
}

// Two processes on one database, each with a node of its own, are told of the same
// payment again and again: waiting, mined, waiting once more, by a node that hears of
// blocks later than the other and repeats all that ever waited there.
func reportedTenTimes(s *stage) {
	inv, fast := s.sell(invoice.Medium), s.sell(invoice.High)
	second := s.platform.node(s)
	second.show(s.line.chain)
	stale := &echo{Source: second.source(), blind: s.platform.blind}
	other := s.newWatch(s.newApp(), stale)
	s.check(other.Sync(s.ctx))
	s.pay(100, inv, fast)
	s.sync()
	for i := range 10 {
		switch i {
		case 2, 5:
			s.mine(1)
		case 3:
			s.reorg(1, sandbox.ReorgOptions{})
		case 7:
			s.mine(4)
		}
		s.line.node.show(s.line.chain)
		if i%3 == 0 {
			second.show(s.line.chain)
		}
		stale.lag = int64(i % 2)
		order := []*Watcher{s.watch, other}
		if i%2 == 0 {
			slices.Reverse(order)
		}
		for _, w := range order {
			w.pool = newPool() // as if nothing had been read yet
			var behind *BehindError
			if err := w.Sync(s.ctx); err != nil && !errors.As(err, &behind) {
				s.t.Fatal(err)
			}
		}
	}
	s.sync()
	for _, inv := range []*invoice.Invoice{inv, fast} {
		s.ends(inv, invoice.Complete, 100)
		if n := len(s.read(inv).Credits); n != 1 {
			s.t.Errorf("%d payments are known", n)
		}
	}
}

// paidInMany pays one invoice in forty outputs of one transaction and in twenty
// transactions, waiting and in three blocks.
func paidInMany(s *stage) {
	outputs, txs := s.sell(invoice.Medium), s.sell(invoice.Low)
	s.pay(2, slices.Repeat([]*invoice.Invoice{outputs}, 40)...)
	for i := range 20 {
		s.pay(5, txs)
		if i%7 == 6 {
			s.mine(1)
			s.sync()
		}
	}
	s.ends(outputs, invoice.New, 80)
	s.pay(2, slices.Repeat([]*invoice.Invoice{outputs, txs}, 10)...)
	s.sync()
	s.mine(3)
	s.sync()
	s.reorg(4, sandbox.ReorgOptions{Unmined: true})
	s.sync()
	s.mine(6)
	s.sync()
	s.ends(outputs, invoice.Complete, 100)
	s.ends(txs, invoice.Complete, 120)
}

// lastSecond pays so long after the end of the window, and mines the payment at once or
// ten minutes later.
func lastSecond(after time.Duration, atOnce bool) func(*stage) {
	return func(s *stage) {
		inv := s.sell(invoice.Medium)
		s.sync()
		s.clock.forward(inv.Expires.Sub(s.clock.now()) + after)
		s.pay(100, inv)
		if atOnce {
			s.off()
			s.mine(1)
			s.clock.forward(10 * time.Minute)
			s.on()
		} else {
			s.sync()
			s.clock.forward(10 * time.Minute)
			s.mine(1)
			s.sync()
		}
		s.mine(5)
		s.sync()
		want := invoice.Complete
		if after > 0 || s.platform.blind && !atOnce {
			want = invoice.Expired
		}
		s.ends(inv, want, 100)
	}
}

// lateOnAnotherFork mines a payment in time, and has the server read a node first that
// has not heard of the block and shows the payment waiting, after the window.
func lateOnAnotherFork(s *stage) {
	inv := s.sell(invoice.Medium)
	s.sync()
	first, second := s.line, s.fork()
	s.clock.forward(inv.Expires.Sub(s.clock.now()) - time.Second)
	s.pay(100, inv)
	waits, err := first.chain.RawMempool(s.ctx)
	s.check(err)
	s.mine(1)
	s.clock.forward(5 * time.Minute)
	s.ask(second)
	s.broadcast(waits)
	s.sync()
	s.ends(inv, invoice.Expired, 100)
	s.ask(first)
	s.sync()
	s.ends(inv, invoice.Confirmed, 100)
	s.mine(5)
	s.sync()
	s.ends(inv, invoice.Complete, 100)
}

func paidLate(by time.Duration) func(*stage) {
	return func(s *stage) {
		inv, part := s.sell(invoice.Medium), s.sell(invoice.High)
		s.pay(60, part)
		s.mine(1)
		s.sync()
		s.clock.forward(20 * time.Minute)
		s.sync()
		s.clock.forward(by)
		s.pay(100, inv)
		s.pay(40, part)
		s.sync()
		s.mine(6)
		s.sync()
		s.ends(inv, invoice.Expired, 100)
		s.ends(part, invoice.Expired, 100)
		if !slices.Contains(s.told(inv), invoice.LatePaymentNotice.Name) {
			s.t.Errorf("told %v", s.told(inv))
		}
	}
}

// nodeDown has the node away for two days. The server runs on, makes invoices and closes
// no window; what was paid meanwhile is found, by the time of its block.
func nodeDown(s *stage) {
	var inTime, late []*invoice.Invoice
	s.sync()
	s.watch.Source = &source{Source: s.line.node.source(), fail: func(int) error { return errLine }}
	for range 8 {
		early, slow := s.sell(invoice.Medium), s.sell(invoice.Low)
		inTime, late = append(inTime, early), append(late, slow)
		s.clock.forward(5 * time.Minute)
		s.pay(100, early)
		s.mine(1)
		s.clock.forward(time.Hour)
		s.pay(100, slow)
		s.mine(1)
		if err := s.watch.Sync(s.ctx); !errors.Is(err, errLine) {
			s.t.Fatalf("the node is down: %v", err)
		}
		s.check(s.app.CloseWindows(s.ctx))
		s.ends(early, invoice.New, 0)
		s.clock.forward(5 * time.Hour)
	}
	s.sync()
	s.mine(5)
	s.sync()
	for i := range inTime {
		s.ends(inTime[i], invoice.Complete, 100)
		s.ends(late[i], invoice.Expired, 100)
	}
}

// anotherFork has the server read a node on a branch that is so many blocks longer, or
// shorter, than the one it has followed, and then the first one again. A payment is in
// either branch, another one in the first only.
func anotherFork(longer int) func(*stage) {
	return func(s *stage) {
		both, one := s.sell(invoice.Medium), s.sell(invoice.Medium)
		s.pay(100, both)
		s.sync()
		first := s.line
		second := s.fork()
		s.pay(100, one)
		s.mine(7)
		s.sync()
		s.ends(one, invoice.Complete, 100)
		_, err := second.chain.Mine(s.ctx, 7+longer)
		s.check(err)
		s.ask(second)
		err = s.read1()
		if longer > 0 {
			s.check(err)
			s.ends(both, invoice.Complete, 100)
			if got := s.read(one).Status; got != invoice.Paid {
				s.t.Errorf("its payment is not in this branch, and it is %s", got)
			}
		} else {
			if behind := (*BehindError)(nil); !errors.As(err, &behind) {
				s.t.Errorf("on a shorter branch: %v", err)
			}
			s.ends(one, invoice.Complete, 100)
		}
		s.ask(first)
		if longer > 0 { // it has fallen behind, and says nothing until it comes as far
			if behind := (*BehindError)(nil); !errors.As(s.read1(), &behind) {
				s.t.Error("back on a branch that is shorter now, something was undone")
			}
			s.mine(longer + 1)
		}
		s.sync()
		s.ends(both, invoice.Complete, 100)
		s.ends(one, invoice.Complete, 100)
	}
}

// anotherNetwork puts a node of another chain in the place of the server's own.
func anotherNetwork(s *stage) {
	inv, second := s.sell(invoice.Medium), s.sell(invoice.Medium)
	s.pay(100, inv)
	s.mine(1)
	s.sync()
	before := s.cursor()
	s.pay(100, second)
	s.mine(1)
	refused := func() {
		s.t.Helper()
		err := s.watch.Sync(s.ctx)
		if err == nil || !strings.Contains(err.Error(), s.platform.says) {
			s.t.Errorf("it was followed, or refused without a sentence: %v", err)
		}
	}
	s.src = s.platform.wrong(s)
	if s.platform.real && !s.platform.blind { // where the server reads, another node answers
		s.watch.Source = s.src
		refused()
	}
	s.off()
	s.world.open()
	refused()
	if at := s.cursor(); at != before {
		s.t.Errorf("the cursor went from %v to %v", before, at)
	}
	s.ends(second, invoice.New, 0)
	s.off()
	s.on()
	s.mine(5)
	s.sync()
	s.ends(inv, invoice.Complete, 100)
	s.ends(second, invoice.Complete, 100)
}

// prunedNode: the server was away, and the node has thrown away the blocks that it needs
// next. It says so, nothing is applied, and another node serves.
func prunedNode(s *stage) {
	inv := s.sell(invoice.Medium)
	s.pay(100, inv)
	s.sync()
	s.off()
	s.mine(3)
	s.open()
	before := s.cursor()
	s.watch.Source = pruned{s.line.node.source()}
	if err := s.watch.Sync(s.ctx); !errors.Is(err, errPruned) {
		s.t.Errorf("without the blocks: %v", err)
	}
	if at := s.cursor(); at != before {
		s.t.Errorf("the cursor went from %v to %v", before, at)
	}
	s.seen(inv, invoice.Paid, 100)
	s.mine(3)
	s.sync()
	s.ends(inv, invoice.Complete, 100)
}

// fate is what becomes of the payments that a node has lost.
type fate int

const (
	sentAgain fate = iota
	minedAllTheSame
	neverBack
)

func emptied(f fate) func(*stage) {
	return func(s *stage) {
		inv, fast := s.sell(invoice.Medium), s.sell(invoice.High)
		s.pay(100, inv)
		s.pay(100, fast)
		s.sync()
		s.ends(fast, invoice.Confirmed, 100)
		lost := s.loseMempool()
		for range 3 {
			s.sync()
			s.clock.forward(5 * time.Minute)
		}
		s.ends(inv, invoice.Paid, 100) // it is waited for
		s.off()
		s.on()
		s.ends(inv, invoice.Paid, 100)
		switch f {
		case sentAgain:
			s.broadcast(lost)
			s.sync()
			s.clock.forward(app.DropAfter)
			s.sync()
			s.ends(inv, invoice.Invalid, 100) // by the hour without a block
			s.mine(6)
		case minedAllTheSame: // a miner had it
			s.broadcast(lost)
			s.mine(6)
		case neverBack:
			s.clock.forward(app.DropAfter - time.Minute)
			s.sync()
			s.clock.forward(time.Minute)
			s.sync()
			s.ends(inv, invoice.Invalid, 0)
			s.mine(6)
		}
		s.sync()
		if f != neverBack {
			s.ends(inv, invoice.Complete, 100)
			s.ends(fast, invoice.Complete, 100)
		}
	}
}

// echo is a source that lags behind, and whose mempool holds all that it ever held.
type echo struct {
	chain.Source
	lag   int64
	blind bool
	said  map[string]*chain.Tx
}
