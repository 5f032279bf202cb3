package invoice

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/invoice-states.md")

const statesPage = "../../docs/invoice-states.md"

// page renders the state machine as it is.
func page() string {
	var b strings.Builder
	b.WriteString("# States of an invoice\n\n" +
		"Written from the table in `internal/invoice/status.go` by its test (`go test ./internal/invoice -update`).\n" +
		"A pair of state and event that is not listed is impossible.\n\n" +
		"```mermaid\n" + Diagram() + "```\n\n" +
		"| In state | when | it becomes | webhook |\n|---|---|---|---|\n")
	for _, from := range Statuses() {
		var rows []string
		for e, to := range steps[from] {
			n := Change{Kind: Moved, From: from, To: to, On: e}.Notice()
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %d %s |\n", from, e, to, n.Code, n.Name))
		}
		slices.Sort(rows)
		b.WriteString(strings.Join(rows, ""))
	}
	b.WriteString("\nWhich webhooks are sent depends on the order: `extendedNotifications` asks for all of them, " +
		"`fullNotifications` for paid, confirmed and complete, else there is the one that the transaction speed " +
		"promises (complete for `low`, confirmed for the others).\n")
	return b.String()
}

func TestTheDocumentedStatesAreTheOnesInTheTable(t *testing.T) {
	if *update {
		if err := os.WriteFile(statesPage, []byte(page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(statesPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page(), string(have)); diff != "" {
		t.Errorf("docs/invoice-states.md is not what the table says; run the test with -update:\n%s", diff)
	}
}

func TestEveryStateCanBeReachedAndEveryEventIsUsed(t *testing.T) {
	reached, used := map[Status]bool{New: true}, map[Event]bool{}
	for range Statuses() {
		for from := range reached {
			for e, to := range steps[from] {
				reached[to], used[e] = true, true
			}
		}
	}
	for _, s := range Statuses() {
		if !reached[s] {
			t.Errorf("nothing leads to %s", s)
		}
		if got, ok := ParseStatus(strings.ToUpper(string(s))); !ok || got != s {
			t.Errorf("%s is read as %s, %v", s, got, ok)
		}
	}
	for _, e := range events {
		if !used[e] {
			t.Errorf("nothing happens on %q", e)
		}
	}
	if _, ok := ParseStatus("refunded"); ok {
		t.Error("there is no state refunded")
	}
}

var events = []Event{
	FullAmountSeen, FullAmountTrusted, DepthReached, Credited, DepthLost, DoubleSpent,
	ConfirmationOverdue, WindowClosed, CanceledUnpaid, CanceledPaid,
}

func TestAPairThatIsNotInTheTableIsRefused(t *testing.T) {
	allowed := 0
	for _, from := range Statuses() {
		for _, e := range events {
			to, err := Step(from, e)
			want, ok := steps[from][e]
			switch {
			case ok && (err != nil || to != want):
				t.Errorf("%s on %q leads to %s, %v", from, e, to, err)
			case !ok && (err == nil || to != from):
				t.Errorf("%s on %q leads to %s without an error", from, e, to)
			}
			if ok {
				allowed++
			}
		}
	}
	if allowed != 24 {
		t.Errorf("%d pairs are allowed; the table here was written for 24", allowed)
	}
}
