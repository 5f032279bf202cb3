package bill

import (
	"fmt"
	"sort"
	"strings"

	"github.com/quittance/quittance/internal/invoice"
)

// Status is the state of a bill, in the API's own words.
type Status string

// The states. A draft was made, a sent one mailed, a new one is being paid, and
// the last two follow the invoice that pays it.
const (
	Draft    Status = "draft"
	Sent     Status = "sent"
	New      Status = "new"
	Paid     Status = "paid"
	Complete Status = "complete"
)

// Event is a fact that may move a bill.
type Event string

// The events.
const (
	Delivered        Event = "mailed"
	InvoiceOpened    Event = "invoice opened by the payer"
	InvoicePaid      Event = "invoice paid or confirmed"
	InvoiceCompleted Event = "invoice complete"
	InvoiceFailed    Event = "invoice expired, invalid or declined"
)

// steps is the state machine: a pair that is missing is forbidden. A bill whose
// invoice failed can be paid again, even after a reorganisation took back what
// had completed it.
var steps = map[Status]map[Event]Status{
	Draft:    {Delivered: Sent, InvoiceOpened: New, InvoicePaid: Paid, InvoiceCompleted: Complete},
	Sent:     {Delivered: Sent, InvoiceOpened: New, InvoicePaid: Paid, InvoiceCompleted: Complete},
	New:      {Delivered: New, InvoiceOpened: New, InvoicePaid: Paid, InvoiceCompleted: Complete, InvoiceFailed: New},
	Paid:     {InvoicePaid: Paid, InvoiceCompleted: Complete, InvoiceFailed: New},
	Complete: {InvoiceCompleted: Complete, InvoicePaid: Paid, InvoiceFailed: New},
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("bill: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Statuses lists all states in the order of a bill's life.
func Statuses() []Status { return []Status{Draft, Sent, New, Paid, Complete} }

// of says what an invoice's state means to its bill; none while nothing is decided.
func of(s invoice.Status) (Event, bool) {
	switch s {
	case invoice.Paid, invoice.Confirmed:
		return InvoicePaid, true
	case invoice.Complete:
		return InvoiceCompleted, true
	case invoice.Expired, invoice.Invalid, invoice.Declined:
		return InvoiceFailed, true
	}
	return "", false
}

// Diagram renders the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> draft: created\n")
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
