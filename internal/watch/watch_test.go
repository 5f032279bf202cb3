package watch

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store/pgtest"
)

func TestAPaymentIsSeenConfirmedAndCredited(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	w.mine(4)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Complete, due)
	want := []string{"invoice_payment", "invoice_paidInFull", "invoice_confirmed", "invoice_completed"}
	if diff := cmp.Diff(want, w.told(inv)); diff != "" {
		t.Error(diff)
	}
	w.atTip()
}

func TestAnAddressPaidTheInstantItIsMadeIsSeenInTheNextReading(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		inv := w.invoice(invoice.High)
		w.pay(inv, due)
		w.sync()
		w.is(inv, invoice.Confirmed, due)
	}
}

func TestAnAddressMadeAndPaidWhileAReadingRunsIsSeen(t *testing.T) {
	w := newWorld(t)
	var inv *invoice.Invoice
	w.watch.Source = &source{Source: w.chain, afterMempool: func() {
		// The mempool was listed without this payment, and the block is new.
		if inv == nil {
			inv = w.invoice(invoice.Medium)
			w.pay(inv, due)
			w.mine(1)
		}
	}}
	w.sync()
	w.is(inv, invoice.Confirmed, due)
}

func TestPaymentsMinedWhileTheServerWasOffAreFound(t *testing.T) {
	w := newWorld(t)
	paid, late, waiting := w.invoice(invoice.Medium), w.invoice(invoice.Medium), w.invoice(invoice.Medium)
	w.off()
	w.pay(paid, due)
	w.mine(8)
	w.clock.forward(16 * time.Minute)
	w.pay(late, due)
	w.mine(3)
	w.pay(waiting, due)
	w.on()
	// The block proves that the first payment was in time. That the second and
	// the third were, nothing does.
	w.is(paid, invoice.Complete, due)
	w.is(late, invoice.Expired, due)
	w.is(waiting, invoice.Expired, due)
	if got := w.told(late); !slices.Contains(got, "invoice_latePayment") {
		t.Errorf("told of the late payment: %v", got)
	}
	w.atTip()
}

func TestALongWayIsCaughtUpInSteps(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.off()
	w.pay(inv, due)
	w.mine(130)
	calls := 0
	w.src = &source{Source: w.chain}
	w.store = nil
	w.on()
	w.watch.Observe = func(r Reading) { calls += r.Blocks }
	w.is(inv, invoice.Complete, due)
	w.atTip()
	w.mine(120)
	w.sync()
	if calls != 120 {
		t.Errorf("%d blocks were applied, not 120", calls)
	}
	w.atTip()
	if got := w.read(inv); !got.Credits[0].Settled {
		t.Error("a payment 250 blocks deep is not settled")
	}
}

func TestAReorgThatKeepsThePaymentChangesNothing(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.sync()
	w.mine(2)
	w.sync()
	w.reorg(2, sandbox.ReorgOptions{})
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	want := []string{"invoice_payment", "invoice_paidInFull", "invoice_confirmed"}
	if diff := cmp.Diff(want, w.told(inv)); diff != "" {
		t.Error(diff)
	}
	w.atTip()
}

func TestAReorgThatUnminesThePaymentTakesItsDepthAndGivesItBack(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.mine(7)
	w.sync()
	w.is(inv, invoice.Complete, due)
	w.reorg(7, sandbox.ReorgOptions{Unmined: true})
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	w.mine(5)
	w.sync()
	w.is(inv, invoice.Complete, due)
}

func TestAReorgWhileTheServerWasOffIsUndoneAtStart(t *testing.T) {
	w := newWorld(t)
	inv, other := w.invoice(invoice.Medium), w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.mine(3)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	w.off()
	w.reorg(3, sandbox.ReorgOptions{Unmined: true})
	w.pay(other, due)
	w.mine(2) // both payments are in the new branch
	w.on()
	w.is(inv, invoice.Confirmed, due)
	w.is(other, invoice.Confirmed, due)
	w.atTip()
}

func TestATipThatGoesBackIsFollowed(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
	_, err := w.chain.Invalidate(w.ctx, 3)
	w.check(err)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	_, err = w.chain.Invalidate(w.ctx, 3)
	w.check(err)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.atTip()
}

// A node that reads its blocks anew, or another one that is behind, tells of a lower
// tip. Nothing that was confirmed is taken back because of that.
func TestABackEndThatIsBehindUndoesNothing(t *testing.T) {
	w := newWorld(t)
	w.watch.Patient = true
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.mine(6)
	w.sync()
	told := w.told(inv)
	_, err := w.chain.Invalidate(w.ctx, 4)
	w.check(err)
	var behind *BehindError
	if err := w.watch.Sync(w.ctx); !errors.As(err, &behind) || behind.Followed.Height != behind.Tip.Height+4 {
		t.Fatalf("a lower tip: %v", err)
	}
	w.is(inv, invoice.Complete, due)
	if err := w.watch.Status().Err; !errors.As(err, &behind) {
		t.Errorf("the operator is told %v", err)
	}
	// It comes as far again, by other blocks: now what happened is seen.
	w.mine(4)
	w.sync()
	w.is(inv, invoice.Complete, due)
	w.atTip()
	if now := w.told(inv); len(now) != len(told) {
		t.Errorf("the shop was told %v", now[len(told):])
	}
}

func TestAPaymentReplacedByOneToSomebodyElseIsGone(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.replace(txid, "")
	w.sync()
	w.is(inv, invoice.Invalid, 0)
	want := []string{"invoice_payment", "invoice_paidInFull", "invoice_payment_gone", "invoice_failedToConfirm"}
	if diff := cmp.Diff(want, w.told(inv)); diff != "" {
		t.Error(diff)
	}
}

func TestAPaymentReplacedByOneToAnotherInvoiceCountsThereOnly(t *testing.T) {
	w := newWorld(t)
	first, second := w.invoice(invoice.Medium), w.invoice(invoice.Medium)
	txid := w.pay(first, due)
	w.sync()
	w.replace(txid, second.Terms.Options[0].Address)
	w.sync()
	w.is(first, invoice.Invalid, 0)
	w.is(second, invoice.Paid, due)
}

func TestAFeeBumpKeepsTheStatusAndTheTimeWithOneCredit(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	w.sync()
	w.clock.forward(20 * time.Minute) // beyond the window
	bumped := w.replace(txid, inv.Terms.Options[0].Address)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	got := w.read(inv)
	live := slices.DeleteFunc(got.Credits, func(c invoice.Credit) bool { return !c.Live() })
	if len(live) != 1 || live[0].Outpoint.Txid != bumped || !live[0].FirstSeen.Equal(start) || got.HasLate() {
		t.Errorf("live credits %+v", live)
	}
}

func TestADoubleSpendInABlockIsNoticed(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.High)
	txid := w.pay(inv, due)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	_, _, err := w.chain.ConflictInBlock(w.ctx, txid, sandbox.ReplaceOptions{})
	w.check(err)
	w.sync()
	w.is(inv, invoice.Invalid, 0)
}

func TestADoubleSpendInAReorgIsNoticed(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	w.mine(2)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	_, err := w.chain.Invalidate(w.ctx, 2)
	w.check(err)
	_, _, err = w.chain.ConflictInBlock(w.ctx, txid, sandbox.ReplaceOptions{})
	w.check(err)
	w.mine(2)
	w.sync()
	w.is(inv, invoice.Invalid, 0)
	if got := w.told(inv); slices.Index(got, "invoice_failedToConfirm") != len(got)-1 {
		t.Errorf("told %v", got)
	}
}

func TestAPaymentThatIsMinedBetweenTwoReadingsCountsOnce(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Low)
	w.pay(inv, due/2)
	w.sync()
	w.is(inv, invoice.New, due/2)
	w.pay(inv, due/2)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.mine(5)
	w.sync()
	w.is(inv, invoice.Complete, due)
	if got := w.read(inv); len(got.Credits) != 2 {
		t.Errorf("%d credits", len(got.Credits))
	}
}

func TestAnUnpaidInvoiceExpiresOnlyOnceTheChainIsReadBeyondItsWindow(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.clock.forward(15 * time.Minute)
	w.pay(inv, due) // at the very last moment
	w.clock.forward(time.Minute)
	w.check(w.app.CloseWindows(w.ctx))
	w.is(inv, invoice.New, 0)
	w.sync()
	w.is(inv, invoice.Expired, due) // read too late to know better

	another := w.invoice(invoice.Medium)
	w.clock.forward(16 * time.Minute)
	w.sync()
	w.is(another, invoice.Expired, 0)
}

func TestAReadingThatTakesLongerThanTheWindowStillCountsWhatItFound(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.watch.Source = &source{Source: w.chain, afterMempool: func() { w.clock.forward(20 * time.Minute) }}
	w.sync()
	w.is(inv, invoice.Paid, due)
	if got := w.read(inv); got.HasLate() {
		t.Errorf("counted as late: %+v", got.Credits)
	}
}

func TestAPaymentThatWaitsForAnHourIsInvalidAndRecoversInABlock(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due)
	w.sync()
	w.clock.forward(time.Hour + time.Second)
	w.sync()
	w.is(inv, invoice.Invalid, due)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
}

func TestAPaymentThatVanishesWithoutAConflictIsGivenUpAfterAnHour(t *testing.T) {
	w := newWorld(t)
	inv, kept := w.invoice(invoice.Medium), w.invoice(invoice.Medium)
	txid := w.pay(inv, due)
	w.mine(2)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
	w.reorg(2, sandbox.ReorgOptions{Drop: []string{txid}})
	w.pay(kept, due)
	w.sync()                     // takes its block away
	w.sync()                     // misses it
	w.is(inv, invoice.Paid, due) // it may come back
	w.clock.forward(app.DropAfter - time.Second)
	w.sync()
	w.is(inv, invoice.Paid, due)
	w.clock.forward(time.Second)
	w.sync()
	w.is(inv, invoice.Invalid, 0)
	if got := w.read(kept); got.Received().IsZero() {
		t.Error("one that waits in the mempool was given up too")
	}
}

func TestSyncWaitsForAReadingThatBeganAfterTheCall(t *testing.T) {
	w := newWorld(t)
	invs := make([]*invoice.Invoice, 20)
	for i := range invs {
		invs[i] = w.invoice(invoice.High)
	}
	var readings int
	w.watch.Observe = func(Reading) { readings++ }
	var group sync.WaitGroup
	for _, inv := range invs {
		group.Go(func() {
			_, err := w.chain.Pay(w.ctx, sandbox.PayOptions{Outputs: []sandbox.Output{{Address: inv.Terms.Options[0].Address, Amount: due}}})
			if err == nil {
				err = w.watch.Sync(w.ctx)
			}
			if err != nil {
				t.Error(err)
				return
			}
			if s, err := w.app.Invoice(w.ctx, inv.ID); err != nil || s.Status != invoice.Confirmed {
				t.Errorf("after Sync the invoice is %s, %v", s.Status, err)
			}
		})
	}
	group.Wait()
	if readings > len(invs) {
		t.Errorf("%d readings for %d calls", readings, len(invs))
	}
}

func TestAnotherFollowerOfTheSameDatabaseIsNoTrouble(t *testing.T) {
	w := newWorld(t)
	w.race(w.newWatch(w.app, w.chain), w.invoice(invoice.Medium))
}

// On a server, several processes may share the database. Each has an App of its
// own, and none is told of the addresses that another makes.
func TestFollowersInSeveralProcessesShareADatabase(t *testing.T) {
	w := newWorldOn(t, pgtest.Open(t))
	other := w.newWatch(w.newApp(), w.chain)
	w.check(other.Sync(w.ctx))
	inv := w.invoice(invoice.High)
	w.pay(inv, due)
	w.check(other.Sync(w.ctx)) // it has to look for the address
	w.is(inv, invoice.Confirmed, due)
	w.race(other, w.invoice(invoice.Medium))
}

// race has two followers apply the same blocks and reorganisations at once.
func (w *world) race(other *Watcher, inv *invoice.Invoice) {
	w.check(other.Sync(w.ctx))
	w.pay(inv, due)
	w.sync()
	for range 4 {
		w.mine(2)
		w.reorg(1, sandbox.ReorgOptions{})
		var group sync.WaitGroup
		for _, f := range []*Watcher{other, w.watch} {
			group.Go(func() {
				if err := f.Sync(w.ctx); err != nil {
					w.t.Error(err)
				}
			})
		}
		group.Wait()
	}
	w.is(inv, invoice.Complete, due)
	if got := w.read(inv); len(got.Credits) != 1 {
		w.t.Errorf("credits %+v", got.Credits)
	}
	want := []string{"invoice_payment", "invoice_paidInFull", "invoice_confirmed", "invoice_completed"}
	if diff := cmp.Diff(want, w.told(inv)); diff != "" {
		w.t.Error(diff)
	}
}

func TestAnotherChainUnderTheSameDatabaseIsRefused(t *testing.T) {
	w := newWorld(t)
	err := w.newWatch(w.app, foreign{w.chain}).Run(w.ctx)
	var wrong *app.WrongChainError
	if !asWrong(err, &wrong) {
		t.Fatalf("Run on another genesis gives %v", err)
	}
}

func TestRunFollowsByNoticeAndEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, stop := contextOf(w)
	seen := make(chan string, 100)
	w.app.OnEvent(func(id string) {
		select {
		case seen <- id:
		default:
		}
	})
	w.watch.Poll = time.Hour // so that only the notice can wake it
	done := make(chan error, 1)
	go func() { done <- w.watch.Run(ctx) }()
	inv := w.invoice(invoice.High)
	w.pay(inv, due)
	for id := range seen {
		if id == inv.ID {
			break
		}
	}
	w.is(inv, invoice.Confirmed, due)
	if !w.watch.Ready() {
		t.Error("not ready after a reading")
	}
	stop()
	w.check(<-done)
}
