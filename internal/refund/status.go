package refund

import (
	"fmt"
	"sort"
	"strings"
)

// Status is the state of a refund, in the API's own words.
type Status string

// The states. Canceled is spelled as the live service spells it.
const (
	Preview  Status = "preview"  // a quote: nothing moves
	Created  Status = "created"  // waits for the buyer's address and for confirmations
	Pending  Status = "pending"  // on its way
	Success  Status = "success"  // confirmed on the chain
	Failure  Status = "failure"  // will not be paid; what was held is free again
	Canceled Status = "canceled" // by the merchant
)

// Event is a fact that may move a refund.
type Event string

// The events.
const (
	Confirm     Event = "confirmed by the merchant"
	Cancel      Event = "cancelled by the merchant"
	Sent        Event = "transaction sent"
	Confirmed   Event = "confirmations reached"
	Unconfirmed Event = "confirmations lost in a reorg"
	Refused     Event = "given up before any signature"
)

// steps is the state machine: a pair that is missing is forbidden.
var steps = map[Status]map[Event]Status{
	Preview:  {Confirm: Created, Cancel: Canceled},
	Created:  {Cancel: Canceled, Sent: Pending, Refused: Failure},
	Pending:  {Confirmed: Success, Sent: Pending},
	Success:  {Unconfirmed: Pending},
	Failure:  {},
	Canceled: {},
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from Status, e Event) (Status, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("refund: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// Statuses lists all states in the order of a refund's life.
func Statuses() []Status { return []Status{Preview, Created, Pending, Success, Failure, Canceled} }

// Active reports whether the refund takes part of what came in: it was paid or
// may still be.
func (s Status) Active() bool { return s == Created || s == Pending || s == Success }

// Open reports whether it is on its way.
func (s Status) Open() bool { return s == Created || s == Pending }

// Notice is the webhook of a state: its code and name. 7002 is documented, the
// others follow it in line.
func (s Status) Notice() (code int64, name string) {
	switch s {
	case Created:
		return 7001, "refund_created"
	case Pending:
		return 7002, "refund_pending"
	case Success:
		return 7003, "refund_success"
	case Failure:
		return 7004, "refund_failure"
	case Canceled:
		return 7005, "refund_cancelled"
	}
	return 0, "refund_preview"
}

// ManuallyNotified is the webhook of a resend.
const ManuallyNotified = 7006

// Diagram renders the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> preview: asked for with preview\n    [*] --> created: asked for\n")
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
