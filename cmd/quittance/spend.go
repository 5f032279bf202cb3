package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// spendEvery is how often what waits to leave is looked at, besides when
// something happened.
const spendEvery = time.Second

// spendPause is the least between two looks, so that a busy shop's many events do
// not each cost one.
const spendPause = 200 * time.Millisecond

// spend takes money out: it decides about what nobody asked for, queues what is
// due, and has each chain sign and send what is queued on it. A fault is logged and
// tried again.
func (p *program) spend(ctx context.Context) error {
	chains, ctx := errgroup.WithContext(ctx)
	var due []chan<- struct{}
	for _, f := range p.chains {
		now := make(chan struct{}, 1)
		due = append(due, now)
		chains.Go(func() error {
			p.payOut(ctx, f.Code, now)
			return nil
		})
	}
	p.prepare(ctx, due)
	return chains.Wait()
}

// payOut pays out on one chain whenever it is due, until the context ends.
func (p *program) payOut(ctx context.Context, chain string, due <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-due:
		}
		if err := p.app.SpendOn(ctx, chain); err != nil && ctx.Err() == nil {
			p.log.Error("pay out; it is tried again", "chain", chain, "error", err)
		}
	}
}

// prepare decides and queues, and tells the chains each time, until the context ends.
func (p *program) prepare(ctx context.Context, due []chan<- struct{}) {
	t := time.NewTicker(spendEvery)
	defer t.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-p.spendNow:
			pause(ctx, spendPause-time.Since(last))
		}
		last = time.Now()
		if !p.ready() {
			continue // the chain may know more about what is to leave
		}
		// What a database that was put back still has to do may be done already.
		if restored, err := p.app.Restored(ctx); err != nil || restored {
			continue
		}
		for _, job := range []struct {
			what string
			do   func(context.Context) error
		}{
			{"decide about payments that were not asked for", p.app.DecideUnapplied},
			{"queue refunds", p.app.PayRefunds},
			{"fund payouts", p.app.FundPayouts},
			{"settle", p.settle},
			{"join coins", p.join},
			{"send sweeps", p.app.SendSweeps},
		} {
			if err := job.do(ctx); err != nil && ctx.Err() == nil {
				p.log.Error(job.what+"; it is tried again", "error", err)
			}
		}
		for _, chain := range due {
			select {
			case chain <- struct{}{}:
			default: // it is due already
			}
		}
	}
}

// pause waits for a while, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// settleEvery is how often the clock of the settlements is looked at.
const settleEvery = 30 * time.Second

// settle closes periods that have ended.
func (p *program) settle(ctx context.Context) error {
	now := p.clock.now()
	if now.Sub(p.settled) < settleEvery {
		return nil
	}
	p.settled = now
	return p.app.Settle(ctx)
}

// joinEvery is how often the network is asked whether it is cheap enough to join
// coins.
const joinEvery = 10 * time.Minute

// join consolidates the wallets whose merchants want it.
func (p *program) join(ctx context.Context) error {
	now := p.clock.now()
	if now.Sub(p.joined) < joinEvery {
		return nil
	}
	p.joined = now
	return p.app.ConsolidateCheap(ctx)
}

// wakeSpender has the next round come at once.
func (p *program) wakeSpender() {
	select {
	case p.spendNow <- struct{}{}:
	default:
	}
}
