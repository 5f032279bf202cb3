package api

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/quittance/quittance/internal/fault"
)

// Limits bound how often one address and one merchant may ask, in requests per
// second; a second's worth (Burst times it) may come at once. Zero is no limit.
type Limits struct {
	PerAddress  float64
	PerMerchant float64
	Burst       float64 // seconds' worth that may come at once; 0 means 2
}

const (
	retryAfter = 1     // seconds, told to a refused client
	maxBuckets = 65536 // addresses remembered at once
)

type limiter struct {
	conf Limits
	mu   sync.Mutex
	byIP map[string]*rate.Limiter
	byID map[string]*rate.Limiter
}

func newLimiter(c Limits) *limiter {
	if c.Burst == 0 {
		c.Burst = 2
	}
	return &limiter{conf: c, byIP: map[string]*rate.Limiter{}, byID: map[string]*rate.Limiter{}}
}

func (l *limiter) address(ip string) error {
	if l.conf.PerAddress > 0 && !l.take(l.byIP, network(ip), l.conf.PerAddress) {
		return fault.Access(http.StatusTooManyRequests, "Too many requests from this address; slow down to %g per second", l.conf.PerAddress)
	}
	return nil
}

// network is whom an address stands for: an IPv6 client has a /64 of them.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Unmap().Is4() {
		return ip
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}

func (l *limiter) merchant(id string) error {
	if l.conf.PerMerchant > 0 && !l.take(l.byID, id, l.conf.PerMerchant) {
		return fault.Access(http.StatusTooManyRequests, "Too many requests for this merchant; slow down to %g per second", l.conf.PerMerchant)
	}
	return nil
}

func (l *limiter) take(buckets map[string]*rate.Limiter, key string, perSecond float64) bool {
	l.mu.Lock()
	b, ok := buckets[key]
	if !ok {
		if len(buckets) >= maxBuckets {
			// Full buckets have nothing to remember.
			for k, old := range buckets {
				if old.Tokens() >= float64(old.Burst()) {
					delete(buckets, k)
				}
			}
			if len(buckets) >= maxBuckets {
				clear(buckets)
			}
		}
		b = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond*l.conf.Burst)))
		buckets[key] = b
	}
	l.mu.Unlock()
	return b.AllowN(time.Now(), 1)
}
