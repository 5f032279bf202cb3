package bill

import (
	"flag"
	"math/big"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

var update = flag.Bool("update", false, "write the drawing anew")

func TestTheDrawingIsTheTable(t *testing.T) {
	const file = "../../docs/bill-states.md"
	want := "# States of a bill\n\nWritten from the table in `internal/bill/status.go` by its test (`go test ./internal/bill -update`).\n" +
		"A pair of state and event that is not listed is impossible.\n\n```mermaid\n" + Diagram() + "```\n"
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%s is not the table's: run go test ./internal/bill -update (%v)", file, err)
	}
}

// The merchant is left with the net sum, and with one unit less would not be.
func TestThePayerPaysTheFeeToTheUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := Terms{PassFee: true}
		for range rapid.IntRange(1, 5).Draw(t, "items") {
			terms.Items = append(terms.Items, Item{Price: money.NewUnits(rapid.Uint64().Draw(t, "price")), Quantity: rapid.Int64Range(1, maxQuantity).Draw(t, "quantity")})
		}
		bp, flat := rapid.Int64Range(0, 9_999).Draw(t, "rate"), rapid.Int64Range(0, 1_000_000).Draw(t, "flat")
		net, err := terms.Net()
		if err != nil {
			t.Fatal(err)
		}
		total, err := terms.Total(bp, flat)
		if err != nil {
			t.Fatal(err)
		}
		// left is ten thousand times what remains of an amount after the fee.
		left := func(n *big.Int) *big.Int {
			n = new(big.Int).Mul(n, big.NewInt(10_000-bp))
			return n.Sub(n, big.NewInt(flat*10_000))
		}
		goal := new(big.Int).Mul(net.Big(), big.NewInt(10_000))
		if left(total.Big()).Cmp(goal) < 0 {
			t.Fatalf("%v leaves less than %v", total, net)
		}
		if less := new(big.Int).Sub(total.Big(), big.NewInt(1)); left(less).Cmp(goal) >= 0 {
			t.Fatalf("%v is more than needed for %v", total, net)
		}
	})
}

func TestDueDatesAreReadLeniently(t *testing.T) {
	for text, want := range map[string]string{
		"2021-5-31": "2021-05-31T00:00:00Z", "2021-05-31": "2021-05-31T00:00:00Z", "20210531": "2021-05-31T00:00:00Z", "5/31/2021": "2021-05-31T00:00:00Z",
		"2021-05-31T01:00:00+02:00": "2021-05-30T23:00:00Z", "2021-05-31T00:00:00.000Z": "2021-05-31T00:00:00Z", "2021-05-31T10:00:00.00Z": "2021-05-31T10:00:00Z",
	} {
		if got, ok := ParseDue(text); !ok || got.Format(time.RFC3339) != want {
			t.Errorf("%s is read as %v", text, got)
		}
	}
	for _, text := range []string{"", "2021-02-30", "0001-01-01", "tomorrow"} {
		if got, ok := ParseDue(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestABillFollowsWhateverPaysIt(t *testing.T) {
	b := &Bill{Status: Sent}
	if err := b.Open("one"); err != nil || b.Status != New {
		t.Fatal(b.Status, err)
	}
	move := func(id string, s invoice.Status, want Status) {
		t.Helper()
		b.Follow(&invoice.Invoice{ID: id, Status: s})
		if b.Status != want {
			t.Errorf("%s %s makes the bill %s, not %s", id, s, b.Status, want)
		}
	}
	move("one", invoice.Expired, New)
	if err := b.Open("two"); err != nil {
		t.Fatal(err)
	}
	move("one", invoice.Paid, Paid) // a late payment that the chain proves to be in time
	move("two", invoice.Expired, Paid)
	move("one", invoice.Complete, Complete)
	if b.Open("three") == nil {
		t.Error("a complete bill was opened")
	}
	move("one", invoice.Paid, Paid) // a reorganisation
	move("one", invoice.Invalid, New)
}
