package main

import (
	"context"
	"time"
)

// watchdog checks the invariants every while; a breach stops all money out.
func (p *program) watchdog(ctx context.Context) error {
	if p.conf.VerifyEvery <= 0 {
		<-ctx.Done()
		return nil
	}
	t := time.NewTicker(p.conf.VerifyEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if !p.ready() {
			continue
		}
		if err := p.app.Watchdog(ctx, p.sources(), p.sync); err != nil && ctx.Err() == nil {
			p.log.Error("the invariants could not be checked; it is tried again", "error", err)
		}
	}
}
