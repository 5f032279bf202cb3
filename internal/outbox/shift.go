package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/store"
)

// shift is the time one worker spends on one lane it has leased.
type shift struct {
	*Outbox
	lane  store.Lane
	until time.Time // end of the lease
	left  bool      // the lane was given back
	again bool      // the lane is due again already
}

// errLost means that another worker has the lane or its delivery by now.
var errLost = errors.New("outbox: the lane was taken over")

// run works through the lane until nothing in it is due and reports whether
// something became due again meanwhile.
func (s *shift) run(ctx context.Context) (again bool) {
	for !s.left {
		err := s.round(ctx)
		if errors.Is(err, errLost) {
			return false
		}
		if err != nil && ctx.Err() == nil {
			// The lease stays: it is the pause before the next go.
			s.Log.Error("outbox: work on a lane", "lane", s.lane.ID, "err", err)
			return false
		}
		if err != nil {
			s.leave()
			return false
		}
	}
	return s.again
}

// round tries what is due: one that was set aside, then the lane in order up to
// the first that fails.
func (s *shift) round(ctx context.Context) error {
	var aside, line []store.Delivery
	now := s.Now()
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		if aside, err = tx.AsideIn(s.lane.ID, now, 1); err != nil {
			return err
		}
		line, err = tx.WaitingIn(s.lane.ID, batch)
		return err
	})
	if err != nil {
		return err
	}
	more := len(line) == batch || len(aside) > 0
	if len(line) > 0 && line[0].RunAt.After(now) {
		line = nil
	}
	for _, d := range aside {
		if _, err := s.try(ctx, d, false); err != nil {
			return err
		}
	}
	for i, d := range line {
		last := i == len(line)-1 && !more
		ok, err := s.try(ctx, d, last)
		if err != nil || !ok {
			return err
		}
	}
	if len(line)+len(aside) == 0 {
		s.leave()
	}
	return nil
}

// try sends one delivery and records what came of it. When it is the last or it
// fails in its place in the line, the lane is given back with the record.
func (s *shift) try(ctx context.Context, d store.Delivery, last bool) (ok bool, err error) {
	if err := s.renew(ctx); err != nil {
		return false, err
	}
	began := s.Now()
	r, err := s.send(ctx, s.lane, d)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil && !r.ok() {
		return false, err // not a try that says anything about the endpoint
	}
	took := s.Now().Sub(began)
	s.Observe(s.lane.Kind, r.ok(), took)
	a := store.Attempt{
		Delivery: d.ID, N: d.Attempts + 1, At: began, Duration: took,
		Status: r.status, Answer: r.answer, Error: r.problem,
	}
	return r.ok(), s.record(d, a, r, last || !r.ok() && !d.Aside)
}

// renew makes the lease outlast the next try.
func (s *shift) renew(ctx context.Context) error {
	now := s.Now()
	if s.until.Sub(now) >= renewBelow {
		return nil
	}
	lost := false
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		err := tx.LeaseLane(s.lane.ID, s.Owner, now, now.Add(lease))
		if lost = errors.Is(err, store.ErrChanged); lost {
			return nil
		}
		return err
	})
	if lost {
		return errLost
	}
	s.until = now.Add(lease)
	return err
}

// record stores the try, its consequence and, when asked, the end of the shift,
// in one transaction. It does so even while the program stops.
func (s *shift) record(d store.Delivery, a store.Attempt, r result, leave bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeWait)
	defer cancel()
	state, runAt := s.next(d, a, r)
	var next time.Time
	lost := false
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		err := tx.RecordAttempt(a, state, runAt)
		if lost = errors.Is(err, store.ErrChanged); lost {
			return nil
		}
		if err == nil && state == store.Waiting && !d.Aside && a.Status > 0 {
			err = s.setAside(tx, d)
		}
		if err == nil && leave {
			next, err = tx.LeaveLane(s.lane.ID, s.Owner)
		}
		return err
	})
	switch {
	case lost:
		return errLost
	case err != nil:
		return err
	case state == store.Failed:
		s.Log.Warn("outbox: delivery given up", "kind", s.lane.Kind, "lane", s.lane.ID, "delivery", d.ID, "tries", a.N, "status", a.Status)
	}
	s.ended(leave, next)
	return nil
}

// next says what becomes of a delivery after a try.
func (s *shift) next(d store.Delivery, a store.Attempt, r result) (state string, runAt time.Time) {
	end := a.At.Add(a.Duration)
	if r.ok() {
		return store.Done, end
	}
	pause, more := wait(a.N-d.Round, s.jitter())
	if r.hopeless || !more {
		return store.Failed, end
	}
	return store.Waiting, end.Add(pause)
}

func (s *shift) setAside(tx *store.Tx, d store.Delivery) error {
	n, err := tx.Refusals(d)
	if err != nil || n < refusalsBeforeAside {
		return err
	}
	return tx.SetAside(d.ID)
}

func (s *shift) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), writeWait)
	defer cancel()
	var next time.Time
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		next, err = tx.LeaveLane(s.lane.ID, s.Owner)
		return err
	})
	if err != nil {
		s.Log.Error("outbox: give a lane back", "lane", s.lane.ID, "err", err)
	}
	s.ended(true, next)
}

func (s *shift) ended(left bool, next time.Time) {
	s.left = left
	s.again = left && !next.IsZero() && !next.After(s.Now())
}
