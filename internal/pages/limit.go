package pages

import (
	"sync"
	"time"
)

// maxAddresses bounds the memory of a limiter. When it is full, addresses whose
// allowance has come back are forgotten; if none has, everyone new waits.
const maxAddresses = 10_000

// limiter gives each address a number of tries that come back one by one. Only
// failures are counted against it.
type limiter struct {
	burst int
	every time.Duration // until one try comes back
	mu    sync.Mutex
	debt  map[string]time.Time // when all tries are back; guarded by mu
}

func newLimiter(burst int, every time.Duration) *limiter {
	return &limiter{burst: burst, every: every, debt: map[string]time.Time{}}
}

// wait is how long an address has to wait before its next try; zero is not at all.
func (l *limiter) wait(addr string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, known := l.debt[addr]
	if known {
		return max(until.Sub(now)-time.Duration(l.burst-1)*l.every, 0)
	}
	if len(l.debt) >= maxAddresses {
		l.forget(now)
	}
	if len(l.debt) >= maxAddresses {
		return l.every
	}
	return 0
}

// failed counts one failure against an address.
func (l *limiter) failed(addr string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := l.debt[addr]
	if from.Before(now) {
		from = now
	}
	l.debt[addr] = from.Add(l.every)
}

func (l *limiter) forget(now time.Time) {
	for addr, t := range l.debt {
		if t.Before(now) {
			delete(l.debt, addr)
		}
	}
}
