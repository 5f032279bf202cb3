package payout

import (
	"fmt"
	"sort"
	"strings"
)

// Status is the state of a payout, in the API's own words.
type Status string

// The states.
const (
	New        Status = "new"        // waits for its day, its recipient, its funds or a release
	Funded     Status = "funded"     // taken from the ledger
	Processing Status = "processing" // sent
	Complete   Status = "complete"   // as deep as asked for
	Cancelled  Status = "cancelled"  // by the merchant
	Failed     Status = "failed"     // never sent; the ledger has its money again
)

// Event is a fact that may move a payout.
type Event string

// The events.
const (
	Fund        Event = "funded from the ledger"
	Cancel      Event = "cancelled by the merchant"
	Sent        Event = "transaction sent"
	Confirmed   Event = "confirmations reached"
	Unconfirmed Event = "confirmations lost in a reorg"
	Refused     Event = "given up before any signature"
)

// steps is the state machine: a pair that is missing is forbidden.
var steps = map[Status]map[Event]Status{
	New:        {Fund: Funded, Cancel: Cancelled},
	Funded:     {Sent: Processing, Refused: Failed},
	Processing: {Confirmed: Complete, Sent: Processing},
	Complete:   {Unconfirmed: Processing},
	Cancelled:  {},
	Failed:     {},
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("payout: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Statuses lists all states in the order of a payout's life.
func Statuses() []Status { return []Status{New, Funded, Processing, Complete, Cancelled, Failed} }

// ParseStatus reads a state's name in any letter case and both spellings.
func ParseStatus(s string) (Status, bool) {
	if strings.EqualFold(s, "canceled") {
		return Cancelled, true
	}
	for _, st := range Statuses() {
		if strings.EqualFold(string(st), s) {
			return st, true
		}
	}
	return "", false
}

// ManuallyNotified is the webhook of a resend.
const ManuallyNotified = 5005

// Notice is the webhook of a state: its code and name. There is no documented one
// for failed; code 5006 follows the others and is sent only where it is asked for.
func (s Status) Notice() (code int64, name string) {
	switch s {
	case Funded:
		return 5001, "payout_funded"
	case Processing:
		return 5002, "payout_processing"
	case Complete:
		return 5003, "payout_completed"
	case Cancelled:
		return 5004, "payout_cancelled"
	case Failed:
		return 5006, "payout_failed"
	}
	return 0, "payout_new"
}

// Diagram renders the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> new: asked for\n")
	for _, from := range Statuses() {
		events := make([]string, 0, len(steps[from]))
		for e := range steps[from] {
			events = append(events, string(e))
		}
		sort.Strings(events)
		for _, e := range events {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, steps[from][Event(e)], e)
		}
	}
	return b.String()
}
