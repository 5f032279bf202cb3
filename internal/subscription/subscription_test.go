package subscription

import (
	"flag"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/money"
)

var update = flag.Bool("update", false, "write the drawing anew")

func TestTheDrawingIsTheTable(t *testing.T) {
	const file = "../../docs/subscription-states.md"
	want := "# States of a subscription\n\nWritten from the table in `internal/subscription/status.go` by its test (`go test ./internal/subscription -update`).\n" +
		"A pair of state and event that is not listed is impossible.\n\n```mermaid\n" + Diagram() + "```\n"
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%s is not the table's: run go test ./internal/subscription -update (%v)", file, err)
	}
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestNamesBecomeSixFields(t *testing.T) {
	for _, c := range []struct {
		schedule string
		first    time.Time
		want     string
	}{
		{"weekly", day(2021, 5, 24), "0 0 0 * * 1"}, {"weekly", day(2021, 5, 23), "0 0 0 * * 0"}, {"", day(2021, 1, 31), "0 0 0 28 * *"},
		{"monthly", day(2021, 5, 24), "0 0 0 24 * *"}, {"quarterly", day(2021, 11, 30), "0 0 0 28 2,5,8,11 *"}, {"yearly", day(2024, 2, 29), "0 0 0 28 2 *"},
		{"Yearly", day(2024, 12, 31), "0 0 0 31 12 *"}, {"0 30 9 * * 7", day(2024, 1, 1), "0 30 9 * * 7"},
	} {
		if got, err := Cron(c.schedule, c.first); err != nil || got != c.want {
			t.Errorf("%s from %v is %q (%v), want %q", c.schedule, c.first, got, err, c.want)
		}
	}
}

func TestSundayIsBothEndsOfTheWeek(t *testing.T) {
	for _, cron := range []string{"0 0 0 * * 0", "0 0 0 * * 7"} {
		if got, err := Next(cron, day(2026, 11, 24)); err != nil || !got.Equal(day(2026, 11, 29)) {
			t.Errorf("%s comes at %v (%v)", cron, got, err)
		}
	}
}

// Over years, with any pauses of the clock: no bill twice, never two for one
// look, none for a day that has not come, and the due date keeps its distance.
func TestDeliveriesOverYears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := day(2023, 1, 1).Add(time.Duration(rapid.IntRange(0, 800*24).Draw(t, "hour")) * time.Hour)
		gap := time.Duration(rapid.IntRange(0, 60).Draw(t, "gap")) * 24 * time.Hour
		s, err := New("id", "m", "api", "token", Order{
			Schedule: rapid.SampledFrom([]string{"weekly", "monthly", "quarterly", "yearly", "0 15 6 1,15 * *"}).Draw(t, "schedule"), Next: first, Status: Active,
			Bill: bill.Terms{Currency: "USD", Email: "a@b.example", Due: first.Add(gap), Items: []bill.Item{{Description: "x", Price: money.NewUnits(100), Quantity: 1}}},
		}, first)
		if err != nil {
			t.Fatal(err)
		}
		now, last := first.Add(-time.Hour), time.Time{}
		for range 40 {
			now = now.Add(time.Duration(rapid.IntRange(1, 100*24*60).Draw(t, "away")) * time.Minute)
			if !s.Due(now) {
				continue
			}
			terms, err := s.Deliver(now)
			if err != nil {
				t.Fatal(err)
			}
			at := terms.Due.Add(-gap)
			if !at.After(last) || at.After(now) || at.Before(first) {
				t.Fatalf("at %v a bill of %v after one of %v", now, at, last)
			}
			if s.Due(now) {
				t.Fatalf("a second bill is due at %v: %v", now, s.Next)
			}
			if missed, _ := Next(s.Terms.Schedule, at); !missed.After(now) {
				t.Fatalf("at %v the bill is of %v, though %v has come", now, at, missed)
			}
			last = at
		}
	})
}
