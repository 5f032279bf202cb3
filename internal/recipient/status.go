package recipient

import (
	"fmt"
	"sort"
	"strings"
)

// Status is the state of a recipient, in the API's own words.
type Status string

// The states.
const (
	Invited    Status = "invited"    // the mail with the link is on its way or there
	Unverified Status = "unverified" // the e-mail is confirmed; the identity is not checked
	Verified   Status = "verified"   // checked, or no check is asked for; no address yet
	Active     Status = "active"     // an address is proven; may be paid
	Paused     Status = "paused"     // stopped by the operator; not paid meanwhile
	Removed    Status = "removed"    // by the merchant; the history stays
)

// Event is a fact that may move a recipient.
type Event string

// The events, as the recipient, the merchant and the operator cause them.
const (
	EmailConfirmed    Event = "e-mail confirmed by the link"
	IdentityChecked   Event = "identity checked, or no check asked for"
	AddressSigned     Event = "address proven by a signature"
	TestAmountRead    Event = "address proven by a test amount"
	PausedByOperator  Event = "paused"
	ResumedInvited    Event = "resumed, was invited"
	ResumedUnverified Event = "resumed, was unverified"
	ResumedVerified   Event = "resumed, was verified"
	ResumedActive     Event = "resumed, was active"
	RemovedByMerchant Event = "removed"
)

// steps is the state machine: a pair that is missing is forbidden.
var steps = map[Status]map[Event]Status{
	Invited:    {EmailConfirmed: Unverified, PausedByOperator: Paused, RemovedByMerchant: Removed},
	Unverified: {IdentityChecked: Verified, PausedByOperator: Paused, RemovedByMerchant: Removed},
	Verified:   {AddressSigned: Active, TestAmountRead: Active, PausedByOperator: Paused, RemovedByMerchant: Removed},
	Active:     {PausedByOperator: Paused, RemovedByMerchant: Removed},
	Paused: {
		ResumedInvited: Invited, ResumedUnverified: Unverified, ResumedVerified: Verified, ResumedActive: Active,
		RemovedByMerchant: Removed,
	},
	Removed: {},
}

// resumed says which event takes a paused recipient back to where it was.
var resumed = map[Status]Event{
	Invited: ResumedInvited, Unverified: ResumedUnverified, Verified: ResumedVerified, Active: ResumedActive,
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("recipient: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Statuses lists all states in the order of a recipient's life.
func Statuses() []Status {
	return []Status{Invited, Unverified, Verified, Active, Paused, Removed}
}

// ParseStatus reads a state's name in any letter case.
func ParseStatus(s string) (Status, bool) {
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
	b.WriteString("stateDiagram-v2\n    [*] --> invited: submitted\n")
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
