package invoice

import (
	"fmt"
	"sort"
	"strings"
)

// Status is the state of an invoice, in the API's own words.
type Status string

// The states. Expired, Invalid, Complete and Declined end the merchant's wait;
// the chain may still move all but Declined.
const (
	New       Status = "new"
	Paid      Status = "paid"
	Confirmed Status = "confirmed"
	Complete  Status = "complete"
	Expired   Status = "expired"
	Invalid   Status = "invalid"
	Declined  Status = "declined"
)

// Event is a fact that may move an invoice.
type Event string

// The events, as the chain, the clock and the merchant report them.
const (
	FullAmountSeen      Event = "full amount seen"                // in time; in a block or waiting for one
	FullAmountTrusted   Event = "full amount seen, speed high"    // seen is enough for the merchant
	DepthReached        Event = "confirmations reached"           // what the transaction speed asks for
	Credited            Event = "six confirmations"               // credited to the merchant, at any speed
	DepthLost           Event = "confirmations lost in a reorg"   // still seen, but less deep than before
	DoubleSpent         Event = "payment replaced or dropped"     // the full amount is no longer there
	ConfirmationOverdue Event = "one hour without a confirmation" // after the full amount was seen
	WindowClosed        Event = "payment window closed"
	CanceledUnpaid      Event = "cancelled by the merchant"
	CanceledPaid        Event = "cancelled by the merchant, money seen"
	RefundedEarly       Event = "refunded before it was credited"
)

// steps is the state machine: a pair that is missing is forbidden.
var steps = map[Status]map[Event]Status{
	New: {
		FullAmountSeen: Paid, FullAmountTrusted: Confirmed,
		WindowClosed: Expired, CanceledUnpaid: Expired,
	},
	Paid: {
		FullAmountTrusted: Confirmed, DepthReached: Confirmed, Credited: Complete,
		DoubleSpent: Invalid, ConfirmationOverdue: Invalid, CanceledPaid: Declined,
	},
	Confirmed: {
		Credited: Complete, DepthLost: Paid, DoubleSpent: Invalid, CanceledPaid: Declined,
		ConfirmationOverdue: Invalid, RefundedEarly: Declined,
	},
	Complete: {DepthLost: Paid, DoubleSpent: Invalid},
	// A payment that the chain proves to have been in time is honoured, however
	// late it was learnt of.
	Expired:  {FullAmountSeen: Paid, FullAmountTrusted: Confirmed},
	Invalid:  {FullAmountSeen: Paid, FullAmountTrusted: Confirmed, DepthReached: Confirmed, Credited: Complete, CanceledPaid: Declined},
	Declined: {},
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("invoice: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Statuses lists all states in the order of an invoice's life.
func Statuses() []Status {
	return []Status{New, Paid, Confirmed, Complete, Expired, Invalid, Declined}
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
	b.WriteString("stateDiagram-v2\n    [*] --> new: created\n")
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
