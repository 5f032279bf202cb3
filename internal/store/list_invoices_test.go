package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store/pgtest"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAPageFarDownIsThePageThatCountingOffGives(t *testing.T) {
	markEvery = 4
	t.Cleanup(func() { markEvery = 1000 })
	for name, url := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "q.db") },
		"postgres": pgtest.Open,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), url(t), "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			shop := 0
			rapid.Check(t, func(rt *rapid.T) {
				shop++
				checkPages(t.Context(), rt, s, fmt.Sprintf("shop%d", shop))
			})
		})
	}
}

// checkPages lets a list grow while its marks do, and compares random pages
// with the same pages of the whole list.
func checkPages(ctx context.Context, t *rapid.T, s *Store, shop string) {
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []*invoice.Invoice // oldest first
	now := t0
	for range rapid.IntRange(1, 3).Draw(t, "rounds") {
		check(s.Update(ctx, func(tx *Tx) error {
			for range rapid.IntRange(0, 12).Draw(t, "invoices") {
				inv := &invoice.Invoice{ID: fmt.Sprintf("%s-%03d", shop, len(all)), Merchant: shop, APIToken: shop, Created: now, Status: invoice.New}
				inv.GUID = inv.ID
				if err := tx.AddInvoice(inv, nil); err != nil {
					return err
				}
				all = append(all, inv)
				now = now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "ms")) * time.Millisecond) // some have the same time
			}
			return nil
		}))
		now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
		check(s.Update(ctx, func(tx *Tx) error {
			_, err := tx.MarkInvoices(shop, now, rapid.IntRange(1, 3).Draw(t, "marks"))
			return err
		}))
	}
	instant := func(name string) time.Time {
		if rapid.Bool().Draw(t, "no "+name) || len(all) == 0 {
			return time.Time{}
		}
		return rapid.SampledFrom(all).Draw(t, name).Created.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "shift")) * time.Millisecond)
	}
	for range 10 {
		f := InvoiceFilter{
			Merchant: shop, From: instant("from"), To: instant("to"),
			Limit: rapid.IntRange(1, 15).Draw(t, "limit"), Offset: rapid.IntRange(0, 40).Draw(t, "offset"),
		}
		var got []string
		check(s.View(ctx, func(tx *Tx) error {
			list, err := tx.ListInvoices(f)
			for _, inv := range list {
				got = append(got, inv.ID)
			}
			return err
		}))
		if diff := cmp.Diff(pageOf(all, f), got); diff != "" {
			t.Fatalf("%+v of %d invoices: wanted (-), got (+)\n%s", f, len(all), diff)
		}
	}
}

func pageOf(all []*invoice.Invoice, f InvoiceFilter) (page []string) {
	skip := f.Offset
	for _, inv := range slices.Backward(all) {
		if !f.From.IsZero() && inv.Created.Before(f.From) || !f.To.IsZero() && inv.Created.After(f.To) {
			continue
		}
		if skip--; skip < 0 && len(page) < f.Limit {
			page = append(page, inv.ID)
		}
	}
	return page
}
