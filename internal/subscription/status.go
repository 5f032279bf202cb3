package subscription

import (
	"fmt"
	"sort"
	"strings"
)

// Status is the state of a subscription, in the API's own words.
type Status string

// The states. Only an active one makes bills; a cancelled one never does again.
const (
	Draft     Status = "draft"
	Active    Status = "active"
	Cancelled Status = "cancelled"
)

// Event is what a merchant may ask for.
type Event string

// The events.
const (
	Activate Event = "activated"
	Pause    Event = "paused"
	Cancel   Event = "cancelled"
)

// steps is the state machine: a pair that is missing is forbidden.
var steps = map[Status]map[Event]Status{
	Draft:     {Activate: Active, Cancel: Cancelled},
	Active:    {Pause: Draft, Cancel: Cancelled},
	Cancelled: {},
}

// Statuses lists all states in the order of a subscription's life.
func Statuses() []Status { return []Status{Draft, Active, Cancelled} }

// ParseStatus reads a state's name in any letter case.
func ParseStatus(s string) (Status, bool) {
	for _, st := range Statuses() {
		if strings.EqualFold(string(st), s) {
			return st, true
		}
	}
	return "", false
}

// asked is the event that leads to a state.
var asked = map[Status]Event{Draft: Pause, Active: Activate, Cancelled: Cancel}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("subscription: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Diagram renders the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> draft: created\n    [*] --> active: created as active\n")
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
