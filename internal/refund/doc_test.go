package refund

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the drawing of the states")

func TestTheDocumentedStatesAreTheOnesInTheTable(t *testing.T) {
	const page = "../../docs/refund-states.md"
	want := "# States of a refund\n\nWritten from the table in `internal/refund/status.go` by its test (`go test ./internal/refund -update`).\n" +
		"A pair of state and event that is not listed is impossible.\n\n```mermaid\n" + Diagram() + "```\n"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("%s is not what the table says; run the test with -update:\n%s", page, diff)
	}
}

func TestEveryEndIsAnEndAndEveryStateCanBeReached(t *testing.T) {
	reached := map[string]bool{}
	for _, list := range steps {
		for _, to := range list {
			reached[string(to)] = true
		}
	}
	for from := range steps {
		if len(steps[from]) == 0 && !reached[string(from)] {
			t.Errorf("%s ends what never gets there", from)
		}
	}
}
