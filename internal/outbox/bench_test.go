package outbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/store"
)

// BenchmarkWebhooks delivers to 100 endpoints, all healthy or one hanging, and
// reports deliveries per second at the 99 that are healthy in both cases.
func BenchmarkWebhooks(b *testing.B) {
	for _, hang := range []bool{false, true} {
		b.Run(fmt.Sprintf("hang=%v", hang), func(b *testing.B) { benchWebhooks(b, hang) })
	}
}

func benchWebhooks(b *testing.B, hang bool) {
	const endpoints = 100
	e := newEnv(b)
	var left atomic.Int64
	done := make(chan struct{})
	release := make(chan struct{})
	urls := make([]string, endpoints)
	for i := range urls {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if i == 0 {
				if hang {
					<-release
				}
				return
			}
			if left.Add(-1) == 0 {
				close(done)
			}
		}))
		defer s.Close()
		urls[i] = s.URL
	}
	defer close(release)
	inv := e.invoice(func(*invoice.Order) {})
	now := e.clock.Now()
	n := 0
	for _, u := range urls {
		e.update(func(tx *store.Tx) error {
			for range max(b.N/endpoints, 1) {
				n++
				id := fmt.Sprint("ev", n)
				ev := store.Event{ID: id, Merchant: e.merchant.ID, Kind: "invoice", Resource: inv.ID, Seq: int64(1000 + n), Code: 1003, Name: "invoice_paidInFull", At: now}
				if err := tx.AddEvent(ev); err != nil {
					return err
				}
				l := store.Lane{ID: u, Kind: "webhook", Endpoint: u, Merchant: e.merchant.ID}
				if err := tx.Enqueue(l, store.Delivery{ID: id, Event: id, Resource: inv.ID, RunAt: now, Created: now}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	healthy := n - n/endpoints
	left.Store(int64(healthy))
	o := e.outbox(func(c *outbox.Config) { c.Now = time.Now })
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	b.ResetTimer()
	go func() { _ = o.Run(ctx); close(ended) }()
	<-done
	b.StopTimer()
	b.ReportMetric(float64(healthy)/b.Elapsed().Seconds(), "deliveries/s")
	stop()
	<-ended
}
