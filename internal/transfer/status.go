package transfer

import (
	"fmt"
	"sort"
	"strings"
)

// State is where a transfer is.
type State string

// The states. What a restart does with each: Planned is signed, or dropped if
// nobody can have a signature of it; Exported waits for the packet to come back;
// Signed and Sent are sent again, the same bytes; Lost is planned anew, for the
// same orders; Confirmed and Dropped are left alone.
const (
	Planned   State = "planned"   // inputs reserved, orders frozen
	Exported  State = "exported"  // the unsigned packet left: a signature may exist
	Signed    State = "signed"    // the bytes are durable; they may have been sent
	Sent      State = "sent"      // the network has it, or had it
	Confirmed State = "confirmed" // as deep as asked for
	Dropped   State = "dropped"   // never signed, never exported
	Lost      State = "lost"      // an input is buried in a foreign transaction: no attempt can confirm
)

// Event is a fact that may move a transfer.
type Event string

// The events.
const (
	PacketExported Event = "packet exported"
	Recorded       Event = "signature recorded"
	Accepted       Event = "accepted or seen on the chain"
	DepthReached   Event = "confirmations reached"
	DepthLost      Event = "confirmations lost in a reorg"
	InputsTaken    Event = "an input is buried in a foreign transaction"
	GivenUp        Event = "given up before any signature"
	PlannedAnew    Event = "planned anew"
)

// steps is the state machine: a pair that is missing is forbidden. Every state
// that a signature may exist in can be overtaken by the chain.
var steps = map[State]map[Event]State{
	Planned:   {PacketExported: Exported, Recorded: Signed, Accepted: Sent, GivenUp: Dropped},
	Exported:  {PacketExported: Exported, Recorded: Signed, Accepted: Sent, InputsTaken: Lost},
	Signed:    {PacketExported: Signed, Recorded: Signed, Accepted: Sent, InputsTaken: Lost},
	Sent:      {PacketExported: Sent, Recorded: Sent, Accepted: Sent, DepthReached: Confirmed, InputsTaken: Lost},
	Confirmed: {DepthLost: Sent},
	Lost:      {PlannedAnew: Planned, Accepted: Sent},
	Dropped:   {},
}

// Step returns where an event leads, or an error when it is not allowed there.
func Step(from State, e Event) (State, error) {
	to, ok := steps[from][e]
	if !ok {
		return from, fmt.Errorf("transfer: %q is not possible in state %s", e, from)
	}
	return to, nil
}

// States lists all states in the order of a transfer's life.
func States() []State {
	return []State{Planned, Exported, Signed, Sent, Confirmed, Dropped, Lost}
}

// Diagram renders the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> planned: inputs reserved\n")
	for _, from := range States() {
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
