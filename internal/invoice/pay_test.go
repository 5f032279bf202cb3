package invoice

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// after is a time so many minutes into an invoice's life.
func after(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

// demand is an invoice of 100 satoshi that is open for 15 minutes.
func demand(s Speed) *Invoice {
	return Open("inv", "shop", "token", "own", "guid", Order{Currency: "USD", Price: money.NewUnits(1000), Speed: s},
		[]Option{{Asset: "BTC", Chain: "BTC", Due: money.NewUnits(100)}}, Lock{At: t0}, t0)
}

// story tells an invoice what happens, a minute at a time.
type story struct {
	t   *testing.T
	inv *Invoice
	tip int64
	now time.Time
	out []Change
}

func tell(t *testing.T, s Speed) *story { return &story{t: t, inv: demand(s), tip: 100, now: t0} }

func blockAt(height int64, at time.Time) *chain.Block {
	return &chain.Block{Ref: chain.Ref{Hash: fmt.Sprintf("block %d", height), Height: height}, Time: at}
}

func (s *story) assess() *story {
	s.t.Helper()
	moved, err := s.inv.Assess(Facts{Now: s.now, Tips: map[string]int64{"BTC": s.tip}, ReadAt: map[string]time.Time{"BTC": s.now}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.out = append(s.out, moved...)
	return s
}

func (s *story) see(txid string, sat uint64, height int64, spends ...string) *story {
	s.t.Helper()
	sg := Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: txid}, Asset: "BTC", Amount: money.NewUnits(sat), Score: TopScore}
	for _, o := range spends {
		sg.Spends = append(sg.Spends, chain.Outpoint{Txid: o})
	}
	if height > 0 {
		sg.Block = blockAt(height, s.now)
		s.tip = max(s.tip, height)
	}
	if _, kind := s.inv.See(sg, s.now); kind != "" {
		s.out = append(s.out, Change{Kind: kind})
	}
	return s.assess()
}

func (s *story) at(minutes int) *story {
	s.t.Helper()
	s.now = after(minutes)
	return s.assess()
}

func (s *story) height(h int64) *story {
	s.t.Helper()
	s.tip = h
	return s.assess()
}

func (s *story) unmine(height int64) *story {
	s.t.Helper()
	s.inv.Unmine("BTC", fmt.Sprintf("block %d", height))
	return s.assess()
}

func (s *story) lose(txid string) *story {
	s.t.Helper()
	s.inv.Lose("BTC", txid)
	return s.assess()
}

// is checks the state and what happened since the last look.
func (s *story) is(want Status, steps ...string) *story {
	s.t.Helper()
	if s.inv.Status != want {
		s.t.Errorf("the invoice is %s, not %s", s.inv.Status, want)
	}
	var got []string
	for _, c := range s.out {
		if c.Kind == Moved {
			got = append(got, string(c.To))
		} else {
			got = append(got, string(c.Kind))
		}
	}
	s.out = nil
	if !slices.Equal(got, steps) {
		s.t.Errorf("what happened: %v, want %v", got, steps)
	}
	return s
}

func TestMediumIsConfirmedByOneBlockAndCompleteBySix(t *testing.T) {
	tell(t, Medium).is(New).
		see("a", 100, 0).is(Paid, "payment", "paid").
		see("a", 100, 101).is(Confirmed, "confirmed").
		height(105).is(Confirmed).
		height(106).is(Complete, "complete")
}

func TestHighIsConfirmedOnSight(t *testing.T) {
	tell(t, High).see("a", 100, 0).is(Confirmed, "payment", "confirmed").
		see("a", 100, 101).is(Confirmed).
		height(106).is(Complete, "complete")
}

func TestLowIsPaidUntilSixBlocksCompleteIt(t *testing.T) {
	tell(t, Low).see("a", 100, 0).is(Paid, "payment", "paid").
		see("a", 100, 101).is(Paid).
		height(105).is(Paid).
		height(106).is(Complete, "complete")
}

func TestAPaymentFoundDeepInTheChainTakesAllStepsAtOnce(t *testing.T) {
	tell(t, Medium).height(110).see("a", 100, 101).is(Complete, "payment", "paid", "confirmed", "complete")
	tell(t, High).height(110).see("a", 100, 101).is(Complete, "payment", "confirmed", "complete")
	tell(t, Low).height(110).see("a", 100, 101).is(Complete, "payment", "paid", "complete")
}

func TestPartialPaymentsAddUpAndTheShallowestCounts(t *testing.T) {
	s := tell(t, Medium).see("a", 40, 101).is(New, "payment")
	under, over := s.inv.Difference()
	if s.inv.Exception() != "paidPartial" || under.String() != "60" || !over.IsZero() {
		t.Errorf("exception %q, under %s, over %s", s.inv.Exception(), under, over)
	}
	s.see("b", 60, 0).is(Paid, "payment", "paid")
	if s.inv.Exception() != "" {
		t.Errorf("exception %q of a full amount", s.inv.Exception())
	}
	s.height(110).is(Paid).see("b", 60, 111).is(Confirmed, "confirmed").height(116).is(Complete, "complete")
}

func TestAPartialPaymentAloneExpiresAndSaysSo(t *testing.T) {
	s := tell(t, Medium).see("a", 99, 0).is(New, "payment").at(15).is(New).at(16).is(Expired, "expired")
	if s.inv.Exception() != "paidPartial" || s.inv.HasLate() {
		t.Errorf("exception %q, late %v", s.inv.Exception(), s.inv.HasLate())
	}
	// The rest comes too late to count.
	s.see("b", 1, 0).is(Expired, "late_payment")
	if !s.inv.HasLate() || s.inv.Received().String() != "100" {
		t.Errorf("received %s, late %v", s.inv.Received(), s.inv.HasLate())
	}
}

// A payment of the whole is replaced by one of less: what is left says so, as for who
// saw the lesser one alone.
func TestWhatIsLeftOfAReplacedPaymentIsAPart(t *testing.T) {
	s := tell(t, Medium).see("a", 100, 0, "coin").lose("a").see("b", 60, 101, "coin").is(Invalid, "payment", "paid", "invalid", "payment")
	under, _ := s.inv.Difference()
	if s.inv.Exception() != "paidPartial" || under.String() != "40" {
		t.Errorf("exception %q, under %s", s.inv.Exception(), under)
	}
	if s.unmine(101).lose("b"); s.inv.Exception() != "" {
		t.Errorf("exception %q of nothing", s.inv.Exception())
	}
}

func TestTooMuchIsPaidAndSaysSo(t *testing.T) {
	s := tell(t, Medium).see("a", 70, 0).see("b", 70, 0).is(Paid, "payment", "payment", "paid")
	under, over := s.inv.Difference()
	if s.inv.Exception() != "paidOver" || over.String() != "40" || !under.IsZero() {
		t.Errorf("exception %q, under %s, over %s", s.inv.Exception(), under, over)
	}
	// The surplus does not have to confirm.
	s.see("c", 100, 101).is(Confirmed, "payment", "confirmed")
}

func TestALatePaymentIsNotAppliedWhateverItsAmount(t *testing.T) {
	s := tell(t, Medium).at(16).is(Expired, "expired").see("a", 100, 101).is(Expired, "late_payment").height(120).is(Expired)
	if !s.inv.HasLate() || s.inv.Exception() != "" || s.inv.Received().String() != "100" {
		t.Errorf("late %v, exception %q, received %s", s.inv.HasLate(), s.inv.Exception(), s.inv.Received())
	}
}

func TestABlockProvesThatAPaymentWasInTimeHoweverLateItIsLearnt(t *testing.T) {
	s := tell(t, Medium).at(16).is(Expired, "expired")
	s.tip = 103
	sg := Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: "a"}, Asset: "BTC", Amount: money.NewUnits(100), Block: blockAt(101, after(10))}
	if changed, kind := s.inv.See(sg, s.now); !changed || kind != PaymentSeen {
		t.Errorf("%v, %s", changed, kind)
	}
	s.assess().is(Confirmed, "paid", "confirmed")

	// So does one that comes after it was seen waiting, too late.
	s = tell(t, Medium).at(16).see("a", 100, 0).is(Expired, "expired", "late_payment")
	if changed, _ := s.inv.See(sg, s.now); !changed {
		t.Error("the block is no news")
	}
	s.tip = 101
	s.assess().is(Confirmed, "paid", "confirmed")
}

func TestNoPaymentIsOlderThanItsInvoiceOrFromTheFuture(t *testing.T) {
	for _, c := range []struct {
		name  string
		sight Sighting
		want  time.Time
	}{
		{"a block with an early clock", Sighting{Block: blockAt(1, t0.Add(-time.Hour))}, t0},
		{"a block with a late clock", Sighting{Block: blockAt(1, t0.Add(2*time.Hour))}, after(5)},
		{"a block", Sighting{Block: blockAt(1, after(3))}, after(3)},
		{"a reading that began before the invoice", Sighting{At: t0.Add(-time.Second)}, t0},
		{"a reading that took two minutes", Sighting{At: after(3)}, after(3)},
		{"a reading from the future", Sighting{At: after(9)}, after(5)},
		{"no more than now", Sighting{}, after(5)},
	} {
		inv := demand(Medium)
		inv.See(c.sight, after(5))
		if got := inv.Credits[0]; !got.FirstSeen.Equal(c.want) || !got.Received.Equal(after(5)) {
			t.Errorf("%s: first seen %s, received %s", c.name, got.FirstSeen, got.Received)
		}
	}
}

func TestSeeingAgainChangesNothing(t *testing.T) {
	s := tell(t, Medium).see("a", 100, 0).see("a", 100, 0).is(Paid, "payment", "paid").
		see("a", 100, 101).see("a", 100, 101).see("a", 100, 0).is(Confirmed, "confirmed")
	if len(s.inv.Credits) != 1 || s.inv.Credits[0].State != Mined {
		t.Errorf("credits %+v", s.inv.Credits)
	}
}

func TestAFeeBumpInheritsTheTimeAndLeavesOneCredit(t *testing.T) {
	s := tell(t, Medium).see("a", 100, 0, "coin").is(Paid, "payment", "paid").at(20).
		see("b", 100, 0, "coin", "another").is(Paid, "payment")
	a, b := s.inv.Credits[0], s.inv.Credits[1]
	if a.State != Gone || b.State != Pending || !b.FirstSeen.Equal(t0) || !b.Received.Equal(after(20)) {
		t.Errorf("credits %+v", s.inv.Credits)
	}
	// The first is mined after all: the miner had not heard of the second.
	s.see("a", 100, 101, "coin").is(Confirmed, "confirmed")
	if a, b := s.inv.Credits[0], s.inv.Credits[1]; a.State != Mined || b.State != Gone {
		t.Errorf("credits %+v", s.inv.Credits)
	}
	// And the second, seen late, does not come back to life beside it.
	s.see("c", 100, 0, "coin")
	if s.inv.Received().String() != "100" || s.inv.Exception() != "" {
		t.Errorf("received %s, exception %q", s.inv.Received(), s.inv.Exception())
	}
}

func TestAReplacementWithLessIsNotTheFullAmount(t *testing.T) {
	tell(t, Medium).see("a", 100, 0, "coin").is(Paid, "payment", "paid").
		see("b", 90, 0, "coin").is(Invalid, "payment", "invalid").
		see("c", 10, 0).is(Paid, "payment", "paid")
}

func TestAReorgTakesDepthAndGivesItBack(t *testing.T) {
	for speed, states := range map[Speed][3]Status{
		High: {Confirmed, Confirmed, Complete}, Medium: {Paid, Confirmed, Complete}, Low: {Paid, Paid, Complete},
	} {
		s := tell(t, speed).see("a", 100, 101).height(106)
		if s.inv.Status != Complete {
			t.Fatalf("%s: %s", speed, s.inv.Status)
		}
		for i, step := range []func(){
			func() { s.unmine(101) }, func() { s.height(101).see("a", 100, 101) }, func() { s.height(106) },
		} {
			if step(); s.inv.Status != states[i] {
				t.Errorf("%s: after step %d %s, want %s", speed, i, s.inv.Status, states[i])
			}
		}
	}
}

func TestADoubleSpentPaymentMakesTheInvoiceInvalidInAnyState(t *testing.T) {
	for _, speed := range []Speed{High, Medium, Low} {
		tell(t, speed).see("a", 100, 0).lose("a").see("b", 100, 101).height(110).is(Complete, happened(speed)...)
		s := tell(t, speed).see("a", 100, 101).height(110).unmine(101).lose("a")
		if s.inv.Status != Invalid || !s.inv.Received().IsZero() {
			t.Errorf("%s: %s with %s", speed, s.inv.Status, s.inv.Received())
		}
	}
}

// happened is what a speed's invoice goes through when its payment is lost and
// another one is mined.
func happened(s Speed) []string {
	switch s {
	case High:
		return []string{"payment", "confirmed", "invalid", "payment", "confirmed", "complete"}
	case Medium:
		return []string{"payment", "paid", "invalid", "payment", "confirmed", "complete"}
	}
	return []string{"payment", "paid", "invalid", "payment", "paid", "complete"}
}

func TestAnHourWithoutABlockIsInvalidAndABlockHealsIt(t *testing.T) {
	tell(t, Medium).at(5).see("a", 100, 0).is(Paid, "payment", "paid").
		at(65).is(Paid).at(66).is(Invalid, "invalid").
		see("a", 100, 101).is(Confirmed, "confirmed")
	tell(t, High).see("a", 100, 0).is(Confirmed, "payment", "confirmed").at(61).is(Invalid, "invalid").
		see("a", 100, 101).is(Confirmed, "confirmed")
	tell(t, Low).see("a", 100, 0).at(61).is(Invalid, "payment", "paid", "invalid").
		see("a", 100, 101).is(Paid, "paid").height(106).is(Complete, "complete")
	tell(t, Low).see("a", 100, 0).at(61).is(Invalid, "payment", "paid", "invalid").
		height(106).see("a", 100, 101).is(Complete, "complete")
	// The hour runs from when the amount was full, not from the first part.
	tell(t, Medium).see("a", 50, 0).at(10).see("b", 50, 0).at(70).is(Paid, "payment", "payment", "paid").at(71).is(Invalid, "invalid")
}

func TestADeadlineIsMissedOnlyOnceTheChainWasReadBeyondIt(t *testing.T) {
	inv := demand(Medium)
	for _, c := range []struct {
		now, read time.Time
		want      Status
	}{
		{after(15), after(15), New},
		{after(20), time.Time{}, New},
		{after(20), after(15), New},
		{after(20), after(16), Expired},
	} {
		f := Facts{Now: c.now, ReadAt: map[string]time.Time{"BTC": c.read}}
		if _, err := inv.Assess(f); err != nil || inv.Status != c.want {
			t.Errorf("at %s, read at %s: %s, want %s (%v)", c.now, c.read, inv.Status, c.want, err)
		}
	}
	// Every chain that it can be paid on counts.
	inv = demand(Medium)
	inv.Terms.Options = append(inv.Terms.Options, Option{Asset: "LTC", Chain: "LTC", Due: money.NewUnits(500)})
	read := map[string]time.Time{"BTC": after(16)}
	if _, _ = inv.Assess(Facts{Now: after(20), ReadAt: read}); inv.Status != New {
		t.Errorf("expired before LTC was read: %s", inv.Status)
	}
	read["LTC"] = after(16)
	if _, _ = inv.Assess(Facts{Now: after(20), ReadAt: read}); inv.Status != Expired {
		t.Errorf("still %s", inv.Status)
	}
}

func TestTheFirstPaymentFixesTheAsset(t *testing.T) {
	inv := demand(Medium)
	inv.Terms.Options = append(inv.Terms.Options, Option{Asset: "LTC", Chain: "LTC", Due: money.NewUnits(500)})
	inv.See(Sighting{Chain: "LTC", Outpoint: chain.Outpoint{Txid: "l"}, Asset: "LTC", Amount: money.NewUnits(500)}, after(1))
	inv.See(Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: "b"}, Asset: "BTC", Amount: money.NewUnits(100)}, after(2))
	if _, err := inv.Assess(Facts{Now: after(3)}); err != nil || inv.Status != Paid || inv.PaymentAsset() != "LTC" || inv.Received().String() != "500" {
		t.Errorf("%s in %s with %s, %v", inv.Status, inv.PaymentAsset(), inv.Received(), err)
	}
	if inv.Exception() != "" {
		t.Errorf("another asset is no overpayment: %s", inv.Exception())
	}
}

func TestPaymentsSettleWhenNoBlockMattersToThem(t *testing.T) {
	s := tell(t, Medium).see("a", 100, 101).see("b", 1, 0).height(101 + SettledDepth - 2)
	if s.inv.Credits[0].Settled || s.inv.Credits[1].Settled {
		t.Errorf("too early: %+v", s.inv.Credits)
	}
	s.height(101 + SettledDepth - 1).lose("b")
	if !s.inv.Credits[0].Settled || !s.inv.Credits[1].Settled {
		t.Errorf("not settled: %+v", s.inv.Credits)
	}
	if s.unmine(101); s.inv.Credits[0].Settled || s.inv.Status != Paid {
		t.Errorf("after a reorg: %s, %+v", s.inv.Status, s.inv.Credits[0])
	}
}

func TestEveryListedStepHappensInSomeStory(t *testing.T) {
	taken := map[Status]map[Event]bool{}
	note := func(s *story) {
		for _, c := range s.out {
			if c.Kind == Moved {
				if taken[c.From] == nil {
					taken[c.From] = map[Event]bool{}
				}
				taken[c.From][c.On] = true
			}
		}
		s.out = nil
	}
	cancel := func(s *story) *story {
		ch, err := s.inv.Cancel(true, s.now)
		if err != nil {
			t.Fatal(err)
		}
		s.out = append(s.out, ch...)
		return s
	}
	early := func(s *story) *story { // learn of a payment mined in minute 10
		s.tip = max(s.tip, 101)
		s.inv.See(Sighting{Chain: "BTC", Outpoint: chain.Outpoint{Txid: "e"}, Asset: "BTC", Amount: money.NewUnits(100), Block: blockAt(101, after(10))}, s.now)
		return s.assess()
	}
	for _, speed := range []Speed{High, Medium, Low} {
		note(tell(t, speed).at(16))
		note(cancel(tell(t, speed)))
		note(cancel(tell(t, speed).see("a", 100, 0)))
		note(cancel(tell(t, speed).see("a", 100, 0).see("a", 100, 101)))
		note(cancel(tell(t, speed).see("a", 100, 0).at(61)))
		note(tell(t, speed).see("a", 100, 0).lose("a").see("b", 100, 0))
		note(tell(t, speed).see("a", 100, 101).height(110).unmine(101).lose("a").see("b", 100, 111).height(120))
		note(tell(t, speed).see("a", 100, 101).unmine(101).lose("a"))
		note(tell(t, speed).see("a", 100, 101).unmine(101))
		note(tell(t, speed).see("a", 100, 101).unmine(101).at(61))
		note(tell(t, speed).see("a", 100, 0).at(61).height(110).see("a", 100, 101))
		note(tell(t, speed).see("a", 100, 101).height(110).height(103))
		note(early(tell(t, speed).at(16)))
		if s := tell(t, speed).see("a", 100, 101); speed != Low {
			ch, err := s.inv.Return()
			if err != nil {
				t.Fatal(err)
			}
			s.out = append(s.out, ch)
			note(s)
		}
		gone := tell(t, speed).see("a", 100, 101).height(110)
		gone.inv.Unmine("BTC", "block 101") // and double-spent in the same reorg
		note(gone.lose("a"))
	}
	want := map[Status]map[Event]bool{}
	for from, list := range steps {
		for e := range list {
			if want[from] == nil {
				want[from] = map[Event]bool{}
			}
			want[from][e] = true
		}
	}
	if diff := cmp.Diff(want, taken); diff != "" {
		t.Errorf("listed (-) and taken (+) differ:\n%s", diff)
	}
}
