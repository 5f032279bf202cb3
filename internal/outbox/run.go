package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/quittance/quittance/internal/store"
)

// Run delivers until ctx ends, then gives tries in progress a few seconds. What
// is cut off then is tried again by the next run.
func (o *Outbox) Run(ctx context.Context) error {
	if err := o.store.Update(ctx, func(tx *store.Tx) error { return tx.ReleaseLanes(o.Owner) }); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for ctx.Err() == nil {
		_, pause, err := o.start(ctx, work)
		if err != nil && ctx.Err() == nil {
			o.Log.Error("outbox: look for due lanes", "err", err)
		}
		o.sleep(ctx, pause)
	}
	hurry := time.AfterFunc(stopWait, cut)
	defer hurry.Stop()
	o.work.Wait()
	o.client.CloseIdleConnections()
	return nil
}

func (o *Outbox) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-t.C:
	}
}

// Step works on every lane that is due now until none is, and returns.
func (o *Outbox) Step(ctx context.Context) error {
	for {
		n, _, err := o.start(ctx, ctx)
		o.work.Wait()
		if n == 0 || err != nil {
			return err
		}
	}
}

// start leases lanes that are due, begins to work on each and says when to look
// again. ctx is for the looking, work for the working.
func (o *Outbox) start(ctx, work context.Context) (n int, pause time.Duration, err error) {
	due, pause, err := o.due(ctx)
	if err != nil || len(due) == 0 {
		return 0, pause, err
	}
	now := o.Now()
	var got []store.Lane
	err = o.store.Update(ctx, func(tx *store.Tx) error {
		got = got[:0]
		for _, l := range due {
			err := tx.LeaseLane(l.ID, o.Owner, now, now.Add(lease))
			if errors.Is(err, store.ErrChanged) {
				continue // another process has it
			}
			if err != nil {
				return err
			}
			got = append(got, l)
		}
		return nil
	})
	if err != nil {
		return 0, poll, err
	}
	for _, l := range got {
		o.begin(work, l, now.Add(lease))
	}
	return len(got), pause, nil
}

// due lists the lanes to lease now, no more than there are free slots.
func (o *Outbox) due(ctx context.Context) (lanes []store.Lane, pause time.Duration, err error) {
	now, free := o.Now(), cap(o.slots)-len(o.slots)
	pause = poll
	if free == 0 {
		o.short.Store(true)
		if len(o.slots) < cap(o.slots) {
			o.Wake() // the last one ended in between
		}
		return nil, pause, nil
	}
	err = o.store.View(ctx, func(tx *store.Tx) error {
		var err error
		if lanes, err = o.pick(tx, now, free); err != nil || len(lanes) > 0 {
			return err
		}
		next, err := tx.NextLane()
		if d := next.Sub(now); d > 0 && d < pause {
			pause = d + time.Millisecond
		}
		return err
	})
	return lanes, pause, err
}

// pick chooses the lanes that are due longest, without giving anybody more than
// a share of the slots.
func (o *Outbox) pick(tx *store.Tx, now time.Time, free int) (lanes []store.Lane, err error) {
	taken, c := o.working()
	for {
		full := c.full()
		found, err := tx.DueLanes(now, free+1, full)
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			if taken[l.ID] || !c.room(l) {
				continue
			}
			if len(lanes) == free {
				o.short.Store(true)
				return lanes, nil
			}
			taken[l.ID] = true
			c.add(l)
			lanes = append(lanes, l)
		}
		if c.full().Len() > 0 {
			o.short.Store(true) // somebody waits for a slot of his own to end
		}
		// Whoever has just got all he can is left out, to see who is behind him.
		if c.full().Len() == full.Len() {
			return lanes, nil
		}
	}
}

// working is what is worked on now.
func (o *Outbox) working() (taken map[string]bool, c *crowd) {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken, c = make(map[string]bool, len(o.busy)), newCrowd(cap(o.slots))
	for id, l := range o.busy {
		taken[id] = true
		c.add(l)
	}
	return taken, c
}

func (o *Outbox) begin(ctx context.Context, l store.Lane, until time.Time) {
	o.mu.Lock()
	o.busy[l.ID] = l
	o.mu.Unlock()
	o.slots <- struct{}{}
	o.work.Go(func() {
		again := (&shift{Outbox: o, lane: l, until: until}).run(ctx)
		o.mu.Lock()
		delete(o.busy, l.ID)
		o.mu.Unlock()
		<-o.slots
		if o.short.Swap(false) || again {
			o.Wake()
		}
	})
}
