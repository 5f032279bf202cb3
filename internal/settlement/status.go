package settlement

import (
	"fmt"
	"sort"
	"strings"
)

// Status is the state of a settlement, in the API's own words.
type Status string

// The states.
const (
	New        Status = "new"        // the period is closed, the money taken from the balance
	Processing Status = "processing" // on its way
	Completed  Status = "completed"
	Rejected   Status = "rejected" // it came back: the balance has it again
)

// Event is a fact that may move a settlement.
type Event string

// The events.
const (
	Kept        Event = "kept in the merchant's own wallet"
	Sent        Event = "transaction sent"
	Confirmed   Event = "confirmations reached"
	Unconfirmed Event = "confirmations lost in a reorg"
	Paid        Event = "marked as paid by the operator"
	Failed      Event = "rejected"
)

// steps is the state machine: a pair that is missing is forbidden.
var steps = map[Status]map[Event]Status{
	New:        {Kept: Completed, Sent: Processing, Paid: Completed, Failed: Rejected},
	Processing: {Confirmed: Completed, Sent: Processing},
	Completed:  {Unconfirmed: Processing},
	Rejected:   {},
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("settlement: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Statuses lists all states in the order of a settlement's life.
func Statuses() []Status { return []Status{New, Processing, Completed, Rejected} }

// ParseStatus reads a state's name in any letter case, and the names that some
// clients have for two of them.
func ParseStatus(s string) (Status, bool) {
	switch strings.ToLower(s) {
	case "failed":
		return Rejected, true
	case "complete":
		return Completed, true
	}
	for _, st := range Statuses() {
		if strings.EqualFold(string(st), s) {
			return st, true
		}
	}
	return "", false
}

// Diagram renders the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> new: period closed\n")
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
