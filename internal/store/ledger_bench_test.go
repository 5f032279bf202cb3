package store_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/store/sqlite"
)

// receipt is an entry of two postings.
func receipt(n int64) *ledger.Entry {
	e := ledger.New(ledger.Receipt, fmt.Sprintf("receipt/BTC/%064x/0/1", n), "merchant", time.UnixMilli(1_772_366_400_000+n)).
		Debit(ledger.WalletAccount("wallet"), "BTC", money.NewUnits(15_000)).Credit(ledger.Unapplied, "BTC", money.NewUnits(15_000))
	e.ID, e.Refs = fmt.Sprintf("entry%017d", n), ledger.Refs{Invoice: "Hpqc63wvE1ZjzeeH4kEycF", Txid: fmt.Sprintf("%064x", n)}
	return e
}

// together runs do from a number of callers at once and reports the rate of what
// each call makes.
func together(b *testing.B, callers, each int, unit string, do func(n int64) error) {
	var n atomic.Int64
	b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := do(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), unit)
}

// BenchmarkFloor stores one plain row per operation, durable, with the same
// shared commits.
func BenchmarkFloor(b *testing.B) {
	for _, callers := range []int{16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			e, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "floor.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			err = e.Update(b.Context(), func(c sqldb.Conn) error {
				_, err := c.Exec(b.Context(), `CREATE TABLE floor (id TEXT PRIMARY KEY, body TEXT NOT NULL)`)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			body := fmt.Sprintf("%0300d", 7)
			together(b, callers, 1, "rows/s", func(n int64) error {
				return e.Update(b.Context(), func(c sqldb.Conn) error {
					_, err := c.Exec(b.Context(), `INSERT INTO floor (id, body) VALUES ($1, $2)`, fmt.Sprintf("entry%017d", n), body)
					return err
				})
			})
		})
	}
}

func BenchmarkPost(b *testing.B) {
	for _, c := range []struct{ callers, entries int }{{16, 1}, {64, 1}, {1, 100}, {16, 100}} {
		b.Run(fmt.Sprintf("%dx%d", c.callers, c.entries), func(b *testing.B) {
			s := open(b, "")
			defer s.Close()
			together(b, c.callers, 2*c.entries, "postings/s", poster(b, s, c.entries))
		})
	}
}

func BenchmarkPostPostgres(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := open(b, pgtest.Open(b))
			defer s.Close()
			together(b, callers, 2, "postings/s", poster(b, s, 1))
		})
	}
}

func poster(b *testing.B, s *store.Store, entries int) func(int64) error {
	return func(n int64) error {
		return s.Update(b.Context(), func(tx *store.Tx) error {
			list := make([]*ledger.Entry, entries)
			for i := range list {
				list[i] = receipt(n*int64(entries) + int64(i))
			}
			return tx.Post(list...)
		})
	}
}
