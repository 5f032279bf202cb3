package recipient

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/recipient-states.md")

const statesPage = "../../docs/recipient-states.md"

// page renders the state machine as it is.
func page() string {
	var b strings.Builder
	b.WriteString("# States of a payout recipient\n\n" +
		"Written from the table in `internal/recipient/status.go` by its test (`go test ./internal/recipient -update`).\n" +
		"A pair of state and event that is not listed is impossible.\n\n" +
		"```mermaid\n" + Diagram() + "```\n\n" +
		"| In state | when | it becomes | webhook |\n|---|---|---|---|\n" +
		"| | submitted | invited | 4001 recipient_invited |\n")
	for _, from := range Statuses() {
		var rows []string
		for e, to := range steps[from] {
			n := Change{Kind: Moved, To: to, On: e}.Notice()
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %d %s |\n", from, e, to, n.Code, n.Name))
		}
		slices.Sort(rows)
		b.WriteString(strings.Join(rows, ""))
	}
	b.WriteString("\nA resend that the merchant asks for is 4007 recipient_manuallyNotified in every state. " +
		"Webhooks go to the recipient's own notification URL, else to the account's.\n\n" +
		"An unfinished state needs nothing on a restart: each waits for a person, and the mails and webhooks of a step are stored with it.\n")
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
		t.Errorf("docs/recipient-states.md is not what the table says; run the test with -update:\n%s", diff)
	}
}

var events = []Event{
	EmailConfirmed, IdentityChecked, AddressSigned, TestAmountRead, PausedByOperator,
	ResumedInvited, ResumedUnverified, ResumedVerified, ResumedActive, RemovedByMerchant,
}

func TestEveryStateCanBeReachedAndEveryEventIsUsed(t *testing.T) {
	reached, used := map[Status]bool{Invited: true}, map[Event]bool{}
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
	if _, ok := ParseStatus("lost"); ok {
		t.Error("there is no state lost")
	}
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
	if allowed != 17 {
		t.Errorf("%d pairs are allowed; the table here was written for 17", allowed)
	}
}

func TestEveryStateHasItsWebhook(t *testing.T) {
	want := map[Status]Notice{
		Invited: {4001, "recipient_invited"}, Unverified: {4002, "recipient_unverified"}, Verified: {4003, "recipient_verified"},
		Active: {4004, "recipient_active"}, Paused: {4005, "recipient_paused"}, Removed: {4006, "recipient_removed"},
	}
	for s, n := range want {
		if got := (Change{Kind: Moved, To: s}).Notice(); got != n {
			t.Errorf("%s is told as %v", s, got)
		}
	}
	if got := (Change{Kind: Resent, To: Active}).Notice(); got != (Notice{4007, "recipient_manuallyNotified"}) {
		t.Errorf("a resend is told as %v", got)
	}
	for _, k := range []Kind{LinkAsked, AddressGiven, AddressChanged} {
		if got := (Change{Kind: k}).Notice(); got.Code != 0 {
			t.Errorf("%s has the webhook %v", k, got)
		}
	}
}
