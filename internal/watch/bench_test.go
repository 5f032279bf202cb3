package watch

import (
	"testing"
	"time"

	"github.com/quittance/quittance/internal/invoice"
)

func TestManyWindowsCloseInOneReading(t *testing.T) {
	w := newWorld(t)
	invs := make([]*invoice.Invoice, 250)
	for i := range invs {
		invs[i] = w.invoice(invoice.Medium)
	}
	w.clock.forward(16 * time.Minute)
	open := w.invoice(invoice.Medium)
	w.sync()
	for _, inv := range invs {
		w.is(inv, invoice.Expired, 0)
	}
	w.is(open, invoice.New, 0)
}

// BenchmarkReading is what a reading costs with nothing new, with a payment in
// the mempool, and with a block that confirms one.
func BenchmarkReading(b *testing.B) {
	b.Run("nothing", func(b *testing.B) {
		w := newWorld(b)
		for b.Loop() {
			w.sync()
		}
	})
	b.Run("payment", func(b *testing.B) {
		w := newWorld(b)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			if i%400 == 399 {
				w.mine(1)
				w.sync()
			}
			w.pay(w.invoice(invoice.Medium), due)
			b.StartTimer()
			w.sync()
		}
	})
	b.Run("block", func(b *testing.B) {
		w := newWorld(b)
		for b.Loop() {
			b.StopTimer()
			w.pay(w.invoice(invoice.Medium), due)
			w.sync()
			w.mine(1)
			b.StartTimer()
			w.sync()
		}
	})
}

// BenchmarkStart is how long it takes to load what is watched.
func BenchmarkStart(b *testing.B) {
	w := newWorld(b)
	const n = 5000
	for range n {
		w.invoice(invoice.Medium)
	}
	for b.Loop() {
		if err := w.newWatch(w.app, w.src).start(w.ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/address")
}
